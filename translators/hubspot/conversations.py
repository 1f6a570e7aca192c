"""Translate threads of the conversations inbox. HubSpot sends neither the visitor nor a message's writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from translators.hubspot.properties import value
from translators.hubspot.source import hubspot, record
from translators.kit import CLEAR, Event, Malformed, Message, Skip, track

_STATES: Final = {"OPEN": "Live Chat Conversation Reopened", "CLOSED": "Live Chat Conversation Ended"}


@hubspot.on("conversation.creation")
def conversation_started(event: Event) -> Iterator[Message]:
    yield track("Live Chat Conversation Started", {"conversation_id": record(event.body)})


@hubspot.on("conversation.newMessage")
def message_added(event: Event) -> Iterator[Message]:
    """Report a message without its writer, since HubSpot does not send whether a visitor, agent or bot wrote it."""
    kind = event.body.text("messageType")
    if kind == "COMMENT":
        raise Skip("a private note")
    if kind != "MESSAGE":
        raise Malformed("$.messageType", "is neither MESSAGE nor COMMENT")
    properties = {"conversation_id": record(event.body), "message_id": event.body.opt.id("messageId")}
    yield track("Live Chat Message Added", properties)


@hubspot.on("conversation.propertyChange")
def conversation_changed(event: Event) -> Iterator[Message]:
    body = event.body
    name, new_value, thread = body.text("propertyName"), value(body), {"conversation_id": record(body)}
    if name == "assignedTo":
        if new_value is CLEAR:
            raise Skip("the conversation was unassigned")
        yield track("Live Chat Conversation Assigned", {**thread, "assignee_id": new_value})
    elif name == "status" and new_value in _STATES:
        yield track(_STATES[new_value], {**thread, "status": new_value.lower()})
    else:
        raise Skip(f"the property {name} of a conversation is internal to your team")
