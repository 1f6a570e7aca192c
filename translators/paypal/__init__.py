"""PayPal -> Segment. https://developer.paypal.com/api/rest/webhooks/event-names/

A capture or a sale means received money. An approved or completed order is reported by its captures.

source.py        signature, event ids, times, sandbox events, identity
payments.py      captures and sales, authorisations, refunds, disputes
billing.py       subscriptions and invoices
amounts.py       amounts of both REST versions
registration.py  one webhook, by the API
ignored.py       ignored types, each with its reason
"""

from translators.paypal import billing, ignored, payments, registration
from translators.paypal.source import paypal

__all__ = ["billing", "ignored", "payments", "paypal", "registration"]
