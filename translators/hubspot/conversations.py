"""Translate threads of the conversations inbox. HubSpot sends neither the visitor nor a message's writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.hubspot.properties import value
from translators.hubspot.source import hubspot, record
from translators.kit import CLEAR, Event, Malformed, Message, Skip, track

_STATES: Final = {"OPEN": "Live Chat Conversation Reopened", "CLOSED": "Live Chat Conversation Ended"}


@hubspot.tracks({"conversation.creation": "Live Chat Conversation Started"})
def conversation(event: Event) -> dict[str, Any]:
    return {"conversation_id": record(event.body)}


@hubspot.tracks({"conversation.newMessage": "Live Chat Message Added"})
def message_added(event: Event) -> dict[str, Any]:
    """Report a message without its writer, since HubSpot does not send whether a visitor, agent or bot wrote it."""
    kind = event.body.text("messageType")
    if kind == "COMMENT":
        raise Skip("a private note")
    if kind != "MESSAGE":
        raise Malformed("$.messageType", "is neither MESSAGE nor COMMENT")
    return conversation(event) | event.body.select(message_id="messageId:id")


@hubspot.on("conversation.propertyChange")
def conversation_changed(event: Event) -> Iterator[Message]:
    name, new_value, thread = event.body.text("propertyName"), value(event.body), conversation(event)
    if name == "assignedTo":
        if new_value is CLEAR:
            raise Skip("the conversation was unassigned")
        yield track("Live Chat Conversation Assigned", {**thread, "assignee_id": new_value})
    elif name == "status" and new_value in _STATES:
        yield track(_STATES[new_value], {**thread, "status": new_value.lower()})
    else:
        raise Skip(f"the property {name} of a conversation is internal to your team")
