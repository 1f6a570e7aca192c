"""Translate customers to group, their requests to track, and members to identify. https://linear.app/docs/customer-requests"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, group, identify
from translators.linear.source import linear

_SKIPPED: Final = {"updatedAt", "bodyData", "archivedAt"}


@linear.on("Customer.create", "Customer.update")
def customer_known(event: Event) -> Iterator[Message]:
    """Report a customer. `externalIds`, the ids in your own systems, are a trait, since there may be several."""
    customer = event.body.object("data")
    size = customer.opt.integer("size")
    yield group(
        customer.id("id"),
        {
            **customer.select("name"),
            "domains": _texts(customer, "domains"),
            "external_ids": _texts(customer, "externalIds"),
            "employees": None if size is None else str(size),
            "annual_revenue": customer.opt.decimal("revenue"),
            "status": customer.first("status.displayName", "status.name"),
            "tier": customer.first("tier.displayName", "tier.name"),
            "createdAt": customer.opt.iso("createdAt"),
        },
    )


def _texts(body: Payload, path: str) -> list[str] | None:
    """Return the non-empty texts of a list; None if there is no list."""
    return [text for entry in body.each(path) if (text := str(entry.value or "").strip())] if path in body else None


@linear.tracks({"Customer.remove": "Account Deleted"})
def customer_removed(event: Event) -> dict[str, Any]:
    return event.body.select(account_name="data.name:text")


@linear.tracks({
    "CustomerNeed.create": "Customer Request Created",
    "CustomerNeed.update": "Customer Request Updated",
    "CustomerNeed.remove": "Customer Request Removed",
})  # fmt: skip
def request(event: Event) -> dict[str, Any]:
    """Return a customer's request with its issue or project, without its text."""
    need = event.body.object("data")
    changed: list[str] | None = None
    if event.type == "CustomerNeed.update":
        was: Any = event.body.maybe("updatedFrom").value
        changed = sorted(name for name in was if isinstance(name, str) and name not in _SKIPPED)
        if not changed:
            raise Skip("only Linear's own bookkeeping changed")
    return {
        "request_id": need.id("id"),
        "important": need.integer("priority", 0) > 0,
        "customer_id": need.first("customerId:id", "customer:id"),
        "customer_name": need.opt.text("customer.name"),
        "ticket_id": need.first("issueId:id", "issue:id"),
        **need.select(ticket_key="issue.identifier:text", subject="issue.title:text"),
        "project_id": need.first("projectId:id", "project:id"),
        "project_name": need.opt.text("project.name"),
        "url": need.first("issue.url", "project.url"),
        "changed": changed,
    }


@linear.on("User.create", "User.update")
def member_known(event: Event) -> Iterator[Message]:
    user = event.body.object("data")
    if user.flag("app", False):
        raise Skip("the user of an application, not a person")
    traits = user.select(username="displayName:text", timezone="timezone:text", linear_active="active:flag")
    yield identify({**traits, "createdAt": user.opt.iso("createdAt")})


@linear.tracks({"User.remove": "Contact Deleted"})
def member_removed(event: Event) -> dict[str, Any]:
    if event.body.flag("data.app", False):
        raise Skip("the user of an application, not a person")
    return event.body.select(contact_id="data.id:id!")


@linear.tracks({"OAuthApp.revoked": "App Uninstalled"})
def application_revoked(event: Event) -> dict[str, Any]:
    return event.body.select(app_id="oauthClientId:id", account_id="organizationId:id!")
