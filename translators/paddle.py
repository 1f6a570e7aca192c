"""Paddle Billing -> Segment. https://developer.paddle.com/webhooks/overview

`transaction.completed` carries the revenue: by then Paddle has settled what `transaction.paid` reports as paid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacKvHeader,
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
    identify,
    json_call,
    skip_other_modes,
    to_iso,
    track,
)

ENVIRONMENT: Final = choice_option(
    "environment", "real events only, or those of Paddle's simulator too", ("live", "both"), "live"
)

paddle = Source(
    "paddle",
    title="Paddle",
    docs="https://developer.paddle.com/webhooks/overview",
    secret_help="Paddle > Developer tools > Notifications > your destination > Secret key (pdl_ntfset_...)",
    # https://developer.paddle.com/webhooks/signature-verification; its library allows 5 s, too short for slow networks
    scheme=HmacKvHeader(
        header="Paddle-Signature", delimiter=";", ts_key="ts", sig_key="h1", template="{ts}:{body}", tolerance=60
    ),
    options=[ENVIRONMENT],
)


@paddle.head
def head(item: Item) -> Head:
    """`evt_...` is the same on every retry; `notification_id` differs by destination."""
    return Head(
        id=item.body.id("event_id"),
        type=item.body.text("event_type"),
        occurred_at=item.body.iso("occurred_at", naive_is_utc=True),
    )


@skip_other_modes(paddle, ENVIRONMENT)
def environment(event: Event) -> str:
    """Simulated events sell nothing. https://developer.paddle.com/webhooks/simulator/test-webhooks"""
    ids = (event.body.get("event_id"), event.body.get("notification_id"))
    return "simulated" if any(isinstance(id_, str) and id_.startswith("ntfsim") for id_ in ids) else "live"


@paddle.context
def context(event: Event) -> Mapping[str, Any]:
    """With `environment = both`, `context.webhook.test` marks a simulated event."""
    return {} if environment(event) == "live" else {"test": True}


@paddle.identity
def customer(event: Event) -> Identity:
    """Use the customer's id (`ctm_...`); `custom_data` holds the merchant's own metadata."""
    data = event.body.object("data")
    is_customer = event.type.startswith("customer.")
    id_ = data.id("id", "") if is_customer else data.id("customer_id", "")
    return Identity(
        metadata=(data.texts("custom_data"),) if isinstance(data.get("custom_data"), dict) else (),
        anonymous=("customer", id_) if id_ else ("account", f"self:{event.source}"),
        external_ids=(ExternalId("paddle_customer_id", id_),),
        traits={name: data.opt.text(name) for name in ("email", "name")} if is_customer else {},
    )


@paddle.registration(
    Need("api_key", "PADDLE_API_KEY", "an API key that may write notification settings"),
    Need("environment", "PADDLE_ENVIRONMENT", "live or sandbox", False, "live"),
)
def register(at: Registering) -> Registered:
    """Create a destination. https://developer.paddle.com/api-reference/notification-settings/create-notification-setting"""
    setting = {"description": "Segue", "type": "url", "destination": at.url, "subscribed_events": list(at.types)}
    host = "sandbox-api.paddle.com" if at.values["environment"] == "sandbox" else "api.paddle.com"
    created = yield json_call("POST", f"https://{host}/notification-settings", bearer(at.values["api_key"]), setting)
    return created.text("data.endpoint_secret_key")


