"""Ignored types, each with its reason."""

from translators.paypal.source import paypal

paypal.ignore("CHECKOUT.*", "PAYMENT.ORDER.*", "PAYMENTS.*", because="the capture or sale reports the payment")
paypal.ignore(
    "PAYMENT.REFUND.*", because="a pending refund; PAYMENT.CAPTURE.REFUNDED or PAYMENT.REFUND.FAILED reports the result"
)
paypal.ignore(
    "BILLING.SUBSCRIPTION.CREATED",
    because="the subscription starts when the customer approves it; ACTIVATED reports that",
)
paypal.ignore(
    "BILLING.PLAN.*",
    "BILLING_AGREEMENTS.*",
    "CATALOG.*",
    because="the merchant's catalogue, or an older name of a subscription",
)
paypal.ignore("INVOICING.*", because="an intermediate step of an invoice; PAID or CANCELLED reports the result")
paypal.ignore(
    "PAYMENT.PAYOUTS*",
    "PAYMENT.REFERENCED-PAYOUT*",
    "MERCHANT.*",
    "VAULT.*",
    "RISK.*",
    "IDENTITY.*",
    because="the merchant's own account, not a customer event",
)
