"""Customers become group, their requests track, members identify. https://linear.app/docs/customer-requests"""

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
_QUIET: Final = {"updatedAt", "bodyData", "archivedAt"}


@linear.on("Customer.create", "Customer.update")
def customer_known(event: Event) -> Iterator[Message]:
    """`externalIds` are the customer's ids in your own systems; they are a trait, since there may be several."""
    told = event.body.at("data")
    size = told.integer("size", None)
    lists = {"domains": _texts(told, "domains"), "external_ids": _texts(told, "externalIds")}
    yield group(
        told.id("id"),
        told.pick("name") | lists,
        employees=None if size is None else str(size),
        annual_revenue=told.decimal("revenue", None),
        status=told.text("status.displayName", None) or told.text("status.name", None),
        tier=told.text("tier.displayName", None) or told.text("tier.name", None),
        createdAt=told.iso("createdAt", None),
    )


def _texts(told: Payload, path: str) -> list[str] | None:
    """The texts of a list but the empty ones; None if there is no list."""
    return [text for entry in told.each(path) if (text := str(entry.value or "").strip())] if path in told else None


@linear.on("Customer.remove")
def customer_removed(event: Event) -> Iterator[Message]:
    yield track("Account Deleted", account_name=event.body.text("data.name", None))


@linear.on(*_REQUESTS)
def requested(event: Event) -> Iterator[Message]:
    """A customer's request, linked to the issue or project that would serve it. Never its text."""
    told = event.body.at("data")
    changed: list[str] | None = None
    if event.type == "CustomerNeed.update":
        was: Any = event.body.maybe("updatedFrom").value
        changed = sorted(name for name in was if isinstance(name, str) and name not in _QUIET)
        if not changed:
            raise Skip("no change but Linear's own book-keeping")
    yield track(
        _REQUESTS[event.type],
        request_id=told.id("id"),
        important=told.integer("priority", 0) > 0,
        customer_id=told.id("customerId", None) or told.id("customer", None),
        customer_name=told.text("customer.name", None),
        ticket_id=told.id("issueId", None) or told.id("issue", None),
        ticket_key=told.text("issue.identifier", None),
        subject=told.text("issue.title", None),
        project_id=told.id("projectId", None) or told.id("project", None),
        project_name=told.text("project.name", None),
        url=told.text("issue.url", None) or told.text("project.url", None),
        changed=changed,
    )


@linear.on("User.create", "User.update")
def member_known(event: Event) -> Iterator[Message]:
    told = event.body.at("data")
    if told.flag("app", False):
        raise Skip("an application's user, no person")
    yield identify(
        username=told.text("displayName", None),
        timezone=told.text("timezone", None),
        linear_active=told.flag("active", None),
        createdAt=told.iso("createdAt", None),
    )


@linear.on("User.remove")
def member_removed(event: Event) -> Iterator[Message]:
    if event.body.flag("data.app", False):
        raise Skip("an application's user, no person")
    yield track("Contact Deleted", contact_id=event.body.id("data.id"))


@linear.on("OAuthApp.revoked")
def application_revoked(event: Event) -> Iterator[Message]:
    body = event.body
    yield track("App Uninstalled", app_id=body.id("oauthClientId", None), account_id=body.id("organizationId"))
