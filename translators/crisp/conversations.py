"""Translate conversations, messages and ratings to live chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.crisp.source import INITIATED, crisp
from translators.kit import Event, Message, Payload, Skip, assigned, rating_fields, reply


def _chat(event: Event) -> dict[str, Any]:
    return {
        "conversation_id": event.body.id("data.session_id"),
        "website_id": event.body.first("data.website_id:id", "website_id:id"),
        "inbox_id": event.body.opt.id("data.inbox_id"),
    }


@crisp.tracks({"session:request:initiated": "Live Chat Conversation Started"})
def conversation_started(event: Event) -> dict[str, Any]:
    if INITIATED.of(event) == "ignore":
        raise Skip(f"SEGUE_{event.source.upper()}_INITIATED is ignore")
    return _chat(event)


@crisp.on("message:send")
def message_sent(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    yield reply("customer", _message(event, data, "user"), chat=True)


@crisp.on("message:received")
def message_received(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    message, operator = _message(event, data, "operator"), data.maybe("user")
    if operator.get("type") == "website" or not operator.get("user_id"):
        raise Skip("written by a bot, a campaign or a plugin in the name of the website")
    agent = {"agent_id": operator.id("user_id"), "agent_name": operator.opt.text("nickname")}
    yield reply("agent", message | agent, chat=True)


def _message(event: Event, data: Payload, side: str) -> dict[str, Any]:
    """Return the properties of a message by a person."""
    kind = data.text("type")
    if kind in {"note", "event"}:
        raise Skip("a private note" if kind == "note" else "a line of the history")
    if data.flag("automated", False) or data.text("from", side) != side:
        raise Skip("written by a bot or a campaign")
    return {**_chat(event), "message_id": data.id("fingerprint"), "channel": data.opt.text("origin")}


@crisp.tracks({"session:set_routing": "Live Chat Conversation Assigned"})
def conversation_assigned(event: Event) -> dict[str, Any]:
    return assigned({**_chat(event), "assignee_id": event.body.opt.id("data.routing_id")}, "conversation")


@crisp.tracks({"session:set_state": "Live Chat Conversation Ended"})
def conversation_ended(event: Event) -> dict[str, Any]:
    state = event.body.text("data.state")
    if state != "resolved":
        raise Skip(f"{state}: Crisp does not send whether it was resolved before")
    return {**_chat(event), "status": state}


@crisp.tracks({"session:sync:rating": "Satisfaction Rated"})
def rated(event: Event) -> dict[str, Any]:
    return _chat(event) | rating_fields(event.body.integer("data.rating.stars"))