@paddle.on("customer.created", "customer.imported")
def customer_created(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    yield identify({"createdAt": data.opt.iso("created_at", naive_is_utc=True), "locale": data.opt.text("locale")})
    yield track("Customer Created", {"customer_id": data.id("id")})


@paddle.on("customer.updated")
def customer_updated(event: Event) -> Iterator[Message]:
    yield identify({"locale": event.body.opt.text("data.locale")})


@paddle.on("transaction.completed")
def completed(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    if data.get("origin") == "subscription_payment_method_change":
        raise Skip("a zero-value transaction: the customer changed the payment method")
    yield track("Order Completed", {**_order(data), "revenue": _net(data), "products": _products(data)})


@paddle.on("transaction.payment_failed")
def payment_failed(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    last_payment = next(data.each("payments"), Payload({}))
    yield track("Payment Failed", {**_order(data), "error_code": last_payment.opt.text("error_code")})


@paddle.on("transaction.past_due")
def past_due(event: Event) -> Iterator[Message]:
    yield track("Invoice Overdue", _order(event.body.object("data")))


@paddle.on("transaction.canceled")
def cancelled(event: Event) -> Iterator[Message]:
    yield track("Order Cancelled", _order(event.body.object("data")))


def _order(data: Payload) -> dict[str, Any]:
    code = data.opt.text("currency_code") or data.opt.text("details.totals.currency_code")
    totals = data.maybe("details.totals")
    return {
        "order_id": data.id("id"),
        **data.select("subscription_id:id", "invoice_id:id", "origin:text", "status:text"),
        "subtotal": _net(data),
        "discount": _minor(totals, "discount", code),
        "tax": _minor(totals, "tax", code),
        "total": _minor(totals, "total", code),
        "currency": code,
    }


def _net(data: Payload) -> Decimal | None:
    """Return the total with discounts and without tax."""
    code = data.opt.text("currency_code") or data.opt.text("details.totals.currency_code")
    totals = data.maybe("details.totals")
    return _subtract(_minor(totals, "total", code), _minor(totals, "tax", code))


def _subtract(whole: Decimal | None, part: Decimal | None) -> Decimal | None:
    return whole if whole is None or part is None else whole - part


def _minor(totals: Payload, name: str, code: str | None) -> Decimal | None:
    """Read an amount, which Paddle writes as minor units in text: `"5315"`."""
    value = totals.opt.decimal(name)
    return None if value is None or code is None else from_minor(int(value), code)


def _products(data: Payload) -> list[dict[str, Any]]:
    return [_product(item, item.maybe("price.unit_price")) for item in data.each("items")]


def _product(item: Payload, unit: Payload) -> dict[str, Any]:
    return {
        **item.select("price.product_id:id", sku="price.id:id", name="price.name:text", quantity="quantity:decimal"),
        "price": _minor(unit, "amount", unit.opt.text("currency_code")),
    }


_SUBSCRIPTION: Final = {
    "subscription.created": "Subscription Started",
    "subscription.imported": "Subscription Started",
    "subscription.updated": "Subscription Updated",
    "subscription.past_due": "Subscription Past Due",
    "subscription.paused": "Subscription Paused",
    "subscription.resumed": "Subscription Resumed",
    "subscription.canceled": "Subscription Cancelled",
}


@paddle.on(*_SUBSCRIPTION)
def subscription(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    change = data.maybe("scheduled_change")
    yield track(
        _SUBSCRIPTION[event.type],
        {
            **_subscription(data),
            "scheduled_change": change.opt.text("action"),
            "scheduled_at": change.opt.iso("effective_at", naive_is_utc=True),
        },
    )


@paddle.on("subscription.trialing")
def trialing(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    items = list(data.each("items"))
    item = next((item for item in items if "trial_dates" in item), items[0] if items else Payload({}))
    plan, dates = _item(item), item.maybe("trial_dates")
    starts = dates.opt.iso("starts_at", naive_is_utc=True)
    ends = dates.opt.iso("ends_at", naive_is_utc=True)
    yield track(
        "Trial Started",
        {
            "subscription_id": data.id("id"),
            "plan_id": plan.get("plan_id"),
            "trial_plan_name": plan.get("plan_name") or plan.get("plan_id"),
            "trial_start_date": to_iso(starts) if starts else None,
            "trial_end_date": to_iso(ends) if ends else None,
        },
    )


@paddle.on("subscription.activated")
def activated(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    if not any("trial_dates" in item for item in data.each("items")):
        raise Skip("a subscription without a trial; subscription.created reported its start")
    yield track("Trial Converted", _subscription(data))


def _subscription(data: Payload) -> dict[str, Any]:
    """Return the first item's plan, and all items in `items` if there are several."""
    items = [_item(item) for item in data.each("items")]
    return {
        "subscription_id": data.id("id"),
        "status": data.opt.text("status"),
        **(items[0] if items else _item(Payload({}))),
        "items": items if len(items) > 1 else None,
        "currency": data.opt.text("currency_code"),
        "next_billed_at": data.opt.iso("next_billed_at", naive_is_utc=True),
    }


def _item(item: Payload) -> dict[str, Any]:
    """Describe an item. A price may have no name; its internal description is always set."""
    unit = item.maybe("price.unit_price")
    return {
        "plan_id": item.opt.id("price.id"),
        "plan_name": item.opt.text("price.name") or item.opt.text("price.description") or None,
        **item.select(
            plan_interval="price.billing_cycle.interval:text",
            product_id="price.product_id:id",
            quantity="quantity:decimal",
        ),
        "amount": _minor(unit, "amount", unit.opt.text("currency_code")),
    }


_DISPUTE: Final = {"chargeback": "Dispute Opened", "chargeback_reverse": "Dispute Funds Reinstated"}


@paddle.on("adjustment.created")
def adjusted(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    action, code = data.text("action", ""), data.opt.text("currency_code")
    money = {
        "order_id": data.opt.id("transaction_id"),
        "total": _minor(data.maybe("totals"), "total", code),
        "currency": code,
        "reason": data.opt.text("reason"),
        "adjustment_id": data.id("id"),
    }
    if action == "refund":
        if data.text("status", "") != "approved":
            raise Skip("the refund waits for approval; adjustment.updated reports it")
        yield track("Order Refunded", {**money, "refund_id": money.get("adjustment_id")})
    elif action in _DISPUTE:
        yield track(_DISPUTE[action], {**money, "dispute_id": money.get("adjustment_id")})
    elif action.startswith("chargeback_warning"):
        raise Skip("a chargeback warning or its end; a chargeback has its own event")
    else:
        yield track("Credit Note Voided" if action == "credit_reverse" else "Credit Note Created", money)


@paddle.on("adjustment.updated")
def adjustment_decided(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    if data.text("action", "") != "refund" or data.text("status", "") != "approved":
        raise Skip("not an approved refund; other changes do not concern the customer")
    code = data.opt.text("currency_code")
    yield track(
        "Order Refunded",
        {
            "order_id": data.opt.id("transaction_id"),
            "total": _minor(data.maybe("totals"), "total", code),
            "currency": code,
            "reason": data.opt.text("reason"),
            "adjustment_id": data.id("id"),
            "refund_id": data.id("id"),
        },
    )


@paddle.on("payment_method.saved")
def method_saved(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    yield track("Payment Method Added", {"payment_method_id": data.id("id"), "payment_method": data.opt.text("type")})


@paddle.on("payment_method.deleted")
def method_deleted(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    yield track("Payment Method Removed", {"payment_method_id": data.id("id"), "payment_method": data.opt.text("type")})


@paddle.on("payout.created", "payout.paid")
def payout(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    code = data.opt.text("currency_code")
    name = "Payout Paid" if event.type == "payout.paid" else "Payout Created"
    yield track(name, {"payout_id": data.id("id"), "amount": _minor(data, "amount", code), "currency": code})


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
