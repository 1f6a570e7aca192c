"""Translate tickets and messages of event webhooks.

https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, ExternalId, Identity, Message, Payload, Skip, opens_ticket, real_name, track
from translators.zendesk.source import id_of, person, zendesk

_DONE: Final = {"solved", "closed"}
# The statuses of a removed ticket; a ticket may leave them again.
_REMOVED: Final = {"archived", "deleted", "scrubbed"}


def score(rating: str) -> int | None:
    """Return the number of a rating from 1 to 5; None for `good` and `bad`."""
    return int(rating) if re.fullmatch(r"[0-9]{1,2}", rating) else None


def _ticket(event: Event) -> dict[str, Any]:
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
    word = body.opt.text(path)
    return word.lower().replace("on-hold", "hold") if word else None


@zendesk.on("ticket.created")
def ticket_created(event: Event) -> Iterator[Message]:
    yield track("Ticket Created", _ticket(event))


@zendesk.on("ticket.agent_assignment_changed")
def ticket_agent_changed(event: Event) -> Iterator[Message]:
    agent = id_of(event.body, "event.current")
    if agent is None:
        raise Skip("the agent was unassigned")
    yield track(
        "Ticket Assigned",
        {**_ticket(event), "assignee_id": agent, "previous_assignee_id": id_of(event.body, "event.previous")},
    )


@zendesk.on("ticket.group_assignment_changed")
def ticket_group_changed(event: Event) -> Iterator[Message]:
    team = id_of(event.body, "event.current")
    if team is None:
        raise Skip("the group was unassigned")
    yield track(
        "Ticket Assigned", {**_ticket(event), "team_id": team, "previous_team_id": id_of(event.body, "event.previous")}
    )


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
    properties = {**_ticket(event), "message_id": comment.opt.id("id")}
    if comment.flag("author.is_staff", False):
        name = comment.opt.text("author.name")
        yield track("Ticket Replied", {**properties, "author": "agent", "agent_id": author or None, "agent_name": name})
    else:
        writer = author or id_of(detail, "requester_id")  # a person in copy may have replied
        if writer is None:
            raise Skip("no customer: the ticket has no requester")
        customer = person(writer, id_of(detail, "organization_id"), name=comment.opt.text("author.name"))
        yield track("Ticket Replied", {**properties, "author": "customer"}, identity=customer)


@zendesk.on("ticket.status_changed")
def ticket_status_changed(event: Event) -> Iterator[Message]:
    now, before = event.body.text("event.current").lower(), (lower(event.body, "event.previous") or "")
    if now in _REMOVED or before in _REMOVED:
        raise Skip("archived, deleted or restored; ticket.soft_deleted reports a deletion")
    yield track(_status_event(now, before), {**_ticket(event), "status": now, "previous_status": before or None})


def _status_event(now: str, before: str) -> str:
    if now in _DONE and before not in _DONE:
        return "Ticket Solved"
    if before in _DONE and now not in _DONE:
        return "Ticket Reopened"
    return "Ticket Status Changed"


@zendesk.on("ticket.priority_changed")
def ticket_priority_changed(event: Event) -> Iterator[Message]:
    now, before = lower(event.body, "event.current"), lower(event.body, "event.previous")
    yield track("Ticket Priority Changed", {**_ticket(event), "priority": now, "previous_priority": before})


@zendesk.on(
    "ticket.custom_field_changed", "ticket.requester_changed", "ticket.subject_changed", "ticket.tags_changed",
    "ticket.type_changed",
)  # fmt: skip
def ticket_updated(event: Event) -> Iterator[Message]:
    field = event.type.removeprefix("ticket.").removesuffix("_changed")
    yield track("Ticket Updated", {**_ticket(event), "changed": [event.body.text("event.custom_field.title", field)]})


@zendesk.on("ticket.merged")
def ticket_merged(event: Event) -> Iterator[Message]:
    target = event.body.opt.id("event.target_ticket_id") or event.body.opt.id("event.target_ticket")
    yield track("Ticket Merged", {**_ticket(event), "merged_into": target})


@zendesk.on("ticket.soft_deleted")
def ticket_deleted(event: Event) -> Iterator[Message]:
    yield track("Ticket Deleted", _ticket(event))


@zendesk.on("ticket.csat_received")
def satisfaction_rated(event: Event) -> Iterator[Message]:
    rating_change = event.body.object("event.satisfaction_score")
    rating = rating_change.id("score").lower()
    yield track("Satisfaction Rated", {**_ticket(event), "rating": rating, "score": score(rating)})


@zendesk.on("messaging_ticket.message_added")
def message_added(event: Event) -> Iterator[Message]:
    """Report a message. Only the writer is named, so the identity of an agent's message is the conversation."""
    actor = event.body.object("event.actor")
    conversation = event.body.id("event.conversation_id")
    properties = {
        "ticket_id": event.body.id("detail.id"),
        "conversation_id": conversation,
        "message_id": event.body.opt.id("event.message.id"),
    }
    kind = actor.text("type").lower().replace("-", "_")
    if kind in {"end_user", "user"}:
        yield track("Live Chat Message Sent", properties, identity=_visitor(actor))
    elif kind == "agent":
        properties |= actor.select(agent_id="id:id", agent_name="name:text")
        yield track(
            "Live Chat Message Received", properties, identity=Identity(anonymous=("conversation", conversation))
        )
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
        traits={"name": name} if name else {},
    )
