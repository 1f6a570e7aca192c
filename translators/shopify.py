"""Shopify -> Segment. https://shopify.dev/docs/api/admin-rest/latest/resources/webhook

The topic and the moment stand in headers. `orders/paid` carries the revenue; `orders/create` may never be paid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Option,
    Payload,
    Refused,
    Registered,
    Registering,
    Skip,
    Source,
    from_iso,
    identify,
    json_call,
    track,
)

shopify = Source(
    "shopify",
    title="Shopify",
    docs="https://shopify.dev/docs/apps/build/webhooks",
    secret_help="your app's client secret; for webhooks made in the admin, the secret at the foot of that page",
    # https://shopify.dev/docs/apps/build/webhooks/subscribe/https#step-2-validate-the-origin-of-your-webhook
    scheme=HmacBody(header="X-Shopify-Hmac-SHA256", encoding="base64"),
    options=[Option("environment", "live orders only, or those of test payments too", "live", ("live", "both"))],
    keep_headers=["X-Shopify-Topic", "X-Shopify-Triggered-At", "X-Shopify-Webhook-Id", "X-Shopify-Shop-Domain"],
)


@shopify.event
def head(item: Item) -> Head:
    """The webhook id is the same on every retry; the trigger's time is the event's, the record's may be later."""
    topic = item.headers.get("x-shopify-topic", "")
    if not topic:
        raise Malformed("header X-Shopify-Topic", "is missing")
    key = item.headers.get("x-shopify-webhook-id") or f"sha256:{hashlib.sha256(item.raw).hexdigest()}"
    triggered = item.headers.get("x-shopify-triggered-at", "")
    if triggered:
        try:
            return Head(key, topic, from_iso(triggered))
        except ValueError:
            raise Malformed("header X-Shopify-Triggered-At", "is not an ISO 8601 time") from None
    return Head(key, topic, item.body.iso("updated_at", None) or item.body.iso("created_at", None), "record")


@shopify.before
def live(event: Event) -> None:
    """An order of the Bogus gateway, or of a gateway in test mode, sold nothing."""
    if _test(event) and event.option("environment") == "live":
        raise Skip(f"a test order; set SEGUE_{event.source.upper()}_ENVIRONMENT=both to deliver it too")


@shopify.note
def note(event: Event) -> Mapping[str, Any]:
    """With `environment = both` a test is still told from the real thing."""
    return {"test": True} if _test(event) else {}


def _test(event: Event) -> bool:
    transactions = event.body.get("transactions")
    marks = transactions if isinstance(transactions, list) else []
    return event.body.get("test") is True or any(isinstance(each, dict) and each.get("test") is True for each in marks)


@shopify.who
def customer(event: Event) -> Identity:
    """The customer; a guest's order stands for its person."""
    body = event.body
    of_customer = event.type.startswith("customers/")
    person = body if of_customer else body.maybe("customer")
    id_ = person.id("id", "") if person else ""
    order = body.id("order_id", "") or ("" if of_customer else body.id("id", ""))
    first, last = person.text("first_name", None), person.text("last_name", None)
    return Identity(
        metadata=(_attributes(body),),
        anonymous=("customer", id_) if id_ else ("order", order) if order else None,
        external_ids=(ExternalId("shopify_customer_id", id_),),
        traits={
            "email": person.text("email", None) or (None if of_customer else body.text("email", None)),
            "firstName": first,
            "lastName": last,
            "name": " ".join(filter(None, (first, last))) or None,
            "phone": person.text("phone", None),
        },
    )


def _attributes(body: Payload) -> dict[str, str]:
    """Cart attributes (`note_attributes`), where a shop may put its own user id."""
    if not isinstance(body.get("note_attributes"), list):
        return {}
    pairs = ((each.get("name"), each.get("value")) for each in body.each("note_attributes"))
    return {name: value for name, value in pairs if isinstance(name, str) and isinstance(value, str)}


