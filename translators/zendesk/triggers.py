"""Translate trigger webhooks, whose body is the template of docs/sources/zendesk.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Identity, Message, Payload, Skip, author_of, rating_fields, track
from translators.zendesk.source import id_of, person, zendesk
from translators.zendesk.tickets import lower


@zendesk.tracks({
    "trigger.ticket.created": "Ticket Created",
    "trigger.ticket.assigned": "Ticket Assigned",
    "trigger.ticket.solved": "Ticket Solved",
    "trigger.ticket.reopened": "Ticket Reopened",
    "trigger.ticket.status_changed": "Ticket Status Changed",
    "trigger.ticket.priority_changed": "Ticket Priority Changed",
    "trigger.ticket.sla_breached": "Ticket SLA Breached",
})  # fmt: skip
def ticket(event: Event) -> dict[str, Any]:
    """Return the ticket's properties."""
    body = event.filled
    return {
        **body.select(
            subject="ticket.subject", ticket_id="ticket.id:id!", url="ticket.url", assignee_id="assignee.id",
            assignee_name="assignee.name", team_id="group.id", team_name="group.name",
        ),
        **{name: lower(body, f"ticket.{name}") for name in ("status", "priority", "type")},
        "channel": body.text("ticket.channel", "").lower().replace(" ", "_") or None,
        "tags": body.text("ticket.tags", "").split() or None,
    }  # fmt: skip


@zendesk.on("trigger.ticket.replied")
def reply_triggered(event: Event) -> Iterator[Message]:
    body = event.filled
    if body.text("comment.public").lower() != "true":
        raise Skip("a private note")
    author = author_of(body.text("author"), "$.author", ": the trigger's condition says which")
    properties = ticket(event) | {"author": author, "message_id": body.opt.id("comment.id")}
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


@zendesk.tracks({"trigger.ticket.rated": "Satisfaction Rated"})
def rating_triggered(event: Event) -> dict[str, Any]:
    return ticket(event) | rating_fields(_SENTENCE.sub(r"\1", event.filled.text("rating").lower()))
