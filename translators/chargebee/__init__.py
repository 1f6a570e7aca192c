"""Chargebee -> Segment. https://apidocs.chargebee.com/docs/api/events

`payment_succeeded` carries the revenue: its invoice may be older, or be paid in parts. Each part carries its share of
the revenue; the part that completes the invoice is the order.

source.py         credentials, event ids, identity
customers.py      customers and their payment methods
subscriptions.py  subscriptions and trials
payments.py       payments, each with its share of the revenue, and refunds
invoices.py       invoices and credit notes
registration.py   one webhook, by the API
ignored.py        ignored types, each with its reason
"""

from translators.chargebee import customers, ignored, invoices, payments, registration, subscriptions
from translators.chargebee.source import chargebee

__all__ = ["chargebee", "customers", "ignored", "invoices", "payments", "registration", "subscriptions"]
