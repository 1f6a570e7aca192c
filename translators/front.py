"""Translate Front's application and rule webhooks, which wrap and sign the same events differently.

https://dev.frontapp.com/docs/application-webhooks https://dev.frontapp.com/docs/rule-webhooks
https://dev.frontapp.com/reference/events
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    HmacTimestamped,
    Identity,
    Item,
    Message,
    Payload,
    Response,
    Skip,
    Source,
    accept_account,
    full_name,
    opens_ticket,
    real_name,
    text_option,
    track,
)

COMPANY_ID: Final = text_option("company_id", "accept application webhooks of this company only (cmp_...)")

front = Source(
    "front",
    title="Front",
    docs="https://dev.frontapp.com/docs/webhooks-1",
    secret_help="app: Settings > Developers > your app > Basic information > App secret; "
    "rule: Settings > Developers > API tokens > API secret",
    # One header, two algorithms: https://dev.frontapp.com/docs/webhooks-1
    scheme={
        "app": HmacTimestamped(
            header="X-Front-Signature",
            ts_header="X-Front-Request-Timestamp",
            ts_form="ms",
            template="{ts}:{body}",
            encoding="base64",
        ),
        "rule": HmacBody(alg="sha1", header="X-Front-Signature", encoding="base64"),
    },
    options=[COMPANY_ID],
)

_SNOOZES: Final = {"conversation_snoozed", "conversation_snooze_expired"}


@front.handshake()
def challenge(delivery: Delivery) -> Response | None:
    """Answer the signed challenge that Front sends when the webhook is saved."""
    challenge_text = delivery.headers.get("x-front-challenge")
    if challenge_text is None or delivery.payload.get("type") != "sync":
        return None
    return Response(body=json.dumps({"challenge": challenge_text}).encode())


accept_account(front, COMPANY_ID, lambda delivery: delivery.payload.opt.id("authorization.id"), what="Front company")

front.manual_steps(
    "Start Segue with the secret first: Front sends a signed challenge to the URL when you save it.",
    "Settings > Developers > your app > Features > Webhooks: {url}",
    "Choose the events (in brackets in docs/sources/front.md); these types are translated:{types}",
)


@front.head
def head(item: Item) -> Head:
    """Return the id `evt_...`, the event's own type (the application's is coarser) and the time in milliseconds.

    A snooze has no event type: Front archives the conversation and reopens it later. Only the application's type
    names the snooze.
    """
    front_event, name = _front_event(item), item.body.text("type", "")
    return Head(
        id=front_event.id("id"),
        type=name if name in _SNOOZES else front_event.text("type"),
        occurred_at=front_event.seconds("emitted_at"),
    )


def _front_event(item: Item) -> Payload:
    """Return the event: a rule sends it bare, an application in `payload`."""
    return item.body.object("payload") if "payload" in item.body else item.body


@front.skip_if
def customers_only(event: Event) -> str | None:
    """Skip a discussion among teammates: its recipient is null."""
    conversation = _front_event(event).object("conversation").value
    if isinstance(conversation, dict) and "recipient" in conversation and conversation["recipient"] is None:
        return "a discussion among teammates, without a customer"
    return None


@front.identity
def identity(event: Event) -> Identity:
    """Return the conversation's recipient: the customer, whoever wrote last. Front sends a handle and perhaps a name.

    A preview of an event has no recipient; the identity is then the conversation.
    """
    if "recipient" not in _front_event(event).object("conversation"):
        return Identity(anonymous=("conversation", _front_event(event).id("conversation.id")))
    person = _contact(_front_event(event).object("conversation.recipient"))
    if person is None:
        raise Skip("no customer: the conversation's recipient has no handle")
    return person


def _contact(recipient: Payload) -> Identity | None:
    """Return a contact by the handle: an e-mail address, or the number or name used on another channel."""
    handle = recipient.text("handle", "").strip()
    if not handle:
        return None
    email = "@" in handle
    link = recipient.text("_links.related.contact", "")
    return Identity(
        anonymous=("email", handle.lower()) if email else ("handle", handle),
        external_ids=(ExternalId("front_contact_id", link.rpartition("/")[2]),),
        traits={"email": handle if email else None, "name": real_name(recipient.opt.text("name"))},
    )


def _writer(event: Event, message: Payload) -> Identity | None:
    """Return the writer of an incoming message, if it was not the conversation's recipient but a person in copy."""
    for recipient in message.each("recipients"):
        if recipient.get("role") == "from" and (writer := _contact(recipient)):
            own = _contact(_front_event(event).maybe("conversation.recipient"))
            return None if own is not None and own.anonymous == writer.anonymous else writer
    return None


