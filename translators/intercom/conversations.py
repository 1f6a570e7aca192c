"""Translate conversations, which are live chat on every channel, and their ratings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.intercom.source import PRIVATE, assignee_id, intercom, is_teammate, item_of, writer
from translators.kit import Event, Message, Payload, Skip, track


def _conversation(event: Event) -> dict[str, Any]:
    item = item_of(event)
    return {
        "conversation_id": item.id("id"),
        "subject": item.opt.text("source.subject") or None,
        **item.select(status="state:text", channel="source.type:text", url="links.conversation_web:text"),
    }


def _part(event: Event) -> Payload:
    """Return the last part, which the notification is about."""
    parts = list(item_of(event).each("conversation_parts.conversation_parts"))
    return parts[-1] if parts else Payload({}, "$.data.item.conversation_parts.conversation_parts[0]")


def _agent(author: Payload) -> dict[str, Any]:
    return author.select(agent_id="id:id", agent_name="name:text") if is_teammate(author) else {}


@intercom.on("conversation.user.created")
def conversation_started(event: Event) -> Iterator[Message]:
    """Report the start and the first message, which has no notification of its own."""
    chat = _conversation(event) | {"message_id": _first(item_of(event))}
    yield track("Live Chat Conversation Started", {**chat, "author": "customer"})
    if chat.get("message_id"):
        yield track("Live Chat Message Sent", chat)


def _first(item: Payload) -> str | None:
    return item.opt.id("source.id") or item.opt.id("conversation_message.id")


@intercom.on("conversation.admin.single.created")
def conversation_started_by_agent(event: Event) -> Iterator[Message]:
    item = item_of(event)
    author = item.maybe("source.author") or item.maybe("conversation_message.author")
    if not is_teammate(author):
        raise Skip("started by a bot or a workflow")
    chat = _conversation(event) | _agent(author) | {"message_id": _first(item)}
    yield track("Live Chat Conversation Started", {**chat, "author": "agent"})
    if chat.get("message_id"):
        yield track("Live Chat Message Received", chat)


@intercom.on("conversation.user.replied")
def message_sent(event: Event) -> Iterator[Message]:
    part = _part(event)
    properties = _conversation(event) | {"message_id": part.opt.id("id")}
    yield track("Live Chat Message Sent", properties, identity=writer(event, part))


@intercom.on("conversation.admin.replied")
def message_received(event: Event) -> Iterator[Message]:
    part = _part(event)
    author = part.maybe("author")
    if part.text("part_type", "") in PRIVATE:
        raise Skip("a private note")
    if not is_teammate(author):
        raise Skip("written by a bot or a workflow")
    yield track(
        "Live Chat Message Received", {**_conversation(event), **_agent(author), "message_id": part.opt.id("id")}
    )


@intercom.on("conversation.admin.assigned", "conversation.admin.open.assigned")
def conversation_assigned(event: Event) -> Iterator[Message]:
    item = item_of(event)
    assigned = _part(event).maybe("assigned_to") or item.maybe("assignee")
    kind, id_ = assigned.text("type", ""), assigned.opt.id("id")
    team = id_ if kind == "team" else assignee_id(item, "team_assignee_id")
    assignee = id_ if kind == "admin" else assignee_id(item, "admin_assignee_id")
    if team is None and assignee is None:
        raise Skip("the conversation was unassigned")
    yield track(
        "Live Chat Conversation Assigned",
        {
            **_conversation(event),
            "assignee_id": assignee,
            "assignee_name": assigned.opt.text("name") if kind == "admin" else None,
            "team_id": team,
            "team_name": assigned.opt.text("name") if kind == "team" else None,
        },
    )


@intercom.on("conversation.admin.closed")
def conversation_ended(event: Event) -> Iterator[Message]:
    started = item_of(event).opt.when("created_at")
    lasted = int((event.occurred_at - started).total_seconds()) if started else None
    ended = _conversation(event) | _agent(_part(event).maybe("author"))
    yield track("Live Chat Conversation Ended", {**ended, "conversation_duration": lasted})


@intercom.on("conversation.admin.opened")
def conversation_reopened(event: Event) -> Iterator[Message]:
    yield track("Live Chat Conversation Reopened", _conversation(event) | _agent(_part(event).maybe("author")))


@intercom.on("conversation.admin.snoozed")
def conversation_snoozed(event: Event) -> Iterator[Message]:
    until = item_of(event).opt.when("snoozed_until")
    yield track("Live Chat Conversation Snoozed", {**_conversation(event), "snoozed_until": until})


@intercom.on("conversation.rating.added")
def conversation_rated(event: Event) -> Iterator[Message]:
    rating = item_of(event).object("conversation_rating")
    score = rating.integer("rating")
    teammate = rating.opt.id("teammate.id")
    yield track(
        "Satisfaction Rated", {**_conversation(event), "rating": str(score), "score": score, "agent_id": teammate}
    )
