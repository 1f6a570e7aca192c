"""Translate tickets. Their state is a word up to API 2.11, and an object with a category in later versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.intercom.source import PRIVATE, assignee_id, intercom, is_teammate, item_of, last_part, writer
from translators.kit import Event, Message, Payload, Skip, assigned, rating_fields, reply, ticket_event, track


def _state(value: Payload, path: str) -> str | None:
    state = value.get(path)
    return value.opt.text(f"{path}.category") if isinstance(state, dict) else value.opt.text(path)


@intercom.tracks({"ticket.created": "Ticket Created"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the ticket's properties."""
    item = item_of(event)
    return {
        **item.select(
            ticket_id="id:id!", ticket_number="ticket_id:id", subject="ticket_attributes._default_title_:text"
        ),
        "status": _state(item, "ticket_state"),
        "type": item.opt.text("ticket_type.name"),
        "assignee_id": assignee_id(item, "admin_assignee_id"),
        "team_id": assignee_id(item, "team_assignee_id"),
    }


def _part(event: Event) -> Payload:
    return last_part(event, "ticket_parts")


@intercom.tracks({"ticket.admin.assigned": "Ticket Assigned", "ticket.team.assigned": "Ticket Assigned"})
def ticket_assigned(event: Event) -> dict[str, Any]:
    return assigned(ticket(event))


@intercom.on("ticket.state.updated")
def ticket_state_updated(event: Event) -> Iterator[Message]:
    part = _part(event)
    now = _state(part, "ticket_state") or _state(item_of(event), "ticket_state")
    before = _state(part, "previous_ticket_state")
    name = ticket_event(before, now, {"resolved"})
    yield track(name, {**ticket(event), "status": now, "previous_status": before})


@intercom.on("ticket.contact.replied")
def ticket_answered_by_customer(event: Event) -> Iterator[Message]:
    part = _part(event)
    yield reply("customer", ticket(event) | part.select(message_id="id:id"), identity=writer(event, part))


@intercom.on("ticket.admin.replied")
def ticket_answered_by_agent(event: Event) -> Iterator[Message]:
    part = _part(event)
    author = part.maybe("author")
    if part.text("part_type", "") in PRIVATE:
        raise Skip("a private note")
    if author and not is_teammate(author):
        raise Skip("written by a bot or a workflow")
    agent = part.select(agent_id="author.id:id", agent_name="author.name:text", message_id="id:id")
    yield reply("agent", ticket(event) | agent)


@intercom.tracks({"ticket.attribute.updated": "Ticket Updated"})
def ticket_updated(event: Event) -> dict[str, Any]:
    changed = _part(event).opt.text("updated_attribute_data.attribute.label")
    return {**ticket(event), "changed": [changed or "attribute"]}


@intercom.tracks({"ticket.rating.provided": "Satisfaction Rated"})
def ticket_rated(event: Event) -> dict[str, Any]:
    item = item_of(event)
    rating = item.maybe("ticket_rating") or item.maybe("conversation_rating") or item.object("rating")
    return ticket(event) | rating_fields(rating.integer("rating"))
