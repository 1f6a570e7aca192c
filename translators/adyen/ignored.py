"""Ignored event codes, each with its reason."""

from translators.adyen.source import adyen

adyen.ignore(
    "REPORT_AVAILABLE", "PAYOUT_*", "PAIDOUT_*", because="the merchant's own reports and payouts, not a customer event"
)
adyen.ignore(
    "TECHNICAL_CANCEL",
    "REFUND_WITH_DATA",
    "VOID_PENDING_REFUND",
    because="CANCELLATION or REFUND reports it",
)
adyen.ignore(
    "*.*", because="a webhook of the Balance Platform or Management API: the merchant's own accounts and transfers"
)
adyen.ignore("ORDER_OPENED", "ORDER_CLOSED", because="an order paid in several payments; each payment reports its part")
adyen.ignore(
    "REQUEST_FOR_INFORMATION",
    "ISSUER_COMMENTS",
    "MANUAL_REVIEW_*",
    "OFFER_CLOSED",
    "PENDING",
    because="an intermediate step; the final event reports the result",
)
adyen.ignore(
    "AUTHORISATION_ADJUSTMENT",
    "HANDLED_EXTERNALLY",
    "POSTPONED_REFUND",
    because="neither Segment's spec nor our vocabulary has an event for it",
)
