"""Your app: its installations, and its purchases in GitHub's Marketplace with plans, trials and their changes.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#marketplace_purchase
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from translators.github.source import github, identity
from translators.kit import Event, Identity, Message, Payload, track


@github.tracks({"installation.created": "App Installed", "installation.deleted": "App Uninstalled"})
def installation(event: Event) -> dict[str, Any]:
    return event.body.object("installation").select(
        installation_id="id:id!",
        app_id="app_id:id",
        app_name="app_slug:text",
        account_id="account.id:id",
        account_name="account.login:text",
        account_type="account.type:text",
    )


def buyer(event: Event) -> Identity:
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
    amount = purchase.money(f"plan.{interval}ly_price_in_cents", code="USD") if interval else None
    return {
        **purchase.select(plan_id="plan.id:id", plan_name="plan.name:text"),
        "plan_interval": interval,
        "quantity": purchase.opt.integer("unit_count"),
        "amount": amount,
        "currency": None if amount is None else "USD",
    }


@github.tracks({"marketplace_purchase.cancelled": "Subscription Cancelled"}, identity=buyer)
def purchase(event: Event) -> dict[str, Any]:
    bought = event.body.object("marketplace_purchase")
    return {
        **_plan(bought),
        **bought.select(
            account_id="account.id:id!",
            account_name="account.login:text",
            account_type="account.type:text",
            current_period_end="next_billing_date:text",
        ),
    }


@github.on("marketplace_purchase.purchased")
def purchased(event: Event) -> Iterator[Message]:
    """Report a new plan of your app: paid, free or in trial."""
    bought = event.body.object("marketplace_purchase")
    yield track("Subscription Started", purchase(event), identity=buyer(event))
    if bought.flag("on_free_trial", default=False):
        trial = bought.select(
            trial_end_date="free_trial_ends_on:text",
            trial_plan_name="plan.name:text",
            plan_id="plan.id:id",
            account_id="account.id:id",
        )
        yield track("Trial Started", trial, identity=buyer(event))


@github.on("marketplace_purchase.changed")
def plan_changed(event: Event) -> Iterator[Message]:
    """Report another plan, cycle or number of units, or a trial that became a paid plan."""
    now, before = event.body.object("marketplace_purchase"), event.body.maybe("previous_marketplace_purchase")
    properties, customer = purchase(event), buyer(event)
    previous = {
        f"previous_{name}": value for name, value in _plan(before).items() if value not in (None, properties.get(name))
    }
    converted = before.get("on_free_trial") is True and now.get("on_free_trial") is False
    if converted:
        yield track("Trial Converted", properties, identity=customer)
    if previous or not converted:
        name = "Subscription Plan Changed" if previous else "Subscription Updated"
        yield track(name, properties | previous, identity=customer)


@github.tracks(
    {
        "marketplace_purchase.pending_change": "Subscription Updated",
        "marketplace_purchase.pending_change_cancelled": "Subscription Updated",
    },
    identity=buyer,
)
def change_scheduled(event: Event) -> dict[str, Any]:
    """Report a scheduled change of plan, or its withdrawal. The change itself has its own event."""
    account = {"account_id": event.body.id("marketplace_purchase.account.id")}
    if event.type.endswith("_cancelled"):
        return account | {"scheduled_change": "withdrawn"}
    plan = event.body.select(
        scheduled_plan_id="marketplace_purchase.plan.id:id",
        scheduled_plan_name="marketplace_purchase.plan.name:text",
        scheduled_at="effective_date:when",
    )
    return {**account, "scheduled_change": "plan", **plan}
