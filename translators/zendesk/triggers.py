"""Translate trigger webhooks, whose body is the template of docs/sources/zendesk.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import BLANK, Event, Identity, Malformed, Message, Payload, Skip, filled, track
from translators.zendesk.source import id_of, person, zendesk
from translators.zendesk.tickets import lower, score


def _ticket(event: Event) -> dict[str, Any]:
    body = filled(event.body, blank=BLANK)
    properties = body.select(
        "ticket.subject", ticket_id="ticket.id", url="ticket.url", assignee_id="assignee.id",
        assignee_name="assignee.name", team_id="group.id", team_name="group.name",
    )  # fmt: skip
    properties["ticket_id"] = body.id("ticket.id")
    for name in ("status", "priority", "type"):
        properties[name] = lower(body, f"ticket.{name}")
    properties["channel"] = body.text("ticket.channel", "").lower().replace(" ", "_") or None
    properties["tags"] = body.text("ticket.tags", "").split() or None
    return properties


_NAMES: Final = {
    "trigger.ticket.created": "Ticket Created",
    "trigger.ticket.assigned": "Ticket Assigned",
    "trigger.ticket.solved": "Ticket Solved",
    "trigger.ticket.reopened": "Ticket Reopened",
    "trigger.ticket.status_changed": "Ticket Status Changed",
    "trigger.ticket.priority_changed": "Ticket Priority Changed",
    "trigger.ticket.sla_breached": "Ticket SLA Breached",
}


@zendesk.on(*_NAMES)
def ticket_triggered(event: Event) -> Iterator[Message]:
    yield track(_NAMES[event.type], _ticket(event))


@zendesk.on("trigger.ticket.replied")
def reply_triggered(event: Event) -> Iterator[Message]:
    body = filled(event.body, blank=BLANK)
    if body.text("comment.public").lower() != "true":
        raise Skip("a private note")
    author = body.text("author")
    if author not in {"customer", "agent"}:
        raise Malformed("$.author", "must be customer or agent: the trigger's condition says which")
    properties = _ticket(event) | {"author": author, "message_id": body.opt.id("comment.id")}
    if author == "agent":
        properties |= body.select(agent_id="actor.id:id", agent_name="actor.name:text")
    yield track("Ticket Replied", properties, identity=_in_copy(body) if author == "customer" else None)


def _in_copy(body: Payload) -> Identity | None:
    """Return the end user who wrote, if it was not the requester but a person in copy."""
    writer, requester = id_of(body, "actor.id"), id_of(body, "requester.id")
    if writer is None or requester is None or writer == requester:
        return None
    return person(writer, id_of(body, "organization.id"), name=body.opt.text("actor.name"))


# {{satisfaction.current_rating}} is a sentence: "Good, I'm satisfied"
_SENTENCE: Final = re.compile(r"^(good|bad)\b.*", re.DOTALL)


@zendesk.on("trigger.ticket.rated")
def rating_triggered(event: Event) -> Iterator[Message]:
    rating = _SENTENCE.sub(r"\1", filled(event.body, blank=BLANK).text("rating").lower())
    yield track("Satisfaction Rated", {**_ticket(event), "rating": rating, "score": score(rating)})
