"""Translate tickets and messages of event webhooks.

https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Identity,
    Message,
    Payload,
    Skip,
    opens_ticket,
    rating_fields,
    real_name,
    reply,
    ticket_event,
    track,
)
from translators.zendesk.source import id_of, person, zendesk

_DONE: Final = {"solved", "closed"}
# The statuses of a removed ticket; a ticket may leave them again.
_REMOVED: Final = {"archived", "deleted", "scrubbed"}


@zendesk.tracks({"ticket.created": "Ticket Created", "ticket.soft_deleted": "Ticket Deleted"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the ticket's properties."""
    detail = event.body.object("detail")
    return {
        "ticket_id": detail.id("id"),
        "subject": detail.opt.text("subject"),
        "status": lower(detail, "status"),
        "priority": lower(detail, "priority"),
        "type": lower(detail, "type"),
        "channel": detail.opt.text("via.channel"),
        "tags": _tags(detail),
        "assignee_id": id_of(detail, "assignee_id"),
        "team_id": id_of(detail, "group_id"),
    }


def _tags(detail: Payload) -> list[str] | None:
    """Return the tags, which Zendesk sends as a list or as one text with spaces."""
    tags = detail.get("tags")
    return (tags.split() if isinstance(tags, str) else tags) or None


def lower(body: Payload, path: str) -> str | None:
    """Return a word in lower case. Event webhooks send `OPEN` and `HOLD`, triggers `Open` and `On-hold`."""
    word = body.opt.lower(path)
    return word.replace("on-hold", "hold") if word else None


_ASSIGNED: Final = {
    "ticket.agent_assignment_changed": ("agent", "assignee_id"),
    "ticket.group_assignment_changed": ("group", "team_id"),
}


@zendesk.tracks(dict.fromkeys(_ASSIGNED, "Ticket Assigned"))
def ticket_assigned(event: Event) -> dict[str, Any]:
    role, name = _ASSIGNED[event.type]
    current = id_of(event.body, "event.current")
    if current is None:
        raise Skip(f"the {role} was unassigned")
    return {**ticket(event), name: current, f"previous_{name}": id_of(event.body, "event.previous")}


@zendesk.on("ticket.comment_added")
def ticket_comment_added(event: Event) -> Iterator[Message]:
    detail, comment = event.body.object("detail"), event.body.object("event.comment")
    if not comment.flag("is_public", False):
        raise Skip("a private note")
    unchanged = "created_at" in detail and detail.get("created_at") == detail.get("updated_at")
    if unchanged or opens_ticket(detail.opt.iso("created_at"), event.occurred_at):
        raise Skip("the comment that opened the ticket; ticket.created reports it")
    author = comment.id("author.id", "") or comment.id("author_id", "")
    if author and not author.isdecimal():
        raise Skip("written by Zendesk itself or a bot")
    staff = comment.get("author.is_staff")
    if staff is None and author != id_of(detail, "requester_id"):
        raise Skip("Zendesk does not send whether an agent or a customer wrote it")
    properties, name = {**ticket(event), "message_id": comment.opt.id("id")}, comment.opt.text("author.name")
    if comment.flag("author.is_staff", False):
        yield track("Ticket Replied", {**properties, "author": "agent", "agent_id": author or None, "agent_name": name})
        return
    writer = author or id_of(detail, "requester_id")  # a person in copy may have replied
    if writer is None:
        raise Skip("no customer: the ticket has no requester")
    yield reply("customer", properties, identity=person(writer, id_of(detail, "organization_id"), name=name))


@zendesk.on("ticket.status_changed")
def ticket_status_changed(event: Event) -> Iterator[Message]:
    now, before = event.body.text("event.current").lower(), lower(event.body, "event.previous")
    if now in _REMOVED or before in _REMOVED:
        raise Skip("archived, deleted or restored; ticket.soft_deleted reports a deletion")
    yield track(ticket_event(before, now, _DONE), {**ticket(event), "status": now, "previous_status": before})


@zendesk.tracks({"ticket.priority_changed": "Ticket Priority Changed"})
def ticket_priority_changed(event: Event) -> dict[str, Any]:
    now, before = lower(event.body, "event.current"), lower(event.body, "event.previous")
    return {**ticket(event), "priority": now, "previous_priority": before}


_FIELDS: Final = ("custom_field", "requester", "subject", "tags", "type")


@zendesk.tracks({f"ticket.{field}_changed": "Ticket Updated" for field in _FIELDS})
def ticket_updated(event: Event) -> dict[str, Any]:
    field = event.type.removeprefix("ticket.").removesuffix("_changed")
    return {**ticket(event), "changed": [event.body.text("event.custom_field.title", field)]}


@zendesk.tracks({"ticket.merged": "Ticket Merged"})
def ticket_merged(event: Event) -> dict[str, Any]:
    target = event.body.first("event.target_ticket_id:id", "event.target_ticket:id")
    return {**ticket(event), "merged_into": target}


@zendesk.tracks({"ticket.csat_received": "Satisfaction Rated"})
def satisfaction_rated(event: Event) -> dict[str, Any]:
    return ticket(event) | rating_fields(event.body.object("event.satisfaction_score").id("score"))


@zendesk.on("messaging_ticket.message_added")
def message_added(event: Event) -> Iterator[Message]:
    """Report a message. Only the writer is named, so the identity of an agent's message is the conversation."""
    actor = event.body.object("event.actor")
    properties = event.body.select(
        ticket_id="detail.id:id!", conversation_id="event.conversation_id:id!", message_id="event.message.id:id"
    )
    kind = actor.text("type").lower().replace("-", "_")
    if kind in {"end_user", "user"}:
        yield reply("customer", properties, chat=True, identity=_visitor(actor))
    elif kind == "agent":
        properties |= actor.select(agent_id="id:id", agent_name="name:text")
        conversation = Identity(anonymous=("conversation", properties["conversation_id"]))
        yield reply("agent", properties, chat=True, identity=conversation)
    else:
        raise Skip(f"written by {kind}, not by a person")


def _visitor(actor: Payload) -> Identity:
    """Return a Zendesk user by number; any other id belongs to the messaging service."""
    id_, name = id_of(actor, "id"), real_name(actor.opt.text("name"))
    if id_ is None:
        raise Skip("no customer: the message names no writer")
    if id_.isdecimal():
        return person(id_, name=name)
    return Identity(
        anonymous=("messaging_user", id_),
        external_ids=(ExternalId("zendesk_messaging_user_id", id_),),
        traits={"name": name},
    )
