"""A subscription's items: their plans and changes, compared by item id and never by position.

Since Basil (2025-03-31) each item has its own billing period. Before 2016 a subscription had a plan and no items.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from translators.kit import Payload
from translators.stripe.money import code, unit_price


def items_of(subscription: Payload) -> list[Payload]:
    """Return the items, or the subscription itself as its only item if it lists none."""
    listing = subscription.maybe("items")
    items = list(listing.each("data")) if isinstance(listing.value, dict) else []
    return items or [subscription]


def describe_item(item: Payload, subscription: Payload) -> dict[str, Any]:
    """Describe the item's plan or price, at its place in any API version."""
    price = item.maybe("price") or item.maybe("plan") or subscription.maybe("plan")
    if not isinstance(price.value, dict):
        price = Payload({})
    product = price.maybe("product") if isinstance(price.get("product"), dict) else Payload({})
    return {
        "plan_id": price.opt.id("id"),
        "plan_name": price.first("nickname", "name") or product.opt.text("name"),
        "plan_interval": price.first("recurring.interval", "interval"),
        "plan_interval_count": price.opt.integer("recurring.interval_count") or price.opt.integer("interval_count"),
        "product_id": price.opt.id("product"),
        "amount": unit_price(price, "unit_amount", "amount", "unit_amount_decimal", "amount_decimal"),
        "currency": code(price) or code(subscription),
        "quantity": _quantity(item, subscription),
    }


def describe_items(subscription: Payload) -> dict[str, Any]:
    """Return the first item's plan, and all items in `items` if there are several."""
    items = items_of(subscription)
    first = describe_item(items[0], subscription)
    if len(items) == 1:
        return first
    listed = [{"item_id": _id(item)} | describe_item(item, Payload({})) for item in items]
    return {**first, "items": listed}


def _quantity(item: Payload, subscription: Payload) -> int | None:
    """Return the quantity, None for a metered item. An old subscription has it beside its plan."""
    quantity = item.opt.integer("quantity")
    return subscription.opt.integer("quantity") if quantity is None else quantity


def _id(item: Payload) -> str | None:
    return item.opt.id("id")


def plan_change(now: Payload, before: Payload) -> dict[str, Any] | None:
    """Return the items that were added, removed or changed in plan or quantity; None if there are none."""
    changes = list(_item_changes(now, before))
    if not changes:
        return None
    first = _id(items_of(now)[0])
    of_first = next((change for change in changes if change["item_id"] == first), {})
    previous = {name: value for name, value in of_first.items() if name.startswith("previous_")}
    replaced = [change for change in changes if change["change"] == "removed"]
    if len(changes) == 2 and of_first.get("change") == "added" and len(replaced) == 1:  # one item replaces another
        previous = {"previous_plan_id": replaced[0]["plan_id"], "previous_quantity": replaced[0]["quantity"]}
    return {**previous, "items_changed": changes}


def _item_changes(now: Payload, before: Payload) -> Iterator[dict[str, Any]]:
    if not isinstance(before.get("items.data"), list):
        yield from _item_change(items_of(now)[0], now, before, before)
        return
    old, new = _by_id(before), _by_id(now)
    for id_, item in new.items():
        if id_ in old:
            yield from _item_change(item, now, old[id_], before)
        else:
            yield _change("added", item, now)
    for id_, item in old.items():
        if id_ not in new:
            yield _change("removed", item, before)


def _by_id(subscription: Payload) -> dict[str, Payload]:
    """Return the items by id, or by position if an item has none."""
    items = subscription.maybe("items").each("data")
    return {_id(item) or str(position): item for position, item in enumerate(items)}


def _change(kind: str, item: Payload, subscription: Payload) -> dict[str, Any]:
    plan = describe_item(item, subscription)
    kept = ("plan_id", "plan_name", "product_id", "amount", "currency", "quantity")
    return {"item_id": _id(item), "change": kind, **{name: plan[name] for name in kept}}


def _item_change(item: Payload, now: Payload, old_item: Payload, before: Payload) -> Iterator[dict[str, Any]]:
    new, old = describe_item(item, now), describe_item(old_item, before)
    previous = {
        f"previous_{name}": old[name]
        for name in ("plan_id", "quantity")
        if old[name] is not None and old[name] != new[name]
    }
    if previous:
        kind = "plan" if "previous_plan_id" in previous else "quantity"
        yield _change(kind, item, now) | previous


def renewed(now: Payload, before: Payload) -> bool:
    """Return whether a new billing period began, of the subscription or of any item that it still has.

    A period that begins before the previous one ended is a changed billing date, not a renewal.
    """
    old = _by_id(before) if isinstance(before.get("items.data"), list) else {}
    kept = [(item, old[id_]) for id_, item in (_by_id(now) if old else {}).items() if id_ in old]
    return any(_next_period(new, last) for new, last in [(now, before), *kept])


def _next_period(now: Payload, before: Payload) -> bool:
    starts, previous_start = now.opt.seconds("current_period_start"), before.opt.seconds("current_period_start")
    if starts is None or previous_start is None or starts <= previous_start:
        return False
    previous_end = before.opt.seconds("current_period_end")
    return previous_end is None or starts >= previous_end


def period(subscription: Payload, name: str) -> datetime | None:
    """Return the start or end of the current period: of the subscription, or since Basil of its first item."""
    return subscription.opt.seconds(name) or items_of(subscription)[0].opt.seconds(name)
