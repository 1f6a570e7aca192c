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
    assigned,
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
    """Return the id `evt_...`, the event's own type (the application's is coarser) and its time.

    A snooze has no event type: Front archives the conversation and reopens it later. Only the application's type
    names the snooze.
    """
    front_event, name = _front_event(item), item.body.text("type", "")
    type_ = name if name in _SNOOZES else front_event.text("type")
    return Head(id=front_event.id("id"), type=type_, occurred_at=front_event.seconds("emitted_at"))


def _front_event(item: Item) -> Payload:
    """Return the event: a rule sends it bare, an application in `payload`."""
    return item.body.object("payload") if "payload" in item.body else item.body


def _conversation(event: Event) -> Payload:
    return _front_event(event).object("conversation")


@front.skip_if
def customers_only(event: Event) -> str | None:
    """Skip a discussion among teammates: its recipient is null."""
    conversation = _conversation(event).value
    if isinstance(conversation, dict) and "recipient" in conversation and conversation["recipient"] is None:
        return "a discussion among teammates, without a customer"
    return None


@front.identity
def identity(event: Event) -> Identity:
    """Return the conversation's recipient: the customer, whoever wrote last. Front sends a handle and perhaps a name.

    A preview of an event has no recipient; the identity is then the conversation.
    """
    conversation = _conversation(event)
    if "recipient" not in conversation:
        return Identity(anonymous=("conversation", conversation.id("id")))
    person = _contact(conversation.object("recipient"))
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


def _ticket(event: Event) -> dict[str, Any]:
    conversation = _conversation(event)
    return {
        "ticket_id": conversation.id("id"),
        "subject": conversation.first("subject"),
        "status": conversation.opt.text("status"),
        "tags": conversation.texts_of("tags", "name"),
        **_teammate("assignee", conversation.maybe("assignee")),
    }


def _teammate(role: str, teammate: Payload) -> dict[str, Any]:
    name = full_name(teammate.opt.text("first_name"), teammate.opt.text("last_name"))
    return {f"{role}_id": teammate.opt.id("id"), f"{role}_name": name}


@front.tracks({"reopen": "Ticket Reopened", "trash": "Ticket Deleted", "conversations_merged": "Ticket Merged"})
def conversation_changed(event: Event) -> dict[str, Any]:
    """Return the conversation and the teammate who acted, if it was not a rule."""
    front_event = _front_event(event)
    if front_event.get("source._meta.type") != "teammate":
        return _ticket(event)
    return _ticket(event) | _teammate("agent", front_event.object("source.data"))


@front.tracks({"archive": "Ticket Solved"})
def archived(event: Event) -> dict[str, Any]:
    if _front_event(event).get("source._meta.type") == "reminder":
        raise Skip("snoozed, not solved")
    return conversation_changed(event)


@front.tracks({"assign": "Ticket Assigned"})
def conversation_assigned(event: Event) -> dict[str, Any]:
    assignee = _front_event(event).maybe("target.data") or _conversation(event).maybe("assignee")
    return assigned(conversation_changed(event) | _teammate("assignee", assignee), "conversation")


_CHANGED: Final = {"tag": "tags", "untag": "tags", "move": "inbox", "restore": "trashed"}


@front.tracks(dict.fromkeys(_CHANGED, "Ticket Updated"))
def updated(event: Event) -> dict[str, Any]:
    return {**conversation_changed(event), "changed": [_CHANGED[event.type]]}


@front.on("inbound")
def message_came_in(event: Event) -> Iterator[Message]:
    """Report the customer's message. A person in copy may have written it, and not the conversation's recipient."""
    message, own = _message(event), _contact(_conversation(event).maybe("recipient"))
    senders = (_contact(recipient) for recipient in message.each("recipients") if recipient.get("role") == "from")
    writer = next(filter(None, senders), None)
    if writer and own and writer.anonymous == own.anonymous:
        writer = None
    yield _created_or_replied(event, message, {"author": "customer"}, writer)


@front.on("outbound", "out_reply")
def message_went_out(event: Event) -> Iterator[Message]:
    message = _message(event)
    author = message.maybe("author")
    if not author:
        raise Skip("sent by a rule or through the API, or Front does not say by which teammate")
    yield _created_or_replied(event, message, {**_teammate("agent", author), "author": "agent"})


def _message(event: Event) -> Payload:
    front_event = _front_event(event)
    path = "target.data" if "target" in front_event else "conversation.last_message"
    return front_event.object(path)


def _created_or_replied(
    event: Event, message: Payload, writing: dict[str, Any], writer: Identity | None = None
) -> Message:
    """Return the track of a message. Front has no event for a new conversation: its first message is as old as it."""
    opened = _conversation(event).opt.seconds("created_at")
    is_first = event.type != "out_reply" and opens_ticket(opened, message.opt.seconds("created_at"))
    properties = _ticket(event) | {"message_id": message.id("id"), "channel": message.opt.text("type"), **writing}
    return track("Ticket Created" if is_first else "Ticket Replied", properties, identity=writer)


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
