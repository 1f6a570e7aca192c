"""Translate conversations, which are live chat on every channel, and their ratings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.intercom.source import PRIVATE, assignee_id, intercom, is_teammate, item_of, last_part, writer
from translators.kit import Event, Message, Payload, Skip, assigned, rating_fields, reply, track


def _conversation(event: Event) -> dict[str, Any]:
    return item_of(event).select(
        conversation_id="id:id!", subject="source.subject:nonempty", status="state:text", channel="source.type:text",
        url="links.conversation_web:text",
    )  # fmt: skip


def _part(event: Event) -> Payload:
    return last_part(event, "conversation_parts")


def _agent(author: Payload) -> dict[str, Any]:
    return author.select(agent_id="id:id", agent_name="name:text") if is_teammate(author) else {}


@intercom.on("conversation.user.created")
def conversation_started(event: Event) -> Iterator[Message]:
    """Report the start and the first message, which has no notification of its own."""
    chat = _conversation(event) | {"message_id": _first(item_of(event))}
    yield track("Live Chat Conversation Started", {**chat, "author": "customer"})
    if chat.get("message_id"):
        yield reply("customer", chat, chat=True)


def _first(item: Payload) -> str | None:
    return item.first("source.id:id", "conversation_message.id:id")


@intercom.on("conversation.admin.single.created")
def conversation_started_by_agent(event: Event) -> Iterator[Message]:
    item = item_of(event)
    author = item.maybe("source.author") or item.maybe("conversation_message.author")
    if not is_teammate(author):
        raise Skip("started by a bot or a workflow")
    chat = _conversation(event) | _agent(author) | {"message_id": _first(item)}
    yield track("Live Chat Conversation Started", {**chat, "author": "agent"})
    if chat.get("message_id"):
        yield reply("agent", chat, chat=True)


@intercom.on("conversation.user.replied")
def message_sent(event: Event) -> Iterator[Message]:
    part = _part(event)
    chat = _conversation(event) | part.select(message_id="id:id")
    yield reply("customer", chat, chat=True, identity=writer(event, part))


@intercom.on("conversation.admin.replied")
def message_received(event: Event) -> Iterator[Message]:
    part = _part(event)
    author = part.maybe("author")
    if part.text("part_type", "") in PRIVATE:
        raise Skip("a private note")
    if not is_teammate(author):
        raise Skip("written by a bot or a workflow")
    yield reply("agent", _conversation(event) | _agent(author) | part.select(message_id="id:id"), chat=True)


@intercom.tracks(dict.fromkeys(
    ("conversation.admin.assigned", "conversation.admin.open.assigned"), "Live Chat Conversation Assigned"
))  # fmt: skip
def conversation_assigned(event: Event) -> dict[str, Any]:
    item = item_of(event)
    to = _part(event).maybe("assigned_to") or item.maybe("assignee")
    kind, id_, name = to.text("type", ""), to.opt.id("id"), to.opt.text("name")
    assignment = {
        "assignee_id": id_ if kind == "admin" else assignee_id(item, "admin_assignee_id"),
        "assignee_name": name if kind == "admin" else None,
        "team_id": id_ if kind == "team" else assignee_id(item, "team_assignee_id"),
        "team_name": name if kind == "team" else None,
    }
    return assigned(_conversation(event) | assignment, "conversation")


@intercom.tracks({"conversation.admin.closed": "Live Chat Conversation Ended"})
def conversation_ended(event: Event) -> dict[str, Any]:
    started = item_of(event).opt.when("created_at")
    lasted = int((event.occurred_at - started).total_seconds()) if started else None
    return {**conversation_reopened(event), "conversation_duration": lasted}


@intercom.tracks({"conversation.admin.opened": "Live Chat Conversation Reopened"})
def conversation_reopened(event: Event) -> dict[str, Any]:
    """Return the conversation and the teammate who acted."""
    return _conversation(event) | _agent(_part(event).maybe("author"))


@intercom.tracks({"conversation.admin.snoozed": "Live Chat Conversation Snoozed"})
def conversation_snoozed(event: Event) -> dict[str, Any]:
    return _conversation(event) | item_of(event).select("snoozed_until:when")


@intercom.tracks({"conversation.rating.added": "Satisfaction Rated"})
def conversation_rated(event: Event) -> dict[str, Any]:
    rating = item_of(event).object("conversation_rating")
    return _conversation(event) | rating_fields(rating.integer("rating")) | rating.select(agent_id="teammate.id:id")
