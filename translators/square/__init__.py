"""Square -> Segment. https://developer.squareup.com/docs/webhooks/v2webhook-events-tech-ref

`payment.updated` with status COMPLETED means received money. Square sends it again for each later detail (a fee, a
receipt), so the key of a payment or refund is its id and status, and a repetition is a duplicate.

source.py        signature, event keys, sandbox events, identity, amounts
customers.py     customer records
payments.py      payments, refunds, disputes
billing.py       invoices and subscriptions
registration.py  one subscription, by the API
ignored.py       ignored types, each with its reason
"""

from translators.square import billing, customers, ignored, payments, registration
from translators.square.source import square

__all__ = ["billing", "customers", "ignored", "payments", "registration", "square"]
