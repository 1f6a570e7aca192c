"""Ignored topics. Every topic of Shopify's list is either translated or ignored.

https://shopify.dev/docs/api/webhooks (2026-07)
"""

from translators.shopify.source import shopify

shopify.ignore("orders/create", because="orders/paid reports the order once it is paid for")
shopify.ignore("orders/delete", because="a record was removed; orders/cancelled reports a cancellation")
shopify.ignore(
    "orders/risk_assessment_changed",
    "orders/shopify_protect_eligibility_changed",
    because="the shop's fraud assessment, not a customer event",
)
shopify.ignore("orders/link_requested", because="the customer asked for the link to an order's page again")
shopify.ignore(
    "customers/data_request", "customers/redact", "shop/redact", because="a privacy request, not a customer event"
)
shopify.ignore(
    "checkouts/*",
    "carts/*",
    because="checkouts/create reports the start; single cart changes are not sent",
)
shopify.ignore(
    "products/*",
    "product_feeds/*",
    "product_listings/*",
    "product_publications/*",
    "scheduled_product_listings/*",
    "collections/*",
    "collection_listings/*",
    "collection_publications/*",
    "variants/*",
    "discounts/*",
    "selling_plan_groups/*",
    because="the shop's catalogue, not a customer event",
)
shopify.ignore("inventory_*", "locations/*", because="the shop's stock and locations, not a customer event")
shopify.ignore(
    "fulfillments/*",
    "fulfillment_*",
    "shipping_addresses/*",
    because="orders/fulfilled and orders/partially_fulfilled report shipments",
)
shopify.ignore(
    "returns/*",
    "reverse_*",
    because="a step of a return; refunds/create reports the refunded money",
)
shopify.ignore("draft_orders/*", because="a draft becomes an order, which has its own topics")
shopify.ignore(
    "order_transactions/*", "tender_transactions/*", because="orders/paid and refunds/create report the payment"
)
shopify.ignore(
    "payment_terms/*", "payment_schedules/*", because="terms of a future payment; orders/paid reports the payment"
)
shopify.ignore(
    "customers/enable",
    "customers/disable",
    because="the state of an account login; customers/update reports the record",
)
shopify.ignore(
    "customers/purchasing_summary", because="a summary of orders that were reported before; customers/update has it"
)
shopify.ignore(
    "customers/merge",
    because="two records of one person were merged; Segment has no message that merges anonymous ids",
)
shopify.ignore(
    "customers_marketing_consent/*",
    "customers_email_marketing_consent/*",
    because="consent to marketing, which customers/update reports too",
)
shopify.ignore("customer_payment_methods/*", because="a stored payment method; the order reports the payment")
shopify.ignore(
    "customer.*",
    "customer_*",
    "segments/*",
    because="the shop's tags, groups and segments of customers",
)
shopify.ignore(
    "companies/*",
    "company_*",
    because="records of a business customer; its orders and contacts have their own topics",
)
shopify.ignore(
    "subscription_contracts/*",
    "subscription_billing_attempts/*",
    "subscription_billing_cycle*",
    because="the order of a subscription contract reports the payment",
)
shopify.ignore("attributed_sessions/*", because="a visit's attribution, which names no customer")
shopify.ignore(
    "app/*",
    "app_purchases_one_time/*",
    "app_subscriptions/*",
    "audit_events/*",
    "bulk_operations/*",
    "channels/*",
    "checkout_and_accounts_configurations/*",
    "delivery_promise_settings/*",
    "domains/*",
    "finance_*",
    "locales/*",
    "markets/*",
    "markets_backup_region/*",
    "metafield_definitions/*",
    "metaobjects/*",
    "profiles/*",
    "publications/*",
    "shop/*",
    "tax_*",
    "themes/*",
    because="configuration of the app or the shop, not a customer event",
)
