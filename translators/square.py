"""Square -> Segment. https://developer.squareup.com/docs/webhooks/v2webhook-events-tech-ref

`payment.updated` with status COMPLETED means received money. Square sends it again for each later detail (a fee, a
receipt), so the key of a payment or refund is its id and status, and a repetition is a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacRequest,
    Identity,
    Item,
    Message,
    Need,
    Payload,
    Registered,
    Registering,
    Skip,
    Source,
    bearer,
    choice_option,
    from_minor,
    full_name,
    identify,
    json_call,
    skip_other_modes,
    track,
)

_LONGEST_DELAY: Final = timedelta(days=8)

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
    """`event_id` is the same on every retry. For a payment or refund only a new status is a new event."""
    body = item.body
    type_, at = body.text("type"), body.iso("created_at", naive_is_utc=True)
    kind = type_.partition(".")[0]
    if kind in {"payment", "refund"}:
        resource = body.maybe(f"data.object.{kind}")
        id_, status = resource.id("id", ""), resource.text("status", "")
        if id_ and status:
            return Head(id=f"{kind}:{id_}:{status}", type=type_, occurred_at=at)
    return Head(id=body.id("event_id"), type=type_, occurred_at=at)


def _time(body: Payload, path: str) -> datetime | None:
    """Return a time in UTC; some of Square's times have no zone. https://developer.squareup.com/docs/build-basics/common-data-types/working-with-dates"""
    return body.opt.iso(path, naive_is_utc=True)


@skip_other_modes(square, ENVIRONMENT)
def environment(event: Event) -> str:
    """Recognise sandbox events by the header that Square sends with each webhook."""
    return "sandbox" if event.headers.get("square-environment", "").strip().lower() == "sandbox" else "production"


@square.context
def context(event: Event) -> Mapping[str, Any]:
    """With `environment = both`, `context.webhook.environment` marks a sandbox event."""
    return {} if environment(event) == "production" else {"environment": environment(event)}


@square.identity
def customer(event: Event) -> Identity:
    """Use the customer's id; for a guest the payment's, also on its refund and dispute.

    A customer's `reference_id` is the merchant's own.
    """
    kind = event.body.text("data.type", "")
    resource = _resource(event)
    is_customer = kind == "customer"
    id_ = (
        resource.id("id", "")
        if is_customer
        else resource.id("customer_id", "") or resource.id("primary_recipient.customer_id", "")
    )
    guest = resource.id("payment_id", "") or resource.id("disputed_payment.payment_id", "")
    guest = guest or (resource.id("order_id", "") if kind != "payment" else "") or event.body.id("data.id", "")
    first, last = resource.opt.text("given_name"), resource.opt.text("family_name")
    return Identity(
        user_ids=(resource.id("reference_id", ""),) if is_customer else (),
        anonymous=("customer", id_) if id_ else ("payment", guest) if guest else None,
        external_ids=(ExternalId("square_customer_id", id_),),
        traits={
            "email": resource.opt.text("email_address") if is_customer else resource.opt.text("buyer_email_address"),
            "firstName": first,
            "lastName": last,
            "name": full_name(first, last),
            "phone": resource.opt.text("phone_number"),
        },
    )


def _resource(event: Event) -> Payload:
    """Return the object that `data.object` wraps under its own name, such as `payment` or `order_updated`."""
    wrapped = event.body.maybe("data.object")
    names = wrapped.value if isinstance(wrapped.value, dict) else {}
    name = next((name for name, value in names.items() if isinstance(value, dict)), "")
    return wrapped.maybe(name) if name else Payload({}, wrapped.path)


@square.registration(
    Need("access_token", "SQUARE_ACCESS_TOKEN", "the application's personal access token, not an OAuth token"),
    Need("environment", "SQUARE_ENVIRONMENT", "production or sandbox", False, "production"),
)
def register(at: Registering) -> Registered:
    """Subscribe. https://developer.squareup.com/reference/square/webhook-subscriptions-api/create-webhook-subscription"""
    host = "connect.squareupsandbox.com" if at.values["environment"] == "sandbox" else "connect.squareup.com"
    subscription = {"name": "Segue", "enabled": True, "event_types": list(at.types), "notification_url": at.url}
    body = {"idempotency_key": at.secret, "subscription": subscription}
    created = yield json_call(
        "POST", f"https://{host}/v2/webhooks/subscriptions", bearer(at.values["access_token"]), body
    )
    return created.text("subscription.signature_key")


@square.on("payment.created", "payment.updated")
def payment(event: Event) -> Iterator[Message]:
    resource = _resource(event)
    status = resource.text("status", "")
    properties = _payment(resource)
    if status == "COMPLETED":
        if _is_later_detail(event, resource):
            raise Skip("a later detail of a payment that was completed before")
        total, tip = properties.get("amount"), _money(resource, "tip_money")
        yield track(
            "Order Completed",
            {
                "order_id": properties.get("order_id"),
                "square_order_id": properties["square_order_id"],
                "payment_id": properties["payment_id"],
                "total": _money(resource, "total_money"),
                "revenue": total,
                "tip": tip,
                "currency": properties.get("currency"),
                "payment_method": properties["payment_method"],
            },
        )
    elif status == "APPROVED":
        yield track("Payment Authorized", properties)
    elif status == "FAILED":
        yield track("Payment Failed", properties)
    elif status == "CANCELED":
        yield track("Payment Cancelled", properties)
    else:
        raise Skip("the payment is still pending")


