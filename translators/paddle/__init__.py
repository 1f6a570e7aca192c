"""Paddle Billing -> Segment. https://developer.paddle.com/webhooks/overview

`transaction.completed` carries the revenue: by then Paddle has settled what `transaction.paid` reports as paid.

source.py         signature, event ids, simulated events, identity
customers.py      customers and their payment methods
transactions.py   orders and overdue invoices
subscriptions.py  subscriptions and trials
adjustments.py    refunds, disputes, credits, payouts
amounts.py        minor units, which Paddle writes as text
registration.py   one destination, by the API
ignored.py        ignored types, each with its reason
"""

from translators.paddle import adjustments, customers, ignored, registration, subscriptions, transactions
from translators.paddle.source import paddle

__all__ = ["adjustments", "customers", "ignored", "paddle", "registration", "subscriptions", "transactions"]
