"""Subscriptions and trials, their schedules, and quotes.

A subscription starts when it is active or in trial; while `incomplete` it has not started. The meaning of an update
follows from `previous_attributes`, so one update may report several facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.stripe.items import describe_item, describe_items, items_of, period, plan_change, renewed
from translators.stripe.money import checkout_amounts
from translators.stripe.source import changed, event_object, own_time, previous, stripe

_RUNNING: Final = {"active", "trialing", "past_due", "unpaid", "paused"}
_NOT_STARTED: Final = {"incomplete", "incomplete_expired"}
_OVERDUE: Final = {"past_due", "unpaid"}
_TECHNICAL: Final = {
    "latest_invoice",
    "default_payment_method",
    "default_source",
    "metadata",
    "pending_update",
    "test_clock",
}


@stripe.on("customer.subscription.created")
def subscription_created(event: Event) -> Iterator[Message]:
    subscription = event_object(event)
    _skip_unless_started(subscription)
    yield from _started(subscription)


@stripe.on("customer.subscription.updated")
def subscription_updated(event: Event) -> Iterator[Message]:
    subscription, before = event_object(event), previous(event)
    _skip_unless_started(subscription)
    messages = list(_changes(event, subscription, before))
    if messages:
        yield from messages
        return
    names = sorted(set(before.value) - _TECHNICAL) if isinstance(before.value, dict) else []
    if not names:
        raise Skip("only technical fields of the subscription changed")
    yield track("Subscription Updated", {**describe(subscription), "changed": names})


@stripe.on("customer.subscription.deleted")
def subscription_deleted(event: Event) -> Iterator[Message]:
    subscription = event_object(event)
    _skip_unless_started(subscription)
    ended = subscription.opt.seconds("ended_at")
    trial_end = subscription.opt.seconds("trial_end")
    if trial_end is not None and (ended or event.occurred_at) < trial_end:
        yield track("Trial Ended", _trial(subscription), occurred_at=own_time(event, ended))
    yield track(
        "Subscription Cancelled",
        {
            **describe(subscription),
            **subscription.select("cancellation_details.reason:text", "cancellation_details.feedback:text"),
        },
        occurred_at=own_time(event, ended),
    )


@stripe.tracks(
    {
        "customer.subscription.paused": "Subscription Paused",
        "customer.subscription.resumed": "Subscription Resumed",
        "customer.subscription.pending_update_expired": "Subscription Update Expired",
    }
)
def subscription(event: Event) -> dict[str, Any]:
    return describe(event_object(event))


@stripe.tracks({"customer.subscription.trial_will_end": "Trial Ending"})
def trial_ending(event: Event) -> dict[str, Any]:
    return _trial(event_object(event))


def _skip_unless_started(subscription: Payload) -> None:
    if subscription.get("status") == "incomplete":
        raise Skip("the subscription has not started; customer.subscription.updated reports its start")
    if subscription.get("status") == "incomplete_expired":
        raise Skip("the subscription never started: its first payment was not made in time")


def _started(subscription: Payload) -> Iterator[Message]:
    yield track("Subscription Started", describe(subscription))
    if subscription.get("status") == "trialing":
        yield track("Trial Started", _trial(subscription))


def _changes(event: Event, now: Payload, before: Payload) -> Iterator[Message]:
    previous_status, status = before.opt.text("status"), now.opt.text("status")
    if previous_status in _NOT_STARTED and status in _RUNNING:
        yield from _started(now)
    elif previous_status and previous_status != "trialing" and status == "trialing":
        yield track("Trial Started", _trial(now))
    if previous_status == "trialing" and status != "trialing":
        yield track("Trial Ended", _trial(now), occurred_at=own_time(event, now.opt.seconds("trial_end")))
        if status == "active":
            yield track("Trial Converted", describe(now))
    if previous_status and previous_status != "past_due" and status == "past_due":
        yield track("Subscription Past Due", describe(now))
    if previous_status in _OVERDUE and status == "active":
        yield track("Subscription Recovered", {**describe(now), "previous_status": previous_status})
    if _scheduled(before) and not _scheduled(now):
        yield track("Subscription Cancellation Withdrawn", describe(now))
    elif (
        (changed(event, "cancel_at_period_end") or changed(event, "cancel_at"))
        and _scheduled(now)
        and not _scheduled(before)
    ):
        ends = now.opt.seconds("cancel_at") or period(now, "current_period_end")
        yield track("Subscription Cancellation Scheduled", {**describe(now), "ends_at": ends})
    if changed(event, "pause_collection"):
        paused = now.get("pause_collection") is not None
        yield track("Subscription Paused" if paused else "Subscription Resumed", describe(now))
    if (change := plan_change(now, before)) is not None:
        yield track("Subscription Plan Changed", describe(now) | change)
    if renewed(now, before) and previous_status != "trialing":
        yield track("Subscription Renewed", describe(now))


def _scheduled(subscription: Payload) -> bool:
    return subscription.get("cancel_at_period_end") is True or subscription.get("cancel_at") is not None


def describe(subscription: Payload) -> dict[str, Any]:
    """Return the properties of every subscription event."""
    return {
        "subscription_id": subscription.id("id"),
        **subscription.select("status:text"),
        **describe_items(subscription),
        "current_period_start": period(subscription, "current_period_start"),
        "current_period_end": period(subscription, "current_period_end"),
    }


def _trial(subscription: Payload) -> dict[str, Any]:
    """Describe the trial. https://segment.com/docs/connections/spec/b2b-saas/#trial-started"""
    plan = describe_item(items_of(subscription)[0], subscription)
    return {
        "subscription_id": subscription.id("id"),
        **subscription.select(trial_start_date="trial_start:seconds", trial_end_date="trial_end:seconds"),
        "trial_plan_name": plan["plan_name"] or plan["plan_id"],
        "plan_id": plan["plan_id"],
    }


@stripe.tracks(
    {
        "subscription_schedule.created": "Subscription Schedule Created",
        "subscription_schedule.updated": "Subscription Schedule Updated",
        "subscription_schedule.released": "Subscription Schedule Released",
        "subscription_schedule.canceled": "Subscription Schedule Cancelled",
        "subscription_schedule.completed": "Subscription Schedule Completed",
        "subscription_schedule.aborted": "Subscription Schedule Aborted",
        "subscription_schedule.expiring": "Subscription Schedule Expiring",
    }
)
def schedule(event: Event) -> dict[str, Any]:
    schedule = event_object(event)
    return {
        "subscription_schedule_id": schedule.id("id"),
        "subscription_id": schedule.first("subscription:id", "released_subscription:id"),
        **schedule.select("status:text"),
    }


@stripe.tracks(
    {
        "quote.created": "Quote Created",
        "quote.finalized": "Quote Sent",
        "quote.accepted": "Quote Accepted",
        "quote.canceled": "Quote Cancelled",
    }
)
def quote(event: Event) -> dict[str, Any]:
    quote = event_object(event)
    return {
        **checkout_amounts(quote),
        "quote_id": quote.id("id"),
        **quote.select(
            quote_number="number:text",
            status="status:text",
            expires_at="expires_at:seconds",
            subscription_id="subscription:id",
            invoice_id="invoice:id",
        ),
    }
