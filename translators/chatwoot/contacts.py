"""Translate contacts to identify."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from translators.chatwoot.source import changes, chatwoot
from translators.kit import Event, Message, Skip, identify

_HOUSEKEEPING: Final = {"last_activity_at", "updated_at", "contact_type"}


@chatwoot.on("contact_created", "contact_updated")
def contact_known(event: Event) -> Iterator[Message]:
    contact, changed = event.body, changes(event.body)
    if changed and not set(changed) - _HOUSEKEEPING:
        raise Skip("only the contact's activity times changed")
    more = contact.maybe("additional_attributes")
    address = more.select("city:nonempty", "country:nonempty")
    company = more.opt.text("company_name")
    yield identify(
        {
            "avatar": contact.first("thumbnail", "avatar"),
            **more.select("description:text"),
            "address": address or None,
            "company": {"name": company} if company else None,
            "createdAt": contact.opt.when("created_at"),
        }
    )
