"""Trigger webhooks: the body is the template of docs/sources/zendesk.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import BLANK, Event, Identity, Malformed, Message, Payload, Skip, filled, track
from translators.zendesk.source import id_of, person, zendesk
from translators.zendesk.tickets import lower, score


def _templated(event: Event) -> dict[str, Any]:
    body = filled(event.body, blank=BLANK)
    told = body.pick(
        "ticket.subject", ticket_id="ticket.id", url="ticket.url", assignee_id="assignee.id",
        assignee_name="assignee.name", team_id="group.id", team_name="group.name",
    )  # fmt: skip
    told["ticket_id"] = body.id("ticket.id")
    for name in ("status", "priority", "type"):
        told[name] = lower(body, f"ticket.{name}")
    told["channel"] = body.text("ticket.channel", "").lower().replace(" ", "_") or None
    told["tags"] = body.text("ticket.tags", "").split() or None
    return told


_TEMPLATED: Final = {
    "trigger.ticket.created": "Ticket Created",
    "trigger.ticket.assigned": "Ticket Assigned",
    "trigger.ticket.solved": "Ticket Solved",
    "trigger.ticket.reopened": "Ticket Reopened",
    "trigger.ticket.status_changed": "Ticket Status Changed",
    "trigger.ticket.priority_changed": "Ticket Priority Changed",
    "trigger.ticket.sla_breached": "Ticket SLA Breached",
}


@zendesk.on(*_TEMPLATED)
def ticket_triggered(event: Event) -> Iterator[Message]:
    yield track(_TEMPLATED[event.type], _templated(event))


@zendesk.on("trigger.ticket.replied")
def reply_triggered(event: Event) -> Iterator[Message]:
    body = filled(event.body, blank=BLANK)
    if body.text("comment.public").lower() != "true":
        raise Skip("a private note")
    author = body.text("author")
    if author not in {"customer", "agent"}:
        raise Malformed("$.author", "must be customer or agent: the trigger's condition says which")
    said = _templated(event) | {"author": author, "message_id": body.id("comment.id", None)}
    if author == "agent":
        said |= {"agent_id": body.id("actor.id", None), "agent_name": body.text("actor.name", None)}
    yield track("Ticket Replied", said, who=_in_copy(body) if author == "customer" else None)


def _in_copy(body: Payload) -> Identity | None:
    """The end user who wrote, if it was not the requester: another person in copy."""
    writer, requester = id_of(body, "actor.id"), id_of(body, "requester.id")
    if writer is None or requester is None or writer == requester:
        return None
    return person(writer, id_of(body, "organization.id"), name=body.text("actor.name", None))


# {{satisfaction.current_rating}} is a sentence: "Good, I'm satisfied"
_SENTENCE: Final = re.compile(r"^(good|bad)\b.*", re.DOTALL)


@zendesk.on("trigger.ticket.rated")
def rating_triggered(event: Event) -> Iterator[Message]:
    rating = _SENTENCE.sub(r"\1", filled(event.body, blank=BLANK).text("rating").lower())
    yield track("Satisfaction Rated", _templated(event), rating=rating, score=score(rating))
