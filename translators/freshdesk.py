"""Translate Freshdesk's automation-rule webhooks, whose body is the template of docs/sources/freshdesk.md.

https://support.freshdesk.com/support/solutions/articles/132589-using-webhooks-in-automation-rules
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Event,
    FormerId,
    Head,
    Identity,
    Item,
    Malformed,
    Message,
    Payload,
    SharedToken,
    Skip,
    Source,
    author_of,
    moment,
    real_name,
    reply,
    ticket_event,
)

freshdesk = Source(
    "freshdesk",
    title="Freshdesk",
    docs="https://support.freshdesk.com/support/solutions/articles/132589-using-webhooks-in-automation-rules",
    secret_help="a long random text that you choose and paste into each rule (a header, or Basic credentials)",
    scheme={
        "token": SharedToken(where="header", name="X-Segue-Token"),
        "basic": SharedToken(where="basic"),
    },
    methods=["PUT", "PATCH", "DELETE"],  # the rule's "Request type"
)

# {ticket_action:created}, {status:{from:4,to:6}}: not JSON, and without quotes
_ACTION: Final = re.compile(r"\{\s*(\w+)\s*:\s*(\w+)\s*\}")
_CHANGE: Final = re.compile(r"\{\s*(\w+)\s*:\s*\{\s*from\s*:([^,{}]*),\s*to\s*:([^,{}]*)\}\s*\}")
_DONE: Final = {"4", "5"}  # Resolved and Closed: https://developers.freshdesk.com/api/#ticket-properties
_ACTIONS: Final = {
    "ticket_action:created": "ticket.created",
    "ticket_action:deleted": "ticket.deleted",
    "note_type:public": "ticket.replied",
    "note_type:private": "note.private",
    "reply_sent:sent": "ticket.replied",
}
_CHANGES: Final = {
    "priority": "ticket.priority_changed",
    "responder_id": "ticket.assigned",
    "group_id": "ticket.assigned",
}
_NAMES: Final = {
    "ticket.created": "Ticket Created",
    "ticket.assigned": "Ticket Assigned",
    "ticket.status_changed": "Ticket Status Changed",
    "ticket.priority_changed": "Ticket Priority Changed",
    "ticket.solved": "Ticket Solved",
    "ticket.reopened": "Ticket Reopened",
    "ticket.deleted": "Ticket Deleted",
    "ticket.sla_breached": "Ticket SLA Breached",
}
_TYPES: Final = {name: type_ for type_, name in _NAMES.items()}


@freshdesk.head
def head(item: Item) -> Head:
    """Return the type in the rule's body, else the type in `triggered_event`. Freshdesk sends no event id.

    A ticket is created once, so the ticket id is the key of its creation, whichever rule or attempt reports it. Every
    other event may happen again; its key is the digest of its bytes.
    """
    body = _body(item)
    type_, at = body.text("type", "") or _triggered_event(body)[0], moment(body, "at")
    ticket_id = body.first("ticket.id:id", "ticket_id:id")
    if type_ != "ticket.created" or not ticket_id:
        return Head(id=item.digest, type=type_, occurred_at=at, clock="record")
    url = body.first("ticket.url", "ticket_url") or ""
    desk = url.partition("://")[2].partition("/")[0]  # two help desks use the same ticket numbers
    key = ":".join(filter(None, (type_, desk, ticket_id)))
    return Head(id=key, type=type_, occurred_at=at, clock="record", former_ids=(FormerId(item.digest),))


freshdesk.manual_steps(
    "Admin > Workflows > Automations: create one rule for each type that you want; docs/sources/freshdesk.md has the "
    "conditions:{types}",
    "The action of each rule: Trigger webhook, POST, {url}",
    "Tick Add custom headers, and write X-Segue-Token: {secret}",
    "Encoding JSON, content Advanced: paste the template of docs/sources/freshdesk.md, with the rule's type in it.",
    chosen="{random}",
)


@freshdesk.identity
def identity(event: Event) -> Identity:
    """Return the requester by the id in the template, else by e-mail. Freshdesk sends no other id."""
    body = _body(event)
    email = body.first("requester.email", "requester_email", "ticket_requester_email")
    external = body.id("requester.external_id", "")
    if not email and not external:
        if {"requester", "requester_email", "ticket_requester_email"}.isdisjoint(_parts(event.body).value):
            raise Malformed("$.requester", "is missing: paste the template of docs/sources/freshdesk.md into the rule")
        raise Skip("no customer: the ticket's requester has neither an e-mail address nor your user id")
    name, phone = body.first("requester.name", "requester_name"), body.opt.text("requester.phone")
    return Identity(
        user_ids=(external,),
        anonymous=("email", email.strip().lower()) if email else None,
        traits={"email": email, "name": real_name(name), "phone": phone},
    )


def _body(item: Item) -> Payload:
    """Return the body of our template or of Freshdesk's simple content: `{"freshdesk_webhook": {"ticket_id": ...}}`."""
    return _parts(item.filled)


