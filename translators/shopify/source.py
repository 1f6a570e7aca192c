"""Shopify's signature, event keys, times, identity and test orders."""

from __future__ import annotations

from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Payload,
    Source,
    choice_option,
    first_id,
    from_iso,
    name_traits,
    skip_other_modes,
)

ENVIRONMENT: Final = choice_option(
    "environment", "live orders only, or those of test payments too", ("live", "both"), "live"
)

shopify = Source(
    "shopify",
    title="Shopify",
    docs="https://shopify.dev/docs/apps/build/webhooks",
    secret_help="your app's client secret; for webhooks made in the admin, the secret at the end of that page",
    # https://shopify.dev/docs/apps/build/webhooks/subscribe/https#step-2-validate-the-origin-of-your-webhook
    scheme=HmacBody(header="X-Shopify-Hmac-SHA256", encoding="base64"),
    options=[ENVIRONMENT],
    keep_headers=[
        "X-Shopify-Topic",
        "X-Shopify-Sub-Topic",
        "X-Shopify-Triggered-At",
        "X-Shopify-Event-Id",
        "X-Shopify-Webhook-Id",
        "X-Shopify-Shop-Domain",
        "X-Shopify-Test",
    ],
)

_RECORD_ID = ("order_edit.id", "id", "admin_graphql_api_id", "token", "customer.id", "customer_id", "inventory_item_id")


@shopify.head
def head(item: Item) -> Head:
    """Use topic, event id and record as key: two subscriptions of one topic send two webhook ids for one event.

    https://shopify.dev/docs/apps/build/webhooks/ignore-duplicates
    """
    topic = item.headers.get("x-shopify-topic", "")
    if not topic:
        raise Malformed("header X-Shopify-Topic", "is missing")
    key, former_keys = _keys(item, topic)
    triggered_at = item.headers.get("x-shopify-triggered-at", "")
    if triggered_at:
        try:
            return Head(id=key, type=topic, occurred_at=from_iso(triggered_at), former_ids=former_keys)
        except ValueError:
            raise Malformed("header X-Shopify-Triggered-At", "is not an ISO 8601 time") from None
    body = item.body
    changed_at = body.opt.iso("updated_at") or body.opt.iso("order_edit.committed_at") or body.opt.iso("created_at")
    return Head(id=key, type=topic, occurred_at=changed_at, clock="record", former_ids=former_keys)


def _keys(item: Item, topic: str) -> tuple[str, tuple[FormerId, ...]]:
    """Return the key and those of version 0.1: the webhook id, else the body's digest without the topic."""
    webhook_id = item.headers.get("x-shopify-webhook-id", "")
    former_keys = (FormerId(webhook_id),) if webhook_id else ()
    event_id = item.headers.get("x-shopify-event-id", "")
    if event_id:
        sub_topic = item.headers.get("x-shopify-sub-topic", "")
        return ":".join(filter(None, (topic, sub_topic, event_id, _record_id(item.body)))), former_keys
    if webhook_id:
        return f"{topic}:{webhook_id}", former_keys
    return f"{topic}:{item.digest}", (FormerId(item.digest),)


def _record_id(body: Payload) -> str:
    """Return the record's id: one action may change several records of one topic."""
    ids = (body.get(path) for path in _RECORD_ID)
    return next((str(id_) for id_ in ids if type(id_) in (str, int) and id_ != ""), "")


@skip_other_modes(shopify, ENVIRONMENT, what="order or notification", context={"test": {"test": True}})
def environment(event: Event) -> str:
    """Recognise an order of the Bogus gateway or of a gateway in test mode, and a sample that the admin or CLI sent.

    https://shopify.dev/docs/apps/build/webhooks/test
    """
    sample = event.headers.get("x-shopify-test", "").strip().lower() == "true"
    transactions = event.body.get("transactions")
    orders = [event.body.value, *(transactions if isinstance(transactions, list) else ())]
    is_test = any(isinstance(order, dict) and order.get("test") is True for order in orders)
    return "test" if sample or is_test else "live"


@shopify.identity
def customer(event: Event) -> Identity:
    """Use the customer's id; for a guest the order's."""
    body = event.body
    of_customer = event.type.startswith("customers/")
    person = body if of_customer else body.maybe("customer")
    id_ = person.id("id", "") if person else ""
    order = body.first("order_id:id", "order_edit.order_id:id") or ("" if of_customer else body.id("id", ""))
    return Identity(
        metadata=(_attributes(body),),
        anonymous=first_id(customer=id_, order=order),
        external_ids=(ExternalId("shopify_customer_id", id_),),
        traits={
            "email": person.opt.text("email") or (None if of_customer else body.opt.text("email")),
            **name_traits(person.opt.text("first_name"), person.opt.text("last_name")),
            "phone": person.opt.text("phone"),
        },
    )


def _attributes(body: Payload) -> dict[str, str]:
    """Return the cart attributes (`note_attributes`), which may hold the shop's own user id."""
    if not isinstance(body.get("note_attributes"), list):
        return {}
    pairs = ((attribute.get("name"), attribute.get("value")) for attribute in body.each("note_attributes"))
    return {name: value for name, value in pairs if isinstance(name, str) and isinstance(value, str)}
