"""Ignored types, each with its reason."""

from translators.square.source import square

square.ignore("webhooks.test_notification", because="a test delivery")
square.ignore("order.*", because="the payment reports the order once it is paid for")
square.ignore("invoice.*", because="an intermediate step of an invoice; other events report the result")
square.ignore("dispute.*", because="evidence and details of a dispute; dispute.state.updated reports the decision")
square.ignore(
    "customer.*", "gift_card.*", "loyalty.*", "card.*", "bank_account.*", because="Segment's spec has no event for it"
)
square.ignore(
    "catalog.*",
    "inventory.*",
    "location.*",
    "team_member.*",
    "labor.*",
    "job.*",
    "vendor.*",
    because="the shop's own configuration, not a customer event",
)
square.ignore(
    "payout.*",
    "device.*",
    "terminal.*",
    "booking.*",
    "online_checkout.*",
    "oauth.*",
    because="the merchant's own account, not a customer event",
)
