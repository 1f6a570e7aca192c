"""Stripe -> Segment. https://docs.stripe.com/webhooks https://docs.stripe.com/api/events/types

source.py         signature, envelopes, ids, time, identity, test mode
customers.py      customers, discounts, payment methods, entitlements
subscriptions.py  subscriptions, trials, schedules, quotes
items.py          a subscription's items, compared by their ids
invoices.py       invoices and credit notes
checkout.py       checkout sessions, and the orders among them
payments.py       payments, refunds, disputes
business.py       the merchant's own events: payouts, the catalogue, thin account events
ignored.py        ignored types, each with its reason
money.py          Stripe's own currency exponents, exact sums and unit prices
"""

from translators.stripe import business, checkout, customers, ignored, invoices, payments, registration, subscriptions
from translators.stripe.source import stripe

__all__ = [
    "business",
    "checkout",
    "customers",
    "ignored",
    "invoices",
    "payments",
    "registration",
    "stripe",
    "subscriptions",
]
