"""Translate tickets and their messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.gorgias.source import MESSAGE_CREATED, gorgias
from translators.kit import (
    Event,
    ExternalId,
    Identity,
    Malformed,
    Message,
    Payload,
    Skip,
    assigned,
    moment,
    opens_ticket,
    real_name,
    reply,
    track,
)

_CHAT: Final = {"chat", "gorgias-chat", "gorgias_chat"}
_BOTS: Final = {"rule", "ai-agent", "self-service"}


@gorgias.tracks({"ticket-created": "Ticket Created"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the ticket's properties."""
    return event.filled.select(
        ticket_id="ticket.id:id!", subject="ticket.subject", status="ticket.status", priority="ticket.priority",
        channel="ticket.channel", assignee_id="assignee.id", assignee_name="assignee.name", team_id="team.id",
        team_name="team.name",
    )  # fmt: skip


@gorgias.tracks({"ticket-assignment-updated": "Ticket Assigned"})
def ticket_assigned(event: Event) -> dict[str, Any]:
    return assigned(ticket(event))


@gorgias.on("ticket-status-updated")
def ticket_status_updated(event: Event) -> Iterator[Message]:
    """Report the new status. Gorgias has `open` and `closed` only, so a ticket that becomes open was closed."""
    status = event.filled.text("ticket.status")
    name = {"closed": "Ticket Solved", "open": "Ticket Reopened"}.get(status, "Ticket Status Changed")
    yield track(name, ticket(event))


@gorgias.on(MESSAGE_CREATED)
def message_created(event: Event) -> Iterator[Message]:
    message = event.filled.object("message")
    if not _is_true(message, "public"):
        raise Skip("a private note")
    from_agent, via = _is_true(message, "from_agent"), message.opt.text("via")
    if from_agent and via in _BOTS:
        raise Skip(f"written by {via}, not by a person")
    channel = message.opt.text("channel")
    times = [moment(event.filled, path, naive_is_utc=True) for path in ("ticket.created_at", "message.created_at")]
    if channel not in _CHAT and opens_ticket(*times):
        raise Skip("the message that opened the ticket; ticket-created has it")
    agent = message.select(agent_id="sender.id:id", agent_name="sender.name:text") if from_agent else {}
    yield reply(
        "agent" if from_agent else "customer",
        {**ticket(event), "message_id": message.id("id"), "channel": channel, **agent},
        chat=channel in _CHAT,
        identity=None if from_agent else _writer(event, message),
    )


def _writer(event: Event, message: Payload) -> Identity | None:
    """Return the customer who wrote, if it was not the ticket's own: a person in copy may reply."""
    writer, own = message.opt.id("sender.id"), event.filled.opt.id("customer.id")
    if writer is None or own is None or writer == own:
        return None
    return Identity(
        anonymous=("customer", writer),
        external_ids=(ExternalId("gorgias_customer_id", writer),),
        traits={"name": real_name(message.opt.text("sender.name"))},
    )


def _is_true(body: Payload, path: str) -> bool:
    """Return a boolean that a template prints as `True` or `False`."""
    value = body.get(path)
    word = str(value).lower()
    if word not in {"true", "false"}:
        raise Malformed(f"{body.path}.{path}", "is neither True nor False")
    return word == "true"
