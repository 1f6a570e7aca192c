"""Purchases of an app in GitHub's Marketplace: plans, trials and their changes.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#marketplace_purchase
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from translators.github.events import github, identity
from translators.kit import Event, Identity, Message, Payload, from_minor, track


def _buyer(event: Event) -> Identity:
    """Return the buyer, with the billed account as group; the account itself if a bot reports the purchase."""
    account = event.body.object("marketplace_purchase.account")
    account_id = account.id("id")
    if event.body.get("sender.type") != "Bot":
        return replace(identity(event), group_id=account_id)
    kind = "user" if account.get("type") == "User" else "account"
    return Identity(anonymous=(kind, account_id), group_id=account_id)


def _plan(purchase: Payload) -> dict[str, Any]:
    """Return the plan and its price in US dollars for a cycle (of one unit, if it is sold by units)."""
    interval = {"monthly": "month", "yearly": "year"}.get(purchase.text("billing_cycle", ""))
    cents = purchase.opt.integer(f"plan.{interval}ly_price_in_cents") if interval else None
    return {
        **purchase.select(plan_id="plan.id:id", plan_name="plan.name:text"),
        "plan_interval": interval,
        "quantity": purchase.opt.integer("unit_count"),
        "amount": None if cents is None else from_minor(cents, "USD"),
        "currency": None if cents is None else "USD",
    }


def _purchase(event: Event) -> dict[str, Any]:
    purchase = event.body.object("marketplace_purchase")
    return {
        **_plan(purchase),
        "account_id": purchase.id("account.id"),
        **purchase.select(
            account_name="account.login:text",
            account_type="account.type:text",
            current_period_end="next_billing_date:text",
        ),
    }


def _trial(event: Event) -> Message:
    purchase = event.body.object("marketplace_purchase")
    ends = {"trial_end_date": purchase.opt.text("free_trial_ends_on")}
    plan = purchase.select(trial_plan_name="plan.name:text", plan_id="plan.id:id")
    return track("Trial Started", {**ends, **plan, "account_id": purchase.id("account.id")}, identity=_buyer(event))


@github.on("marketplace_purchase.purchased")
def purchased(event: Event) -> Iterator[Message]:
    """Report a new plan of your app: paid, free or in trial."""
    yield track("Subscription Started", _purchase(event), identity=_buyer(event))
    if event.body.flag("marketplace_purchase.on_free_trial", default=False):
        yield _trial(event)


@github.on("marketplace_purchase.changed")
def plan_changed(event: Event) -> Iterator[Message]:
    """Report another plan, cycle or number of units, or a trial that became a paid plan."""
    now, before = event.body.object("marketplace_purchase"), event.body.maybe("previous_marketplace_purchase")
    purchase, buyer = _purchase(event), _buyer(event)
    previous = {name: value for name, value in _plan(before).items() if value is not None and value != purchase[name]}
    converted = before.get("on_free_trial") is True and now.get("on_free_trial") is False
    if converted:
        yield track("Trial Converted", purchase, identity=buyer)
    if previous or not converted:
        name = "Subscription Plan Changed" if previous else "Subscription Updated"
        yield track(name, purchase | {f"previous_{field}": value for field, value in previous.items()}, identity=buyer)


@github.on("marketplace_purchase.cancelled")
def plan_cancelled(event: Event) -> Iterator[Message]:
    yield track("Subscription Cancelled", _purchase(event), identity=_buyer(event))


@github.on("marketplace_purchase.pending_change", "marketplace_purchase.pending_change_cancelled")
def change_scheduled(event: Event) -> Iterator[Message]:
    """Report a scheduled change of plan, or its withdrawal. The change itself has its own event."""
    withdrawn = event.type.endswith("_cancelled")
    yield track(
        "Subscription Updated",
        {
            "account_id": event.body.id("marketplace_purchase.account.id"),
            "scheduled_change": "withdrawn" if withdrawn else "plan",
            "scheduled_plan_id": None if withdrawn else event.body.opt.id("marketplace_purchase.plan.id"),
            "scheduled_plan_name": None if withdrawn else event.body.opt.text("marketplace_purchase.plan.name"),
            "scheduled_at": None if withdrawn else event.body.opt.when("effective_date"),
        },
        identity=_buyer(event),
    )
