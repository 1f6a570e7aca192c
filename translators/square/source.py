"""Square's signature, event keys, sandbox events, identity and amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacRequest,
    Identity,
    Item,
    Payload,
    Source,
    choice_option,
    first_id,
    name_traits,
    skip_other_modes,
)

ENVIRONMENT: Final = choice_option(
    "environment", "which events to translate", ("production", "sandbox", "both"), "production"
)

square = Source(
    "square",
    title="Square",
    docs="https://developer.squareup.com/docs/webhooks/overview",
    secret_help="Developer Console > your app > Webhooks > Subscriptions > your subscription > Signature key",
    # https://developer.squareup.com/docs/webhooks/step3validate: the URL is signed, exactly as it is registered
    scheme=HmacRequest(header="x-square-hmacsha256-signature", parts=("url", "body")),
    options=[ENVIRONMENT],
    keep_headers=["square-environment"],
)


@square.head
def head(item: Item) -> Head:
    """`event_id` is the same on every retry. For a payment or refund only a new status is a new event.

    Some of Square's times have no zone and are UTC: https://developer.squareup.com/docs/build-basics/common-data-types/working-with-dates
    """
    body = item.body
    type_, at = body.text("type"), body.iso("created_at", naive_is_utc=True)
    kind = type_.partition(".")[0]
    if kind in {"payment", "refund"}:
        resource = body.maybe(f"data.object.{kind}")
        id_, status = resource.id("id", ""), resource.text("status", "")
        if id_ and status:
            return Head(id=f"{kind}:{id_}:{status}", type=type_, occurred_at=at)
    return Head(id=body.id("event_id"), type=type_, occurred_at=at)


@skip_other_modes(square, ENVIRONMENT, context={"sandbox": {"environment": "sandbox"}})
def environment(event: Event) -> str:
    """Recognise sandbox events by the header that Square sends with each webhook."""
    return "sandbox" if event.headers.get("square-environment", "").strip().lower() == "sandbox" else "production"


@square.identity
def customer(event: Event) -> Identity:
    """Use the customer's id; for a guest the payment's, also on its refund and dispute.

    A customer's `reference_id` is the merchant's own.
    """
    kind, resource = event.body.text("data.type", ""), event_object(event)
    is_customer = kind == "customer"
    id_ = resource.id("id", "") if is_customer else resource.first("customer_id:id", "primary_recipient.customer_id:id")
    guest = resource.first("payment_id:id", "disputed_payment.payment_id:id")
    guest = guest or ("" if kind == "payment" else resource.id("order_id", "")) or event.body.id("data.id", "")
    return Identity(
        user_ids=(resource.id("reference_id", ""),) if is_customer else (),
        anonymous=first_id(customer=id_, payment=guest),
        external_ids=(ExternalId("square_customer_id", id_ or ""),),
        traits={
            "email": resource.opt.text("email_address" if is_customer else "buyer_email_address"),
            **name_traits(resource.opt.text("given_name"), resource.opt.text("family_name")),
            "phone": resource.opt.text("phone_number"),
        },
    )


def event_object(event: Event) -> Payload:
    """Return the object that `data.object` wraps under its own name, such as `payment` or `order_updated`."""
    wrapped = event.body.maybe("data.object")
    names = wrapped.value if isinstance(wrapped.value, dict) else {}
    name = next((name for name, value in names.items() if isinstance(value, dict)), "")
    return wrapped.maybe(name) if name else Payload({}, wrapped.path)


def amount(body: Payload, path: str) -> Decimal | None:
    """Return Square's Money, `{amount, currency}` in minor units, as an exact amount."""
    return body.opt.money(f"{path}.amount", f"{path}.currency")
