"""Ignored types, each with its reason."""

from translators.revenuecat.source import revenuecat

revenuecat.ignore("TEST", because="a test delivery")
revenuecat.ignore("SUBSCRIBER_ALIAS", because="deprecated; TRANSFER reports it")
revenuecat.ignore(
    "TEMPORARY_ENTITLEMENT_GRANT",
    "INVOICE_ISSUANCE",
    "VIRTUAL_CURRENCY_TRANSACTION",
    "EXPERIMENT_ENROLLMENT",
    because="neither Segment's spec nor our vocabulary has an event for it",
)
