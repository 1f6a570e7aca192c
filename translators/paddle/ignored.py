"""Ignored types, each with its reason."""

from translators.paddle.source import paddle

paddle.ignore("transaction.paid", because="transaction.completed reports the same order once it is settled")
paddle.ignore(
    "transaction.*", because="an intermediate step; completed, payment_failed, past_due and canceled report the result"
)
paddle.ignore("address.*", "business.*", because="the customer's billing details; the transaction reports the purchase")
paddle.ignore(
    "product.*", "price.*", "discount.*", "discount_group.*", because="the merchant's catalogue, not a customer event"
)
paddle.ignore(
    "invoice.*",
    "report.*",
    "api_key.*",
    "api_key_exposure.*",
    "client_token.*",
    because="the merchant's own account, not a customer event",
)
