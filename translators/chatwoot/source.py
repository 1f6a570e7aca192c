"""Signature, key, time and identity of Chatwoot's events."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import Final

from translators.kit import (
    Clock,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    Malformed,
    Payload,
    SharedToken,
    Skip,
    Source,
    choice_option,
    from_iso,
    real_name,
    text_option,
)

IDENTIFIER: Final = choice_option(
    "identifier",
    "when `identifier` is your own user id: for any contact, if the widget verified it by HMAC, or for none",
    ("any", "verified", "none"),
    "any",
)
SERVER: Final = text_option("server", "a name for this Chatwoot server, if you have several: their ids overlap")

chatwoot = Source(
    "chatwoot",
    title="Chatwoot",
    docs="https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks",
    secret_help="Settings > Integrations > Webhooks > your webhook > Secret",
    # Signed since 4.11.2, API channels and bots since 4.13: https://github.com/chatwoot/chatwoot/pull/13573
    scheme={
        "signed": HmacTimestamped(header="X-Chatwoot-Signature", ts_header="X-Chatwoot-Timestamp", prefix="sha256="),
        "token": SharedToken(where="path"),
    },
    options=[IDENTIFIER, SERVER],
)

# The widget's name for an unknown visitor, such as little-haze-776.
_MADE_UP: Final = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")


@chatwoot.head
def head(item: Item) -> Head:
    """Return the key from the object's id, its change and the time: there is no event id, and no signed delivery id.

    The bytes are not the key, because a body has the conversation, whose counters change between two sends of one
    message (https://github.com/chatwoot/chatwoot/issues/11901). They are the key only of a change without a time. A
    rating has its survey message and value as key, since each later change of that message sends it again.
    """
    body = item.body
    type_ = body.text("event")
    at, clock = _time(type_, body)
    by_bytes = f"{type_}:{body.id('id', '')}:{sha256(item.raw).hexdigest()[:40]}"
    key = _key(type_, body) or by_bytes
    former = () if key.startswith("rating:") else (FormerId(by_bytes),)
    return Head(id=key, type=type_, occurred_at=at, clock=clock, former_ids=former)


def _key(type_: str, body: Payload) -> str | None:
    rating = rating_of(body).get("rating") if type_ == "message_updated" else None
    if rating is not None:
        return f"rating:{body.id('account.id', '')}:{body.id('id')}:{body.text('created_at', '')}:{rating}"
    what = _change_parts(type_, body)
    return ":".join((type_, _account(body), body.id("id"), *what)) if what is not None and "id" in body else None


def _change_parts(type_: str, body: Payload) -> list[str] | None:
    """Return the change and its time, which distinguish two events of a type and record; empty for a creation.

    If `changed_attributes` has no time, the time is the record's last change, which every change updates.
    """
    if type_.endswith("_created"):
        return []
    if not type_.startswith(("conversation_", "contact_")):
        return None
    at = changes(body).get("updated_at", Payload({})).get("current_value") or body.get("updated_at")
    if at is None:
        return None
    if type_ == "conversation_status_changed":
        return [body.text("status", ""), str(at)]
    values = repr((body.get("changed_attributes"), at))
    return [sha256(values.encode("utf-8", "replace")).hexdigest()[:16]]


def _account(body: Payload) -> str:
    """Return the account, since conversation ids count from 1 per account; a conversation has it in its messages only.

    Without it, return the inbox, whose id is unique on the server.
    """
    account = body.first(
        "account.id:id", "account_id:id", "messages.0.account_id:id", "conversation.messages.0.account_id:id"
    )
    inbox = body.opt.id("inbox_id")
    return account or (f"inbox-{inbox}" if inbox else "")


def _time(type_: str, body: Payload) -> tuple[datetime | None, Clock]:
    """Return the time of the message, record or change (`changed_attributes`); else the record's last update."""
    if type_ in {"message_created", "contact_created", "conversation_created"} and "created_at" in body:
        return utc(body, "created_at"), "event"
    changed = changes(body).get("updated_at")
    if changed is not None and "current_value" in changed:
        return utc(changed, "current_value"), "event"
    conversation = body.maybe("conversation") if type_ == "message_updated" else body
    if type_ == "message_updated" and conversation.get("messages.0.id") == body.get("id"):
        return utc(conversation, "messages.0.updated_at"), "event"
    return utc(conversation, "updated_at") or utc(conversation, "timestamp"), "record"


def utc(body: Payload, path: str) -> datetime | None:
    """Return a time: unix seconds in a conversation, ISO 8601 in a message, `2020-03-03 13:05:57 UTC` in the docs."""
    value = body.get(path)
    if isinstance(value, str) and value.endswith(" UTC"):
        try:
            return from_iso(value.removesuffix(" UTC"), naive_is_utc=True)
        except ValueError:
            raise Malformed(f"{body.path}.{path}", "is not a time") from None
    return body.opt.when(path)


def changes(body: Payload) -> dict[str, Payload]:
    """Return the changes by name; each has `previous_value` and `current_value`."""
    changed: dict[str, Payload] = {}
    for entry in body.each("changed_attributes"):
        if isinstance(entry.value, dict):
            changed |= {name: entry.maybe(name) for name in entry.value}
    return changed


def rating_of(body: Payload) -> Payload:
    """Return the answer to a survey; empty if the message is not an answered survey."""
    return body.maybe("content_attributes").maybe("submitted_values").maybe("csat_survey_response")


def conversation_of(event: Event) -> Payload:
    """Return the conversation: the body, or a message's `conversation`."""
    return event.body.object("conversation") if event.type.startswith("message_") else event.body


@chatwoot.identity
def identity(event: Event) -> Identity:
    """Return the contact, whoever acted."""
    if event.type.startswith("contact_"):
        return of_contact(event, event.body, proved=False)
    conversation = conversation_of(event)
    contact = conversation.maybe("meta.sender") or event.body.maybe("contact")
    if contact.opt.id("id") is None:
        raise Skip("no customer: the conversation names no contact")
    return of_contact(event, contact, proved=conversation.flag("meta.hmac_verified", False))


def writer(event: Event) -> Identity | None:
    """Return the contact who wrote an incoming message, if not the conversation's own: in a group, or in copy."""
    sender = event.body.maybe("sender")
    if sender.get("type", "contact") != "contact":
        raise Skip("not written by a contact")
    own = conversation_of(event).opt.id("meta.sender.id")
    if own is None or sender.id("id", own) == own:
        return None
    return of_contact(event, sender, proved=False)


def of_contact(event: Event, contact: Payload, *, proved: bool) -> Identity:
    """Return a contact. `identifier` is your site's value for `setUser`; some messenger bridges set their own."""
    trusted = IDENTIFIER.of(event)
    own = trusted == "any" or (trusted == "verified" and proved)
    server, contact_id = SERVER.of(event), contact.id("id")
    known_as = f"{server}|{contact_id}" if server else contact_id
    name = real_name(contact.opt.text("name"))
    return Identity(
        metadata=(contact.texts("custom_attributes"),),
        user_ids=(contact.id("identifier", ""),) if own else (),
        anonymous=("contact", known_as),
        external_ids=(ExternalId("chatwoot_contact_id", known_as),),
        traits={
            "email": contact.opt.text("email"),
            "name": None if name and _MADE_UP.fullmatch(name) else name,
            "phone": contact.opt.text("phone_number"),
        },
    )
