"""What makes no message, and why. With this page and the handlers every snapshot type of Stripe's list is decided."""

from translators.stripe.source import stripe

stripe.ignore("charge.updated", because="a charge's later details are no act of its customer")
stripe.ignore(
    "charge.refund.updated", "refund.updated", because="charge.refunded tells the refund, refund.failed its failure"
)
stripe.ignore("refund.created", because="charge.refunded tells the same refund, with its customer")
stripe.ignore("invoice.payment_succeeded", "invoice_payment.*", because="invoice.paid tells the same payment")
stripe.ignore("invoice.updated", because="each step of an invoice has an event of its own")
stripe.ignore("invoiceitem.*", because="the invoice tells its lines")
stripe.ignore("customer.subscription.pending_update_applied", because="customer.subscription.updated tells the change")
stripe.ignore(
    "customer.source.*", "source.*", "mandate.*", because="payment_method and setup_intent events tell it today"
)
stripe.ignore("customer.tax_id.*", because="a tax number is not a trait to send about")
stripe.ignore("customer_cash_balance_transaction.*", "cash_balance.*", because="payment_intent events tell the payment")
stripe.ignore("payout.updated", "payout.reconciliation_completed", because="bookkeeping of a payout already told")
stripe.ignore(
    "setup_intent.created",
    "setup_intent.requires_action",
    because="setup_intent.succeeded or .setup_failed tells the end",
)
stripe.ignore("plan.*", because="price events tell the catalogue; plans are their old form")
stripe.ignore(
    "coupon.*", "promotion_code.*", "payment_link.*", "tax_rate.*", "tax.*", because="the merchant's set-up, no act"
)
stripe.ignore(
    "billing.meter.*",
    "billing.credit_grant.updated",
    "billing.credit_balance_transaction.*",
    because="metering and ledger detail",
)
stripe.ignore(
    "billing_portal.*", because="the portal's own set-up and sessions; what is changed there has its own event"
)
stripe.ignore(
    "radar.early_fraud_warning.updated", "review.*", because="a review of the merchant's, no act of the customer"
)
stripe.ignore("account.*", "capability.*", "person.*", "apps.*", because="the set-up of a Stripe account")
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
    because="another product of Stripe's, with no customer of the merchant's in it",
)
stripe.ignore(
    "climate.*",
    "reporting.*",
    "sigma.*",
    "file.*",
    "terminal.*",
    "three_d_secure.*",
    "test_helpers.*",
    because="technical, no act of a customer",
)
stripe.ignore("v2.core.event_destination.ping", because="a test delivery")
stripe.ignore(
    "v1.*", because="a thin event names its object and does not hold it: choose snapshot payloads for this type"
)
stripe.ignore("v2.*", because="a thin event about the account's own affairs, which holds nothing to tell")
