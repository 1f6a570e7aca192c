"""Purchases with their subscriptions and trials, and refunds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, Payload, Skip, track
from translators.revenuecat.properties import describe, price, tax, trial
from translators.revenuecat.source import revenuecat


@revenuecat.on("INITIAL_PURCHASE")
def initial_purchase(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    at = purchase.opt.millis("purchased_at_ms")
    yield track("Subscription Started", describe(purchase), occurred_at=at)
    if purchase.get("period_type") == "TRIAL":
        yield track("Trial Started", trial(purchase), occurred_at=at)
    elif not _is_free(purchase):
        yield _order(purchase)


@revenuecat.on("RENEWAL")
def renewed(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    at = purchase.opt.millis("purchased_at_ms")
    if purchase.flag("is_trial_conversion", False):  # the first paid period is not a renewal
        yield track("Trial Ended", _converted_trial(purchase), occurred_at=at)
        yield track("Trial Converted", describe(purchase), occurred_at=at)
    else:
        yield track("Subscription Renewed", describe(purchase), occurred_at=at)
    if not _is_free(purchase):
        yield _order(purchase)


def _converted_trial(purchase: Payload) -> dict[str, Any]:
    """Describe a converted trial. The event's period is the paid one, which starts when the trial ended."""
    return purchase.select(
        subscription_id="original_transaction_id:id",
        trial_plan_name="product_id:id",
        trial_end_date="purchased_at_ms:millis",
    )


@revenuecat.on("NON_RENEWING_PURCHASE")
def one_time_purchase(event: Event) -> Iterator[Message]:
    purchase = event.body.object("event")
    if _is_free(purchase):
        raise Skip("not bought: granted by you, shared by a family member, or free")
    yield _order(purchase)


def _is_free(purchase: Payload) -> bool:
    """Return whether you granted the purchase, a family member bought it, or a store offer made it free."""
    granted = "PROMOTIONAL" in (purchase.get("store"), purchase.get("period_type"))
    return granted or purchase.flag("is_family_share", False) or price(purchase) == 0


def _order(purchase: Payload) -> Message:
    total, included = price(purchase), tax(purchase)
    return track(
        "Order Completed",
        {
            "order_id": purchase.opt.id("transaction_id"),
            "total": total,
            "tax": included,
            "revenue": total if total is None or included is None else total - included,
            "currency": purchase.opt.text("currency"),
            "products": [{"product_id": purchase.opt.id("product_id"), "price": total, "quantity": 1}],
            "store": purchase.opt.text("store"),
        },
        occurred_at=purchase.opt.millis("purchased_at_ms"),
    )


@revenuecat.on("CANCELLATION")
def cancelled(event: Event) -> Iterator[Message]:
    """Translate a switched-off auto-renewal, or a refund by the store."""
    purchase = event.body.object("event")
    reason, paid = purchase.first("cancel_reason"), price(purchase)
    if paid is not None and paid < 0:
        yield track("Order Refunded", {**_refund(purchase), "total": -paid})
        return
    yield track(
        "Subscription Cancellation Scheduled",
        {**describe(purchase), "reason": reason, **purchase.select(ends_at="expiration_at_ms:millis")},
    )


@revenuecat.tracks({"REFUND_REVERSED": "Refund Failed"})
def refund_reversed(event: Event) -> dict[str, Any]:
    """The store reversed a refund, so the order is paid again, as after a failed refund."""
    purchase = event.body.object("event")
    paid = price(purchase)
    return {**_refund(purchase), "amount": None if paid is None else abs(paid), "reason": "reversed"}


def _refund(purchase: Payload) -> dict[str, Any]:
    included = tax(purchase)
    return {
        **purchase.select(order_id="transaction_id:id", subscription_id="original_transaction_id:id"),
        "tax": None if included is None else abs(included),
        **purchase.select("currency:text", "store:text"),
    }