def _ticket(event: Event) -> dict[str, Any]:
    conversation = _front_event(event).object("conversation")
    assignee = conversation.maybe("assignee")
    return {
        "ticket_id": conversation.id("id"),
        "subject": conversation.opt.text("subject") or None,
        "status": conversation.opt.text("status"),
        "tags": conversation.texts_of("tags", "name"),
        "assignee_id": assignee.opt.id("id"),
        "assignee_name": _name(assignee),
    }


def _name(teammate: Payload) -> str | None:
    return full_name(teammate.opt.text("first_name"), teammate.opt.text("last_name"))


def _teammate(event: Event) -> dict[str, Any]:
    """Return the teammate who acted; empty if a rule did."""
    front_event = _front_event(event)
    if front_event.get("source._meta.type") != "teammate":
        return {}
    teammate = front_event.object("source.data")
    return {"agent_id": teammate.opt.id("id"), "agent_name": _name(teammate)}


def _message(event: Event) -> Payload:
    front_event = _front_event(event)
    return (
        front_event.object("target.data")
        if "target" in front_event
        else front_event.object("conversation.last_message")
    )


def _is_first(event: Event, message: Payload) -> bool:
    """Return whether a message is as old as its conversation: Front has no event for a new conversation."""
    return opens_ticket(_front_event(event).opt.seconds("conversation.created_at"), message.opt.seconds("created_at"))


@front.on("inbound")
def message_came_in(event: Event) -> Iterator[Message]:
    message = _message(event)
    name = "Ticket Created" if _is_first(event, message) else "Ticket Replied"
    yield track(name, {**_message_fields(event, message), "author": "customer"}, identity=_writer(event, message))


@front.on("outbound", "out_reply")
def message_went_out(event: Event) -> Iterator[Message]:
    message = _message(event)
    author = message.maybe("author")
    if not author:
        raise Skip("sent by a rule or through the API, or Front does not say by which teammate")
    name = "Ticket Created" if event.type == "outbound" and _is_first(event, message) else "Ticket Replied"
    properties = _message_fields(event, message) | {"agent_id": author.opt.id("id"), "agent_name": _name(author)}
    yield track(name, {**properties, "author": "agent"})


def _message_fields(event: Event, message: Payload) -> dict[str, Any]:
    return _ticket(event) | {"message_id": message.id("id"), "channel": message.opt.text("type")}


@front.on("assign")
def assigned(event: Event) -> Iterator[Message]:
    assignee = _front_event(event).maybe("target.data") or _front_event(event).maybe("conversation.assignee")
    if "id" not in assignee:
        raise Skip("the conversation was unassigned")
    yield track(
        "Ticket Assigned",
        _ticket(event) | _teammate(event) | {"assignee_id": assignee.id("id"), "assignee_name": _name(assignee)},
    )


@front.on("archive")
def archived(event: Event) -> Iterator[Message]:
    if _front_event(event).get("source._meta.type") == "reminder":
        raise Skip("snoozed, not solved")
    yield track("Ticket Solved", _ticket(event) | _teammate(event))


@front.on("reopen")
def reopened(event: Event) -> Iterator[Message]:
    yield track("Ticket Reopened", _ticket(event) | _teammate(event))


@front.on("trash")
def trashed(event: Event) -> Iterator[Message]:
    yield track("Ticket Deleted", _ticket(event) | _teammate(event))


_CHANGED: Final = {"tag": "tags", "untag": "tags", "move": "inbox", "restore": "trashed"}


@front.on(*_CHANGED)
def updated(event: Event) -> Iterator[Message]:
    yield track("Ticket Updated", {**_ticket(event), **_teammate(event), "changed": [_CHANGED[event.type]]})


@front.on("conversations_merged")
def merged(event: Event) -> Iterator[Message]:
    yield track("Ticket Merged", _ticket(event) | _teammate(event))


front.ignore("comment", "mention", because="a comment between teammates, not a customer action")
front.ignore("unassign", because="unassigned")
front.ignore("conversation_created", because="the inbound or outbound event of its first message reports it")
front.ignore("conversation_snoozed", because="snoozed, not solved")
front.ignore("reminder", "conversation_snooze_expired", because="the end of a snooze, not an action")
front.ignore("forward", because="forwarded to a person outside the conversation")
front.ignore("sending_error", "message_bounce_error", because="the e-mail provider reports what happens to an e-mail")
front.ignore(
    "link_added", "link_removed", "macro_triggered", "topic_identified", because="internal filing by your team"
)
