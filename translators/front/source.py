"""Front's signatures, company, event ids and identity."""

from __future__ import annotations

import json
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    HmacTimestamped,
    Identity,
    Item,
    Payload,
    Response,
    Skip,
    Source,
    accept_account,
    real_name,
    text_option,
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
    front_event, name = event_of(item), item.body.text("type", "")
    type_ = name if name in _SNOOZES else front_event.text("type")
    return Head(id=front_event.id("id"), type=type_, occurred_at=front_event.seconds("emitted_at"))


def event_of(item: Item) -> Payload:
    """Return the event: a rule sends it bare, an application in `payload`."""
    return item.body.object("payload") if "payload" in item.body else item.body


def conversation_of(event: Event) -> Payload:
    return event_of(event).object("conversation")


@front.skip_if
def customers_only(event: Event) -> str | None:
    """Skip a discussion among teammates: its recipient is null."""
    conversation = conversation_of(event).value
    if isinstance(conversation, dict) and "recipient" in conversation and conversation["recipient"] is None:
        return "a discussion among teammates, without a customer"
    return None


@front.identity
def identity(event: Event) -> Identity:
    """Return the conversation's recipient: the customer, whoever wrote last. Front sends a handle and perhaps a name.

    A preview of an event has no recipient; the identity is then the conversation.
    """
    conversation = conversation_of(event)
    if "recipient" not in conversation:
        return Identity(anonymous=("conversation", conversation.id("id")))
    person = contact(conversation.object("recipient"))
    if person is None:
        raise Skip("no customer: the conversation's recipient has no handle")
    return person


def contact(recipient: Payload) -> Identity | None:
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
