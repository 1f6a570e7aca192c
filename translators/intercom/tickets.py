"""Translate tickets. Their state is a word up to API 2.11, and an object with a category in later versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.intercom.source import PRIVATE, assignee_id, intercom, is_teammate, item_of, writer
from translators.kit import Event, Message, Payload, Skip, track


def _state(value: Payload, path: str) -> str | None:
    state = value.get(path)
    return value.opt.text(f"{path}.category") if isinstance(state, dict) else value.opt.text(path)


def _ticket(event: Event) -> dict[str, Any]:
    item = item_of(event)
    return {
        "ticket_id": item.id("id"),
        **item.select(ticket_number="ticket_id:id", subject="ticket_attributes._default_title_:text"),
        "status": _state(item, "ticket_state"),
        "type": item.opt.text("ticket_type.name"),
        "assignee_id": assignee_id(item, "admin_assignee_id"),
        "team_id": assignee_id(item, "team_assignee_id"),
    }


def _part(event: Event) -> Payload:
    """Return the last part, which the notification is about."""
    parts = list(item_of(event).each("ticket_parts.ticket_parts"))
    return parts[-1] if parts else Payload({}, "$.data.item.ticket_parts.ticket_parts[0]")


@intercom.on("ticket.created")
def ticket_created(event: Event) -> Iterator[Message]:
    yield track("Ticket Created", _ticket(event))


@intercom.on("ticket.admin.assigned", "ticket.team.assigned")
def ticket_assigned(event: Event) -> Iterator[Message]:
    ticket = _ticket(event)
    if ticket.get("assignee_id") is None and ticket.get("team_id") is None:
        raise Skip("the ticket was unassigned")
    yield track("Ticket Assigned", ticket)


@intercom.on("ticket.state.updated")
def ticket_state_updated(event: Event) -> Iterator[Message]:
    part = _part(event)
    now = _state(part, "ticket_state") or _state(item_of(event), "ticket_state")
    before = _state(part, "previous_ticket_state")
    name = "Ticket Status Changed"
    if now == "resolved" and before != "resolved":
        name = "Ticket Solved"
    elif before == "resolved" and now != "resolved":
        name = "Ticket Reopened"
    yield track(name, {**_ticket(event), "status": now, "previous_status": before})


@intercom.on("ticket.contact.replied")
def ticket_answered_by_customer(event: Event) -> Iterator[Message]:
    part = _part(event)
    properties = _ticket(event) | {"message_id": part.opt.id("id")}
    yield track("Ticket Replied", {**properties, "author": "customer"}, identity=writer(event, part))


@intercom.on("ticket.admin.replied")
def ticket_answered_by_agent(event: Event) -> Iterator[Message]:
    part = _part(event)
    author = part.maybe("author")
    if part.text("part_type", "") in PRIVATE:
        raise Skip("a private note")
    if author and not is_teammate(author):
        raise Skip("written by a bot or a workflow")
    agent, name = author.opt.id("id"), author.opt.text("name")
    properties = _ticket(event) | {"agent_id": agent, "agent_name": name, "message_id": part.opt.id("id")}
    yield track("Ticket Replied", {**properties, "author": "agent"})


@intercom.on("ticket.attribute.updated")
def ticket_updated(event: Event) -> Iterator[Message]:
    changed = _part(event).opt.text("updated_attribute_data.attribute.label")
    yield track("Ticket Updated", {**_ticket(event), "changed": [changed or "attribute"]})


@intercom.on("ticket.rating.provided")
def ticket_rated(event: Event) -> Iterator[Message]:
    item = item_of(event)
    rating = item.maybe("ticket_rating") or item.maybe("conversation_rating") or item.object("rating")
    score = rating.integer("rating")
    yield track("Satisfaction Rated", {**_ticket(event), "rating": str(score), "score": score})