def _is_later_detail(event: Event, resource: Payload) -> bool:
    """Return whether the payment has a refund (which has its own event) or is older than any that waits for capture.

    https://developer.squareup.com/docs/payments-api/take-payments/card-payments/delayed-capture: seven days at most
    """
    created_at = _time(resource, "created_at")
    return bool(resource.get("refund_ids")) or (
        created_at is not None and event.occurred_at - created_at > _LONGEST_DELAY
    )


@square.on("refund.created", "refund.updated")
def refund(event: Event) -> Iterator[Message]:
    resource = _resource(event)
    status = resource.text("status", "")
    properties = {
        **resource.select(order_id="payment_id:id", payment_id="payment_id:id"),
        "refund_id": resource.id("id"),
        "total": _money(resource, "amount_money"),
        **resource.select("amount_money.currency:text", "reason:text"),
    }
    if status == "COMPLETED":
        yield track("Order Refunded", properties)
    elif status in {"FAILED", "REJECTED"}:
        yield track("Refund Failed", properties)
    else:
        raise Skip("the refund is still pending")


@square.on("customer.created")
def customer_created(event: Event) -> Iterator[Message]:
    yield identify({"company": _company(event), "createdAt": _time(_resource(event), "created_at")})
    yield track("Customer Created", {"customer_id": event.body.id("data.id")})


@square.on("customer.updated")
def customer_updated(event: Event) -> Iterator[Message]:
    yield identify({"company": _company(event)})


@square.on("customer.deleted")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Customer Deleted", {"customer_id": event.body.id("data.id")})


def _company(event: Event) -> dict[str, str] | None:
    name = _resource(event).opt.text("company_name")
    return {"name": name} if name else None


_INVOICE: Final = {
    "invoice.created": "Invoice Created",
    "invoice.published": "Invoice Sent",
    "invoice.payment_made": "Invoice Paid",
    "invoice.canceled": "Invoice Voided",
    "invoice.scheduled_charge_failed": "Invoice Payment Failed",
}


@square.on(*_INVOICE)
def invoice(event: Event) -> Iterator[Message]:
    """Sum the payment requests: an invoice may be due in several (a deposit, instalments)."""
    resource = _resource(event)
    requests = list(resource.each("payment_requests"))
    is_partial = event.type == "invoice.payment_made" and resource.get("status") == "PARTIALLY_PAID"
    yield track(
        "Invoice Partially Paid" if is_partial else _INVOICE[event.type],
        {
            "invoice_id": resource.id("id"),
            **resource.select("invoice_number:text", square_order_id="order_id:id", status="status:text"),
            "total": _sum(requests, "computed_amount_money"),
            "amount_paid": _sum(requests, "total_completed_amount_money"),
            "currency": next((request.opt.text("computed_amount_money.currency") for request in requests), None),
        },
    )


def _sum(requests: list[Payload], name: str) -> Decimal | None:
    amounts = [amount for request in requests if (amount := _money(request, name)) is not None]
    return sum(amounts, Decimal(0)) if amounts else None


_SUBSCRIPTION: Final = {"subscription.created": "Subscription Started", "subscription.updated": "Subscription Updated"}


@square.on(*_SUBSCRIPTION)
def subscription(event: Event) -> Iterator[Message]:
    resource = _resource(event)
    status = resource.opt.text("status")
    name = {"CANCELED": "Subscription Cancelled", "PAUSED": "Subscription Paused"}.get(
        status or "", _SUBSCRIPTION[event.type]
    )
    yield track(
        name,
        {
            "subscription_id": resource.id("id"),
            "status": status,
            "plan_id": resource.opt.id("plan_variation_id") or resource.opt.id("plan_id"),
        },
    )


_DISPUTE: Final = {"dispute.created": "Dispute Opened", "dispute.state.updated": "Dispute Updated"}


@square.on(*_DISPUTE)
def dispute(event: Event) -> Iterator[Message]:
    resource = _resource(event)
    state = resource.opt.text("state")
    closed = state in {"WON", "LOST", "ACCEPTED"}
    yield track(
        "Dispute Closed" if closed else _DISPUTE[event.type],
        {
            "dispute_id": resource.opt.id("dispute_id") or resource.id("id"),
            **resource.select(order_id="disputed_payment.payment_id:id", payment_id="disputed_payment.payment_id:id"),
            "amount": _money(resource, "amount_money"),
            **resource.select("amount_money.currency:text", "reason:text"),
            "status": state,
            "outcome": state.lower() if closed and state else None,
        },
    )


def _payment(resource: Payload) -> dict[str, Any]:
    """Use the payment's id as order id: Square creates another order for each refund.

    https://developer.squareup.com/docs/refunds-api/webhooks
    """
    return {
        "payment_id": resource.id("id"),
        "order_id": resource.id("id"),
        "square_order_id": resource.opt.id("order_id"),
        "amount": _money(resource, "amount_money"),
        **resource.select("amount_money.currency:text", payment_method="source_type:text", status="status:text"),
    }


def _money(resource: Payload, name: str) -> Decimal | None:
    """Return Square's Money, `{amount, currency}` in minor units, as a decimal amount."""
    amount, code = resource.opt.integer(f"{name}.amount"), resource.opt.text(f"{name}.currency")
    return None if amount is None or code is None else from_minor(amount, code)


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
