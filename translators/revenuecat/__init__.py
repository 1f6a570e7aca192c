"""RevenueCat -> Segment. https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields

`INITIAL_PURCHASE`, `RENEWAL` and `NON_RENEWING_PURCHASE` are purchases; each carries its revenue once.

source.py         credentials, event ids, sandbox purchases, identity
purchases.py      purchases with their subscriptions and trials, refunds
subscriptions.py  what happens to a subscription between purchases; transfers
properties.py     prices, taxes, and the properties of a subscription and a trial
registration.py   one webhook, by the API
ignored.py        ignored types, each with its reason
"""

from translators.revenuecat import ignored, purchases, registration, subscriptions
from translators.revenuecat.source import revenuecat

__all__ = ["ignored", "purchases", "registration", "revenuecat", "subscriptions"]
