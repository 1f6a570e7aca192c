"""How Chatwoot signs, names and dates its events, and whom they are about."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from translators.kit import (
    Clock,
    Event,
    ExternalId,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    Malformed,
    Option,
    Payload,
    SharedToken,
    Source,
    from_iso,
)

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
    options=[
        Option(
            "identifier",
            "whose `identifier` is your own user id: any contact's, where the widget proved it by HMAC, or none's",
            "any",
            ("any", "verified", "none"),
        ),
        Option("server", "a name for this Chatwoot server, where you receive from several: their ids overlap"),
    ],
)

# What the widget calls a visitor of whom it knows nothing, such as little-haze-776.
_MADE_UP: Final = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")


@chatwoot.event
def head(item: Item) -> Head:
    """Chatwoot numbers no event, and its delivery id is not signed: the bytes name it, the same on every retry.

    A rating is named by its survey and value, since each later change of the survey's message tells it again.
    """
    body = item.body
    type_ = body.text("event")
    at, clock = _time(type_, body)
    rating = rating_of(body).get("rating") if type_ == "message_updated" else None
    if rating is not None:
        account, message = body.id("account.id", ""), body.id("id")
        return Head(f"rating:{account}:{message}:{body.text('created_at', '')}:{rating}", type_, at, clock)
    return Head(f"{type_}:{body.id('id', '')}:{sha256(item.raw).hexdigest()[:40]}", type_, at, clock)


def _time(type_: str, body: Payload) -> tuple[datetime | None, Clock]:
    """The message's or record's own time. A change tells when in `changed_attributes`, else the record was touched."""
    if type_ in {"message_created", "contact_created", "conversation_created"} and "created_at" in body:
        return _utc(body, "created_at"), "event"
    changed = changes(body).get("updated_at")
    if changed is not None and "current_value" in changed:
        return _utc(changed, "current_value"), "event"
    conversation = body.maybe("conversation") if type_ == "message_updated" else body
    if type_ == "message_updated" and conversation.get("messages.0.id") == body.get("id"):
        return _utc(conversation, "messages.0.updated_at"), "event"
    return _utc(conversation, "updated_at") or _utc(conversation, "timestamp"), "record"


def _utc(body: Payload, path: str) -> datetime | None:
    """Unix seconds in a conversation, ISO 8601 in a message, `2020-03-03 13:05:57 UTC` in the documentation."""
    told = body.get(path)
    if isinstance(told, str) and told.endswith(" UTC"):
        try:
            return from_iso(told.removesuffix(" UTC"), naive_is_utc=True)
        except ValueError:
            raise Malformed(f"{body.path}.{path}", "is not a time") from None
    return body.when(path, None)


def changes(body: Payload) -> dict[str, Payload]:
    """What changed, by name: each has `previous_value` and `current_value`."""
    found: dict[str, Payload] = {}
    for entry in body.each("changed_attributes"):
        if isinstance(entry.value, dict):
            found |= {name: entry.maybe(name) for name in entry.value}
    return found


def rating_of(body: Payload) -> Payload:
    """The answer to a survey, empty where the message is none or not answered yet."""
    return body.maybe("content_attributes").maybe("submitted_values").maybe("csat_survey_response")


def conversation_of(event: Event) -> Payload:
    """The conversation: the body itself, or a message's."""
    return event.body.at("conversation") if event.type.startswith("message_") else event.body


@chatwoot.who
def who(event: Event) -> Identity:
    """The contact, whoever acted."""
    if event.type.startswith("contact_"):
        return _of_contact(event, event.body, proved=False)
    conversation = conversation_of(event)
    contact = conversation.maybe("meta.sender") or event.body.maybe("contact")
    if not contact:
        raise Malformed(f"{conversation.path}.meta.sender", "is missing")
    return _of_contact(event, contact, proved=conversation.flag("meta.hmac_verified", False))


def _of_contact(event: Event, contact: Payload, *, proved: bool) -> Identity:
    """`identifier` is what your site gave to `setUser`; some bridges to other messengers write their own there."""
    believed = event.option("identifier")
    own = believed == "any" or (believed == "verified" and proved)
    server, contact_id = event.option("server"), contact.id("id")
    known_as = f"{server}|{contact_id}" if server else contact_id
    return Identity(
        metadata=(contact.texts("custom_attributes"),),
        user_ids=(contact.id("identifier", ""),) if own else (),
        anonymous=("contact", known_as),
        external_ids=(ExternalId("chatwoot_contact_id", known_as),),
        traits=_traits(contact),
    )


def _traits(contact: Payload) -> dict[str, Any]:
    name = contact.text("name", "")
    told = {
        "email": contact.text("email", ""),
        "name": "" if _MADE_UP.fullmatch(name) else name,
        "phone": contact.text("phone_number", ""),
    }
    return {trait: value for trait, value in told.items() if value}
