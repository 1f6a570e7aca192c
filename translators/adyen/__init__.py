"""Adyen -> Segment. https://docs.adyen.com/development-resources/webhooks/

Standard webhooks: one request may hold several items, each with its own signature. With automatic capture the
authorisation is the payment. With manual capture it is a permission and CAPTURE is the payment (`revenue_from`).

source.py        signatures, items, event keys, test payments, identity
payments.py      authorisations, captures, cancellations, refunds
disputes.py      disputes and fraud warnings
registration.py  one Standard webhook, by the Management API
ignored.py       ignored codes, each with its reason
"""

from translators.adyen import disputes, ignored, payments, registration
from translators.adyen.source import adyen

__all__ = ["adyen", "disputes", "ignored", "payments", "registration"]
