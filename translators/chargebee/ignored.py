"""Ignored types, each with its reason."""

from translators.chargebee.source import chargebee

chargebee.ignore("card_*", because="payment_source events report it now")
chargebee.ignore("invoice_*", "credit_note_*", "transaction_*", because="payments and credits have their own events")
chargebee.ignore(
    "payment_*",
    "refund_initiated",
    "dunning_updated",
    because="an intermediate step of a payment; the result has its own event",
)
chargebee.ignore("subscription_*", because="a detail of a subscription; changes for the customer have their own events")
chargebee.ignore(
    "quote_*", "order_*", "coupon_*", "item_*", "plan_*", "addon_*",
    because="the merchant's own documents and catalogue, not a customer event",
)  # fmt: skip
chargebee.ignore("customer_*", because="customer_changed reports the customer's data")
