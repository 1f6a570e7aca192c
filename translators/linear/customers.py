"""Translate customers to group, their requests to track, and members to identify. https://linear.app/docs/customer-requests"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, group, identify, track
from translators.linear.source import linear

_REQUESTS: Final = {
    "CustomerNeed.create": "Customer Request Created",
    "CustomerNeed.update": "Customer Request Updated",
    "CustomerNeed.remove": "Customer Request Removed",
}
_SKIPPED: Final = {"updatedAt", "bodyData", "archivedAt"}


@linear.on("Customer.create", "Customer.update")
def customer_known(event: Event) -> Iterator[Message]:
    """Report a customer. `externalIds`, the ids in your own systems, are a trait, since there may be several."""
    customer = event.body.object("data")
    size = customer.opt.integer("size")
    lists = {"domains": _texts(customer, "domains"), "external_ids": _texts(customer, "externalIds")}
    yield group(
        customer.id("id"),
        {
            **customer.select("name"),
            **lists,
            "employees": None if size is None else str(size),
            "annual_revenue": customer.opt.decimal("revenue"),
            "status": customer.opt.text("status.displayName") or customer.opt.text("status.name"),
            "tier": customer.opt.text("tier.displayName") or customer.opt.text("tier.name"),
            "createdAt": customer.opt.iso("createdAt"),
        },
    )


def _texts(body: Payload, path: str) -> list[str] | None:
    """Return the non-empty texts of a list; None if there is no list."""
    return [text for entry in body.each(path) if (text := str(entry.value or "").strip())] if path in body else None


@linear.on("Customer.remove")
def customer_removed(event: Event) -> Iterator[Message]:
    yield track("Account Deleted", {"account_name": event.body.opt.text("data.name")})


@linear.on(*_REQUESTS)
def requested(event: Event) -> Iterator[Message]:
    """Report a customer's request with its issue or project, without its text."""
    request = event.body.object("data")
    changed: list[str] | None = None
    if event.type == "CustomerNeed.update":
        was: Any = event.body.maybe("updatedFrom").value
        changed = sorted(name for name in was if isinstance(name, str) and name not in _SKIPPED)
        if not changed:
            raise Skip("only Linear's own bookkeeping changed")
    yield track(
        _REQUESTS[event.type],
        {
            "request_id": request.id("id"),
            "important": request.integer("priority", 0) > 0,
            "customer_id": request.opt.id("customerId") or request.opt.id("customer"),
            "customer_name": request.opt.text("customer.name"),
            "ticket_id": request.opt.id("issueId") or request.opt.id("issue"),
            **request.select(ticket_key="issue.identifier:text", subject="issue.title:text"),
            "project_id": request.opt.id("projectId") or request.opt.id("project"),
            "project_name": request.opt.text("project.name"),
            "url": request.opt.text("issue.url") or request.opt.text("project.url"),
            "changed": changed,
        },
    )


@linear.on("User.create", "User.update")
def member_known(event: Event) -> Iterator[Message]:
    user = event.body.object("data")
    if user.flag("app", False):
        raise Skip("the user of an application, not a person")
    yield identify(
        user.select(
            username="displayName:text",
            timezone="timezone:text",
            linear_active="active:flag",
            createdAt="createdAt:iso",
        )
    )


@linear.on("User.remove")
def member_removed(event: Event) -> Iterator[Message]:
    if event.body.flag("data.app", False):
        raise Skip("the user of an application, not a person")
    yield track("Contact Deleted", {"contact_id": event.body.id("data.id")})


@linear.on("OAuthApp.revoked")
def application_revoked(event: Event) -> Iterator[Message]:
    body = event.body
    yield track("App Uninstalled", {"app_id": body.opt.id("oauthClientId"), "account_id": body.id("organizationId")})