@shopify.registration(
    Need("shop", "SHOPIFY_SHOP", "acme, where your shop is acme.myshopify.com", secret=False),
    Need("access_token", "SHOPIFY_ACCESS_TOKEN", "an Admin API access token with the topics' read scopes"),
)
def register(at: Registering) -> Registered:
    """One subscription a topic; they are signed with the app's own secret, so none is told.

    https://shopify.dev/docs/api/admin-graphql/latest/mutations/webhooksubscriptioncreate
    """
    url = f"https://{at.given['shop']}.myshopify.com/admin/api/2025-07/graphql.json"
    headers = {"X-Shopify-Access-Token": at.given["access_token"]}
    for topic in at.types:
        named = topic.replace("/", "_").upper()
        variables = {"topic": named, "subscription": {"callbackUrl": at.url, "format": "JSON"}}
        made = yield json_call("POST", url, headers, {"query": _SUBSCRIBE, "variables": variables})
        faults = [*made.each("errors"), *made.each("data.webhookSubscriptionCreate.userErrors")]
        for said in (fault.text("message", "no reason given") for fault in faults):
            if "already been taken" not in said:  # a topic of an earlier run that did not get to its end
                raise Refused(f"{topic}: {said}")
    return ""


_SUBSCRIBE: Final = (
    "mutation ($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) { "
    "webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) "
    "{ webhookSubscription { id } userErrors { field message } } }"
)


@shopify.on("orders/paid")
def order_paid(event: Event) -> Iterator[Message]:
    yield track("Order Completed", _order(event.body), revenue=_net(event.body), products=_products(event.body))


_ORDER: Final = {
    "orders/updated": "Order Updated",
    "orders/edited": "Order Updated",
    "orders/cancelled": "Order Cancelled",
    "orders/fulfilled": "Order Fulfilled",
    "orders/partially_fulfilled": "Order Partially Fulfilled",
}


@shopify.on(*_ORDER)
def order(event: Event) -> Iterator[Message]:
    yield track(_ORDER[event.type], _order(event.body), reason=event.body.text("cancel_reason", None))


@shopify.on("refunds/create")
def refunded(event: Event) -> Iterator[Message]:
    body = event.body
    told = [each for each in body.each("transactions") if each.get("kind") == "refund"]
    amounts = [each.decimal("amount", Decimal(0)) for each in told if each.text("status", "success") == "success"]
    if told and not amounts:
        raise Skip("no money went back: its transactions wait or failed")
    products = [
        {"product_id": line.id("line_item.product_id", None), "quantity": line.integer("quantity", None)}
        for line in body.each("refund_line_items")
    ]
    yield track(
        "Order Refunded",
        order_id=body.id("order_id"),
        refund_id=body.id("id"),
        total=sum(amounts, Decimal(0)) if told else None,
        currency=told[0].text("currency", None) if told else None,
        products=products,
    )


@shopify.on("checkouts/create")
def checkout_started(event: Event) -> Iterator[Message]:
    body = event.body
    yield track(
        "Checkout Started",
        order_id=body.id("id", None) or body.text("token", None),
        value=body.decimal("total_price", None),
        discount=body.decimal("total_discounts", None),
        tax=body.decimal("total_tax", None),
        currency=body.text("currency", None),
        products=_products(body),
    )


@shopify.on("customers/create")
def customer_created(event: Event) -> Iterator[Message]:
    yield identify(_traits(event.body), createdAt=event.body.iso("created_at", None))
    yield track("Customer Created", customer_id=event.body.id("id"))


@shopify.on("customers/update")
def customer_updated(event: Event) -> Iterator[Message]:
    yield identify(_traits(event.body))


@shopify.on("customers/delete")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Customer Deleted", customer_id=event.body.id("id"))


def _traits(body: Payload) -> dict[str, Any]:
    return {
        "orders_count": body.integer("orders_count", None),
        "total_spent": body.decimal("total_spent", None),
        "accepts_marketing": body.flag("accepts_marketing", None),
    }