def _parts(body: Payload) -> Payload:
    return body.object("freshdesk_webhook") if "freshdesk_webhook" in body else body


def _triggered_event(body: Payload) -> tuple[str, str]:
    """Return the type and the field of `triggered_event`."""
    text = body.text("triggered_event", "").strip()
    if not text:
        raise Malformed(
            "$.type",
            "is missing, and so is triggered_event: paste the template of docs/sources/freshdesk.md into the rule",
        )
    if match := _CHANGE.fullmatch(text):
        field, before, after = (part.strip() for part in match.groups())
        if field == "status":
            return _TYPES[ticket_event(before, after, _DONE)], field
        return _CHANGES.get(field, "ticket.updated"), field
    if match := _ACTION.fullmatch(text):
        return _ACTIONS.get(":".join(match.groups()), "ticket.updated"), match[1]
    return "ticket.updated", ""


@freshdesk.tracks(_NAMES)
def ticket(event: Event) -> dict[str, Any]:
    """Return the ticket's properties, of our template or of Freshdesk's simple content."""
    body = _body(event)
    fields = body.maybe("ticket")
    if not fields:
        return body.select(
            ticket_id="ticket_id:id!", subject="ticket_subject:text", status="ticket_status:lower",
            priority="ticket_priority:lower", type="ticket_type:lower", channel="ticket_source:lower",
            url="ticket_url:text", assignee_name="ticket_agent_name:text", team_name="ticket_group_name:text",
        )  # fmt: skip
    return {
        **fields.select(
            ticket_id="id:id!", subject="subject:text", status="status:lower", priority="priority:lower",
            type="type:lower", channel="source:lower",
        ),
        "tags": [tag.strip() for tag in fields.text("tags", "").split(",") if tag.strip()] or None,
        **fields.select("url:text", assignee_name="agent:text", team_name="group:text"),
    }  # fmt: skip


@freshdesk.tracks({"ticket.updated": "Ticket Updated"})
def ticket_updated(event: Event) -> dict[str, Any]:
    body = _body(event)
    field = "" if "type" in body else _triggered_event(body)[1]
    return {**ticket(event), "changed": [field] if field else None}


@freshdesk.on("ticket.replied")
def ticket_replied(event: Event) -> Iterator[Message]:
    """Report the reply with the author from the rule. Without our template, Freshdesk sends agents' replies only."""
    body = _body(event)
    text = body.text("author", "") or (None if "ticket" in body else "agent")
    author = author_of(text, "$.author", ": the rule's condition says which")
    yield reply(author, ticket(event))


@freshdesk.tracks({"ticket.rated": "Satisfaction Rated"})
def ticket_rated(event: Event) -> dict[str, Any]:
    return {**ticket(event), "rating": _body(event).text("rating").lower()}


freshdesk.ignore("note.private", because="a private note, not a customer action")
freshdesk.ignore("test", because="your own test delivery")
