"""Translate users to identify. https://developer.atlassian.com/cloud/jira/platform/webhooks/#user"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.jira.person import is_application, user_id
from translators.jira.source import jira
from translators.kit import Event, Malformed, Message, Payload, Skip, identify


@jira.on("user_created", "user_updated")
def user_known(event: Event) -> Iterator[Message]:
    yield identify(_user(event).select(timezone="timeZone:text", jira_active="active:flag"))


@jira.tracks({"user_deleted": "Contact Deleted"})
def user_deleted(event: Event) -> dict[str, Any]:
    return {"contact_id": user_id(_user(event))}


def _user(event: Event) -> Payload:
    user = event.body.object("user")
    if is_application(user):
        raise Skip("the user of an application, not a person")
    if user_id(user) is None:
        raise Malformed("$.user.accountId", "is missing, and so are key and name")
    return user
