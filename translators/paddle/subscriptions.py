"""Subscriptions and trials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, Payload, Skip, track
from translators.paddle.amounts import unit_price
from translators.paddle.source import paddle


@paddle.tracks(
    {
        "subscription.created": "Subscription Started",
        "subscription.imported": "Subscription Started",
        "subscription.updated": "Subscription Updated",
        "subscription.past_due": "Subscription Past Due",
        "subscription.paused": "Subscription Paused",
        "subscription.resumed": "Subscription Resumed",
        "subscription.canceled": "Subscription Cancelled",
    }
)
def subscription(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    change = data.select(
        scheduled_change="scheduled_change.action:text", scheduled_at="scheduled_change.effective_at:utc"
    )
    return {**_subscription(data), **change}


@paddle.tracks({"subscription.trialing": "Trial Started"})
def trialing(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    items = list(data.each("items"))
    item = next((item for item in items if "trial_dates" in item), items[0] if items else Payload({}))
    plan = _item(item)
    return {
        "subscription_id": data.id("id"),
        "plan_id": plan["plan_id"],
        "trial_plan_name": plan["plan_name"] or plan["plan_id"],
        **item.select(trial_start_date="trial_dates.starts_at:utc", trial_end_date="trial_dates.ends_at:utc"),
    }


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
        **data.select("status:text"),
        **(items[0] if items else {}),
        "items": items if len(items) > 1 else None,
        **data.select(currency="currency_code:text", next_billed_at="next_billed_at:utc"),
    }


def _item(item: Payload) -> dict[str, Any]:
    """Describe an item. A price may have no name; its internal description is always set."""
    return {
        "plan_id": item.opt.id("price.id"),
        "plan_name": item.first("price.name", "price.description"),
        **item.select(
            plan_interval="price.billing_cycle.interval:text",
            product_id="price.product_id:id",
            quantity="quantity:decimal",
        ),
        "amount": unit_price(item),
    }
