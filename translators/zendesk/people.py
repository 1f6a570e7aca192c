"""Translate users to identify and organizations to group.

https://developer.zendesk.com/api-reference/webhooks/event-types/user-events/
https://developer.zendesk.com/api-reference/webhooks/event-types/organization-events/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, Skip, group, identify, real_name, track
from translators.zendesk.source import zendesk


@zendesk.on("user.created", "user.details_changed", "user.external_id_changed", "user.identity_changed",
            "user.identity_created", "user.identity_deleted")  # fmt: skip
def user_changed(event: Event) -> Iterator[Message]:
    yield identify({"createdAt": event.body.object("detail").opt.iso("created_at")})


@zendesk.on("user.name_changed")
def user_renamed(event: Event) -> Iterator[Message]:
    name = real_name(event.body.opt.text("event.current"))
    if name is None:
        raise Skip("a name that Zendesk generated, or no name")
    yield identify({"name": name})


@zendesk.on("user.active_changed", "user.suspended_changed")
def user_access_changed(event: Event) -> Iterator[Message]:
    yield identify({f"support_{event.type.split('.')[1].removesuffix('_changed')}": event.body.flag("event.current")})


@zendesk.tracks({"user.deleted": "Contact Deleted"})
def user_deleted(event: Event) -> dict[str, Any]:
    return event.body.select(contact_id="detail.id:id!")


@zendesk.on("user.organization_membership_created")
def organization_joined(event: Event) -> Iterator[Message]:
    organization = _membership(event)
    yield group(organization, {"name": event.body.opt.text("event.organization.name")})
    yield track("Account Added User", context={"groupId": organization})


@zendesk.on("user.organization_membership_deleted")
def organization_left(event: Event) -> Iterator[Message]:
    yield track("Account Removed User", context={"groupId": _membership(event)})


def _membership(event: Event) -> str:
    named = event.body.first("event.organization:id", "event.organization_id:id")
    return named or event.body.id("detail.organization_id")


@zendesk.on("organization.created", "organization.external_id_changed", "organization.name_changed")
def organization_changed(event: Event) -> Iterator[Message]:
    detail = event.body.object("detail")
    yield group(detail.id("id"), detail.select("name", "external_id", createdAt="created_at"))


@zendesk.tracks({"organization.deleted": "Account Deleted"})
def organization_deleted(event: Event) -> dict[str, Any]:
    return event.body.select(account_name="detail.name:text")
