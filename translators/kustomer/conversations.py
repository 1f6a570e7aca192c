"""Translate conversations and messages to tickets and live chat."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from translators.kit import (
    Event,
    Identity,
    Malformed,
    Message,
    Payload,
    Skip,
    rating_fields,
    reply,
    ticket_event,
    track,
)
from translators.kustomer.source import by_id, changes, kustomer, related


@kustomer.tracks({"kustomer.conversation.create": "Ticket Created"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the conversation's properties. Of several channels, agents or teams none is the ticket's."""
    data = event.body.object("data")
    attributes = data.object("attributes")
    return {
        "ticket_id": data.id("id"),
        **attributes.select(subject="name:text", status="status:text", priority="priority:id"),
        "channel": _only(attributes, "channels"),
        "assignee_id": _only(attributes, "assignedUsers"),
        "team_id": _only(attributes, "assignedTeams"),
    }


def _only(attributes: Payload, name: str) -> str | None:
    ids = _ids(attributes.get(name))
    return ids[0] if len(ids) == 1 else None


def _ids(value: Any) -> list[str]:
    return [id_ for id_ in value if isinstance(id_, str)] if isinstance(value, list) else []


@kustomer.on("kustomer.conversation.update")
def conversation_updated(event: Event) -> Iterator[Message]:
    """Report every fact: one save may assign, prioritise and close a conversation."""
    messages = [*_status(event), *_assigned(event), *_priority(event), *_rated(event), *_fields(event)]
    if not messages:
        raise Skip("only counters, times or internal fields changed")
    yield from messages


def _status(event: Event) -> Iterator[Message]:
    change = changes(event).maybe("status")
    if change:
        now, before = change.opt.text("after"), change.opt.text("before")
        properties = {**ticket(event), "status": now, "previous_status": before}
        yield track(ticket_event(before, now, {"done"}), properties)


def _assigned(event: Event) -> Iterator[Message]:
    """Report each new assignee and team. A removed assignment is not reported."""
    users, teams = _new(event, "assignedUsers"), _new(event, "assignedTeams")
    for number, (user, team) in enumerate(zip_longest(users, teams)):
        assignment = {name: id_ for name, id_ in (("assignee_id", user), ("team_id", team)) if id_}
        yield track("Ticket Assigned", ticket(event) | assignment, key=str(number) if number else "")


def _new(event: Event, name: str) -> list[str]:
    change = changes(event).maybe(name)
    before = _ids(change.get("before"))
    return [id_ for id_ in dict.fromkeys(_ids(change.get("after"))) if id_ not in before]


def _priority(event: Event) -> Iterator[Message]:
    change = changes(event).maybe("priority")
    if change:
        properties = change.select(priority="after:id", previous_priority="before:id")
        yield track("Ticket Priority Changed", ticket(event) | properties)


def _rated(event: Event) -> Iterator[Message]:
    """Report a rating. Sending a survey changes `satisfactionLevel` too, without a rating."""
    change = changes(event).maybe("satisfactionLevel")
    rating = change.opt.id("after.rating")
    if rating is not None and rating != change.opt.id("before.rating"):
        yield track("Satisfaction Rated", ticket(event) | rating_fields(change.integer("after.rating")))


_FIELDS: Final = {"name": "subject", "subStatus": "sub_status", "tags": "tags"}


def _fields(event: Event) -> Iterator[Message]:
    changed = [field for name, field in _FIELDS.items() if name in changes(event).value]
    changed += [name for name in ("brand", "queue") if name in changes(event, "relationships").value]
    if changed:
        yield track("Ticket Updated", {**ticket(event), "changed": changed})


@kustomer.on("kustomer.message.create")
def message_created(event: Event) -> Iterator[Message]:
    """Report a message by its direction. Messages of Kustomer and its bots have no agent and are skipped."""
    data = event.body.object("data")
    attributes = data.object("attributes")
    direction, chat = attributes.text("direction"), attributes.text("channel", "") == "chat"
    if direction not in {"in", "out"}:
        raise Malformed("$.data.attributes.direction", "is neither in nor out")
    if attributes.flag("auto", False):
        raise Skip("written by a workflow or a bot")
    if attributes.text("directionType", "").startswith("initial-") and not chat:
        raise Skip("the message that opened the conversation; kustomer.conversation.create reports it")
    properties = {
        "ticket_id": data.id("relationships.conversation.data.id"),
        "message_id": data.id("id"),
        "channel": attributes.opt.text("channel"),
    }
    if direction == "in":
        yield reply("customer", properties, chat=chat, identity=_writer(data))
    elif data.get("relationships.createdBy.data.type") != "user":
        raise Skip("written by no agent: a workflow, an assistant or the system")
    elif "errorAt" in attributes:
        raise Skip("a message that was not sent")
    else:
        yield reply("agent", {**properties, "agent_id": data.id("relationships.createdBy.data.id")}, chat=chat)


def _writer(data: Payload) -> Identity | None:
    """Return the customer who wrote, if it was not the conversation's own: a person in copy may reply."""
    kind, writer = data.get("relationships.createdBy.data.type"), related(data, "createdBy")
    if kind not in ("customer", "customers") or writer is None or writer == related(data, "customer"):
        return None
    return by_id(writer)