def _order(body: Payload) -> dict[str, Any]:
    """https://segment.com/docs/connections/spec/ecommerce/v2/#order-completed"""
    return {
        "order_id": body.id("id"),
        "order_number": body.id("order_number", None),
        "checkout_id": body.id("checkout_id", None),
        "affiliation": body.text("source_name", None),
        "status": body.text("financial_status", None),
        "subtotal": body.decimal("subtotal_price", None),
        "total": body.decimal("total_price", None),
        "shipping": body.decimal("total_shipping_price_set.shop_money.amount", None),
        "tax": body.decimal("total_tax", None),
        "discount": body.decimal("total_discounts", None),
        "coupon": next((each.text("code", None) for each in body.each("discount_codes")), None),
        "currency": body.text("currency", None),
    }


def _net(body: Payload) -> Decimal | None:
    """With discounts, without shipping and tax; `subtotal_price` holds the tax where the shop's prices include it.

    That is the goods' tax, as their lines tell it; `total_tax` holds that of the shipping too.
    """
    subtotal = body.decimal("subtotal_price", None)
    if subtotal is None or not body.flag("taxes_included", False):
        return subtotal
    lines = [line for line in body.each("line_items") if isinstance(line.get("tax_lines"), list)]
    if not lines:
        return subtotal - body.decimal("total_tax", Decimal(0))
    return subtotal - sum(
        (tax.decimal("price", Decimal(0)) for line in lines for tax in line.each("tax_lines")), Decimal(0)
    )


def _products(body: Payload) -> list[dict[str, Any]]:
    return [
        {
            "product_id": line.id("product_id", None),
            "sku": line.text("sku", None),
            "name": line.text("title", None),
            "brand": line.text("vendor", None),
            "variant": line.text("variant_title", None),
            "quantity": line.integer("quantity", None),
            "price": line.decimal("price", None),
        }
        for line in body.each("line_items")
    ]


# https://shopify.dev/docs/api/admin-rest/latest/resources/dispute
_DECIDED: Final = {"accepted", "charge_refunded", "lost", "won"}


@shopify.on("disputes/create", "disputes/update")
def dispute(event: Event) -> Iterator[Message]:
    body = event.body
    status = body.text("status", None)
    name = "Dispute Opened" if event.type == "disputes/create" else "Dispute Updated"
    if event.type == "disputes/update" and status in _DECIDED:
        name = "Dispute Closed"
    yield track(
        name,
        dispute_id=body.id("id"),
        order_id=body.id("order_id", None),
        amount=body.decimal("amount", None),
        currency=body.text("currency", None),
        reason=body.text("reason", None),
        status=status,
        outcome=status if name == "Dispute Closed" else None,
    )


shopify.ignore("orders/create", because="orders/paid tells the order once it is paid for")
shopify.ignore("orders/delete", because="a record was tidied away; cancelling has its own topic")
shopify.ignore(
    "customers/data_request", "customers/redact", "shop/redact", because="a duty of privacy, not an act to track"
)
shopify.ignore(
    "checkouts/*",
    "carts/*",
    because="checkouts/create tells the start; each change of a cart is not an act to bill for",
)
shopify.ignore(
    "products/*", "collections/*", "inventory_*", "locations/*", "variants/*", because="the shop's catalogue"
)
shopify.ignore("fulfillments/*", "fulfillment_*", because="orders/fulfilled tells it of the order")
shopify.ignore("draft_orders/*", "order_transactions/*", because="the order tells what became of it")
shopify.ignore(
    "customers_marketing_consent/*", "customer_*", "customers/*",
    because="customers/update tells what is known of the person",
)  # fmt: skip
shopify.ignore(
    "subscription_contracts/*", "subscription_billing_attempts/*", because="the order that it bills tells the payment"
)
shopify.ignore(
    "app/*", "app_subscriptions/*", "shop/*", "themes/*", "bulk_operations/*",
    because="the app's and the shop's own affairs",
)  # fmt: skip
