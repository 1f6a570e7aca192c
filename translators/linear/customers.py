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
    size = customer.integer("size", None)
    lists = {"domains": _texts(customer, "domains"), "external_ids": _texts(customer, "externalIds")}
    yield group(
        customer.id("id"),
        {
            **customer.pick("name"),
            **lists,
            "employees": None if size is None else str(size),
            "annual_revenue": customer.decimal("revenue", None),
            "status": customer.text("status.displayName", None) or customer.text("status.name", None),
            "tier": customer.text("tier.displayName", None) or customer.text("tier.name", None),
            "createdAt": customer.iso("createdAt", None),
        },
    )


def _texts(body: Payload, path: str) -> list[str] | None:
    """Return the non-empty texts of a list; None if there is no list."""
    return [text for entry in body.each(path) if (text := str(entry.value or "").strip())] if path in body else None


@linear.on("Customer.remove")
def customer_removed(event: Event) -> Iterator[Message]:
    yield track("Account Deleted", {"account_name": event.body.text("data.name", None)})


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
            "customer_id": request.id("customerId", None) or request.id("customer", None),
            "customer_name": request.text("customer.name", None),
            "ticket_id": request.id("issueId", None) or request.id("issue", None),
            "ticket_key": request.text("issue.identifier", None),
            "subject": request.text("issue.title", None),
            "project_id": request.id("projectId", None) or request.id("project", None),
            "project_name": request.text("project.name", None),
            "url": request.text("issue.url", None) or request.text("project.url", None),
            "changed": changed,
        },
    )


@linear.on("User.create", "User.update")
def member_known(event: Event) -> Iterator[Message]:
    user = event.body.object("data")
    if user.flag("app", False):
        raise Skip("the user of an application, not a person")
    yield identify(
        {
            "username": user.text("displayName", None),
            "timezone": user.text("timezone", None),
            "linear_active": user.flag("active", None),
            "createdAt": user.iso("createdAt", None),
        }
    )


@linear.on("User.remove")
def member_removed(event: Event) -> Iterator[Message]:
    if event.body.flag("data.app", False):
        raise Skip("the user of an application, not a person")
    yield track("Contact Deleted", {"contact_id": event.body.id("data.id")})


@linear.on("OAuthApp.revoked")
def application_revoked(event: Event) -> Iterator[Message]:
    body = event.body
    yield track("App Uninstalled", {"app_id": body.id("oauthClientId", None), "account_id": body.id("organizationId")})
