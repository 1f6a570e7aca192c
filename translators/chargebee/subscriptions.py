"""Subscriptions and trials."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.chargebee.source import chargebee
from translators.kit import Event, Message, Payload, Skip, track

_NAMES: Final = {
    "subscription_created": "Subscription Started",
    "subscription_changed": "Subscription Updated",
    "subscription_renewed": "Subscription Renewed",
    "subscription_cancellation_scheduled": "Subscription Cancellation Scheduled",
    "subscription_scheduled_cancellation_removed": "Subscription Cancellation Withdrawn",
    "subscription_cancelled": "Subscription Cancelled",
    "subscription_reactivated": "Subscription Resumed",
    "subscription_paused": "Subscription Paused",
    "subscription_resumed": "Subscription Resumed",
}


@chargebee.on(*_NAMES)
def subscription(event: Event) -> Iterator[Message]:
    record = event.body.object("content.subscription")
    if event.type == "subscription_created" and record.get("status") == "future":
        raise Skip("the subscription starts later; subscription_started reports it")
    if event.type == "subscription_cancelled" and _in_trial(record, event):
        yield track("Trial Ended", _trial(record))
    yield track(
        _NAMES[event.type],
        {
            **_describe(record),
            "reason": record.opt.text("cancel_reason"),
            "ends_at": record.opt.seconds("cancelled_at") if "cancel" in event.type else None,
        },
    )
    if event.type == "subscription_created" and record.get("status") == "in_trial":
        yield track("Trial Started", _trial(record))


@chargebee.on("subscription_started")
def subscription_started(event: Event) -> Iterator[Message]:
    record = event.body.object("content.subscription")
    yield track("Subscription Started", _describe(record))
    if record.get("status") == "in_trial":
        yield track("Trial Started", _trial(record))


@chargebee.on("subscription_activated")
def subscription_activated(event: Event) -> Iterator[Message]:
    record = event.body.object("content.subscription")
    if record.get("trial_end") is None:
        raise Skip("the subscription had no trial")
    yield track("Trial Ended", _trial(record))
    yield track("Trial Converted", _describe(record))


@chargebee.tracks({"subscription_trial_end_reminder": "Trial Ending"})
def trial_ending(event: Event) -> dict[str, Any]:
    return _trial(event.body.object("content.subscription"))


def _in_trial(record: Payload, event: Event) -> bool:
    trial_end = record.opt.seconds("trial_end")
    return trial_end is not None and record.seconds("cancelled_at", event.occurred_at) < trial_end


def _describe(record: Payload) -> dict[str, Any]:
    code = record.opt.text("currency_code")
    items = list(record.each("subscription_items"))
    plan = _plan(items)
    return {
        "subscription_id": record.id("id"),
        **record.select("status:text"),
        "plan_id": _plan_id(record, plan),
        "quantity": _quantity(plan, "quantity") or _quantity(record, "plan_quantity"),
        "amount": _unit_price(plan, "unit_price", code) or _unit_price(record, "plan_unit_price", code),
        "currency": code,
        "items": [_item(item, code) for item in items] if len(items) > 1 else None,
        **record.select(plan_interval="billing_period_unit:text", current_period_end="current_term_end:seconds"),
    }


def _plan(items: list[Payload]) -> Payload:
    """Return the item that is the plan, else the first; an empty one if there are no items."""
    return next((item for item in items if item.get("item_type") == "plan"), items[0] if items else Payload({}))


def _plan_id(record: Payload, plan: Payload) -> str | None:
    return plan.opt.id("item_price_id") or record.opt.id("plan_id")


def _item(item: Payload, code: str | None) -> dict[str, Any]:
    return {
        **item.select(plan_id="item_price_id:id", type="item_type:text"),
        "quantity": _quantity(item, "quantity"),
        "amount": _unit_price(item, "unit_price", code),
    }


def _quantity(holder: Payload, name: str) -> int | Decimal | None:
    """Return the quantity; a site with multi-decimal prices has it in `..._in_decimal`."""
    quantity = holder.opt.integer(name)
    return holder.opt.decimal(f"{name}_in_decimal") if quantity is None else quantity


def _unit_price(holder: Payload, name: str, code: str | None) -> Decimal | None:
    """Return the price of one; a site with multi-decimal prices gives it in the currency's major unit."""
    price = holder.opt.money(name, code=code)
    return holder.opt.decimal(f"{name}_in_decimal") if price is None else price


def _trial(record: Payload) -> dict[str, Any]:
    plan = _plan_id(record, _plan(list(record.each("subscription_items"))))
    return {
        "subscription_id": record.id("id"),
        "plan_id": plan,
        "trial_plan_name": plan,
        **record.select(trial_start_date="trial_start:seconds", trial_end_date="trial_end:seconds"),
    }
