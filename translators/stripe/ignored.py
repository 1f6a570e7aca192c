"""Ignored types and why. Every snapshot type of Stripe's list is either translated or ignored."""

from translators.stripe.source import stripe

stripe.ignore("charge.updated", because="later details of a charge, not a customer event")
stripe.ignore(
    "charge.refund.updated", "refund.updated", because="charge.refunded reports the refund, refund.failed its failure"
)
stripe.ignore("refund.created", because="charge.refunded reports the same refund, with its customer")
stripe.ignore("invoice.payment_succeeded", "invoice_payment.*", because="invoice.paid reports the same payment")
stripe.ignore("invoice.updated", because="each step of an invoice has its own event")
stripe.ignore("invoiceitem.*", because="the invoice reports its lines")
stripe.ignore(
    "customer.subscription.pending_update_applied", because="customer.subscription.updated reports the change"
)
stripe.ignore(
    "customer.source.*", "source.*", "mandate.*", because="payment_method and setup_intent events report it now"
)
stripe.ignore("customer.tax_id.*", because="tax numbers are not sent as traits")
stripe.ignore(
    "customer_cash_balance_transaction.*", "cash_balance.*", because="payment_intent events report the payment"
)
stripe.ignore(
    "payout.updated", "payout.reconciliation_completed", because="a detail of a payout that was reported before"
)
stripe.ignore(
    "setup_intent.created",
    "setup_intent.requires_action",
    because="setup_intent.succeeded or .setup_failed reports the result",
)
stripe.ignore("plan.*", because="price events report the catalogue; plans are the older form")
stripe.ignore(
    "coupon.*",
    "promotion_code.*",
    "payment_link.*",
    "tax_rate.*",
    "tax.*",
    because="merchant configuration, not a customer event",
)
stripe.ignore(
    "billing.meter.*",
    "billing.credit_grant.updated",
    "billing.credit_balance_transaction.*",
    because="metering and credit details",
)
stripe.ignore("billing_portal.*", because="portal configuration and sessions; changes made there have their own events")
stripe.ignore("radar.early_fraud_warning.updated", "review.*", because="a review by the merchant, not a customer event")
stripe.ignore(
    "account.*", "capability.*", "person.*", "apps.*", because="configuration of a Stripe account, not a customer event"
)
stripe.ignore(
    "application_fee.*",
    "transfer.*",
    "topup.*",
    "balance.*",
    "balance_settings.*",
    "reserve.*",
    because="money between Stripe and the merchant",
)
stripe.ignore(
    "issuing_*",
    "treasury.*",
    "financial_connections.*",
    "identity.*",
    because="another Stripe product, without a customer of the merchant",
)
stripe.ignore(
    "climate.*",
    "reporting.*",
    "sigma.*",
    "file.*",
    "terminal.*",
    "three_d_secure.*",
    "test_helpers.*",
    because="technical, not a customer event",
)
stripe.ignore("v2.core.event_destination.ping", because="a test delivery")
stripe.ignore("v1.*", because="a thin event holds only its object's id; choose snapshot payloads for this type")
stripe.ignore("v2.*", because="a thin event about the merchant's account, not a customer event")
