"""Conversations as tickets, and their messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.front.source import contact, conversation_of, event_of, front
from translators.kit import (
    Event,
    Identity,
    Message,
    Payload,
    Skip,
    assigned,
    full_name,
    opens_ticket,
    track,
)


def _ticket(event: Event) -> dict[str, Any]:
    conversation = conversation_of(event)
    return {
        "ticket_id": conversation.id("id"),
        "subject": conversation.first("subject"),
        "status": conversation.opt.text("status"),
        "tags": conversation.texts_of("tags", "name"),
        **_teammate("assignee", conversation.maybe("assignee")),
    }


def _teammate(role: str, teammate: Payload) -> dict[str, Any]:
    name = full_name(teammate.opt.text("first_name"), teammate.opt.text("last_name"))
    return {f"{role}_id": teammate.opt.id("id"), f"{role}_name": name}


@front.tracks({"reopen": "Ticket Reopened", "trash": "Ticket Deleted", "conversations_merged": "Ticket Merged"})
def conversation_changed(event: Event) -> dict[str, Any]:
    """Return the conversation and the teammate who acted, if it was not a rule."""
    front_event = event_of(event)
    if front_event.get("source._meta.type") != "teammate":
        return _ticket(event)
    return _ticket(event) | _teammate("agent", front_event.object("source.data"))


@front.tracks({"archive": "Ticket Solved"})
def archived(event: Event) -> dict[str, Any]:
    if event_of(event).get("source._meta.type") == "reminder":
        raise Skip("snoozed, not solved")
    return conversation_changed(event)


@front.tracks({"assign": "Ticket Assigned"})
def conversation_assigned(event: Event) -> dict[str, Any]:
    assignee = event_of(event).maybe("target.data") or conversation_of(event).maybe("assignee")
    return assigned(conversation_changed(event) | _teammate("assignee", assignee), "conversation")


_CHANGED: Final = {"tag": "tags", "untag": "tags", "move": "inbox", "restore": "trashed"}


@front.tracks(dict.fromkeys(_CHANGED, "Ticket Updated"))
def updated(event: Event) -> dict[str, Any]:
    return {**conversation_changed(event), "changed": [_CHANGED[event.type]]}


@front.on("inbound")
def message_came_in(event: Event) -> Iterator[Message]:
    """Report the customer's message. A person in copy may have written it, and not the conversation's recipient."""
    message, own = _message(event), contact(conversation_of(event).maybe("recipient"))
    senders = (contact(recipient) for recipient in message.each("recipients") if recipient.get("role") == "from")
    writer = next(filter(None, senders), None)
    if writer and own and writer.anonymous == own.anonymous:
        writer = None
    yield _created_or_replied(event, message, {"author": "customer"}, writer)


@front.on("outbound", "out_reply")
def message_went_out(event: Event) -> Iterator[Message]:
    message = _message(event)
    author = message.maybe("author")
    if not author:
        raise Skip("sent by a rule or through the API, or Front does not say by which teammate")
    yield _created_or_replied(event, message, {**_teammate("agent", author), "author": "agent"})


def _message(event: Event) -> Payload:
    front_event = event_of(event)
    path = "target.data" if "target" in front_event else "conversation.last_message"
    return front_event.object(path)


def _created_or_replied(
    event: Event, message: Payload, writing: dict[str, Any], writer: Identity | None = None
) -> Message:
    """Return the track of a message. Front has no event for a new conversation: its first message is as old as it."""
    opened = conversation_of(event).opt.seconds("created_at")
    is_first = event.type != "out_reply" and opens_ticket(opened, message.opt.seconds("created_at"))
    properties = _ticket(event) | {"message_id": message.id("id"), "channel": message.opt.text("type"), **writing}
    return track("Ticket Created" if is_first else "Ticket Replied", properties, identity=writer)


front.ignore("comment", "mention", because="a comment between teammates, not a customer action")
front.ignore("unassign", because="unassigned")
front.ignore("conversation_created", because="the inbound or outbound event of its first message reports it")
front.ignore("conversation_snoozed", because="snoozed, not solved")
front.ignore("reminder", "conversation_snooze_expired", because="the end of a snooze, not an action")
front.ignore("forward", because="forwarded to a person outside the conversation")
front.ignore("sending_error", "message_bounce_error", because="the e-mail provider reports what happens to an e-mail")
front.ignore(
    "link_added", "link_removed", "macro_triggered", "topic_identified", because="internal filing by your team"
)
