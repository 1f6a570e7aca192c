"""Translate Pylon's (usepylon.com) triggers, whose body is the template of docs/sources/pylon.md.

https://docs.usepylon.com/pylon-docs/developer/webhooks
https://support.usepylon.com/articles/6080966819-how-do-i-verify-the-webhook-signatures
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from translators.kit import (
    Clock,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacBody,
    HmacTimestamped,
    Identity,
    Item,
    Message,
    Payload,
    SharedToken,
    Skip,
    Source,
    assigned,
    first_id,
    moment,
    opens_ticket,
    rating_fields,
    real_name,
    reply,
    template_object,
)

pylon = Source(
    "pylon",
    title="Pylon",
    docs="https://docs.usepylon.com/pylon-docs/developer/webhooks",
    secret_help="Settings > Webhooks: the secret of your endpoint, shown once",
    scheme={
        "default": HmacBody(header="X-Pylon-Signature"),
        # Described by third parties; it may belong to another company named Pylon: see docs/sources/pylon.md
        "timestamped": HmacTimestamped(
            header="Pylon-Webhook-Signature", ts_header="Pylon-Webhook-Timestamp", prefix="hs256="
        ),
        "token": SharedToken(where="header", name="X-Segue-Token"),
    },
)

pylon.manual_steps(
    "Settings > Webhooks > New: {url}. Copy its secret, which is shown once.",
    "Settings > Triggers: one for each of these types, with the action Send webhook:{types}",
    "Paste the template of docs/sources/pylon.md as the body of each, with the trigger's own type in the first line.",
)

_CHAT: Final = {"chat_widget", "chat widget", "chat", "in_app_chat"}
_MESSAGES: Final = {"issue.customer_replied", "issue.agent_replied"}
_CREATED_AT: Final = {"issue.created": "issue.created_at"} | dict.fromkeys(_MESSAGES, "message.created_at")
_TRUE: Final = {"true", "yes", "1"}


@pylon.head
def head(item: Item) -> Head:
    """Return the key from the message's id, a created issue's id, or a changed issue's time and state.

    Pylon sends no event id. Without any of these the key is the digest of the bytes.
    """
    body = item.filled
    type_ = body.text("type")
    by_bytes = f"{type_}:{sha256(item.raw).hexdigest()[:40]}"
    key = _key(type_, body) or by_bytes
    former = () if type_ in _MESSAGES else (FormerId(by_bytes),)
    at = moment(body, "at") or moment(body, _CREATED_AT.get(type_, "at"))
    changed_at = moment(body, "issue.updated_at")
    clock: Clock = "record" if changed_at and not at else "event"
    return Head(id=key, type=type_, occurred_at=at or changed_at, clock=clock, former_ids=former)


def _key(type_: str, body: Payload) -> str | None:
    issue, message, changed = body.id("issue.id", ""), body.id("message.id", ""), body.id("issue.updated_at", "")
    if type_ in _MESSAGES:
        return f"{type_}:{message}" if message else None
    if type_ == "issue.created":
        return f"{type_}:{issue}" if issue else None
    state = (body.id(path, "") for path in ("issue.state", "assignee.id", "team.id", "rating"))
    return ":".join((type_, issue, changed, *state)) if issue and changed else None


@pylon.identity
def identity(event: Event) -> Identity:
    """Return the issue's requester and their account."""
    body = event.filled
    requester = template_object(body, "requester", page="pylon", place="trigger")
    id_, email = requester.id("id", ""), requester.text("email", "")
    anonymous = first_id(contact=id_, email=email.strip().lower())
    if anonymous is None:
        raise Skip("no customer: the issue has no requester")
    return Identity(
        metadata=(requester.texts("own"),),
        anonymous=anonymous,
        external_ids=(
            ExternalId("pylon_contact_id", id_),
            ExternalId("pylon_account_id", body.id("account.id", ""), "accounts"),
        ),
        traits={"email": email, "name": real_name(requester.opt.text("name"))},
        group_id=body.first("account.external_id:id", "account.id:id"),
    )


@pylon.tracks({
    "issue.created": "Ticket Created",
    "issue.closed": "Ticket Solved",
    "issue.reopened": "Ticket Reopened",
    "issue.status_changed": "Ticket Status Changed",
})  # fmt: skip
def ticket(event: Event) -> dict[str, Any]:
    """Return the issue's properties."""
    return event.filled.select(
        ticket_id="issue.id:id!", ticket_number="issue.number", subject="issue.title", status="issue.state",
        priority="issue.priority", channel="issue.source", url="issue.link", assignee_id="assignee.id",
        assignee_name="assignee.name", team_id="team.id", team_name="team.name",
    )  # fmt: skip


@pylon.tracks({"issue.assigned": "Ticket Assigned"})
def issue_assigned(event: Event) -> dict[str, Any]:
    return assigned(ticket(event), "issue")


@pylon.tracks({"issue.rated": "Satisfaction Rated"})
def issue_rated(event: Event) -> dict[str, Any]:
    return ticket(event) | rating_fields(event.filled.id("rating"))


@pylon.on("issue.customer_replied")
def customer_replied(event: Event) -> Iterator[Message]:
    properties = ticket(event) | _message(event)
    chat = _is_chat(properties)
    if not chat:
        _skip_opening(event)
    yield reply("customer", properties, chat=chat, identity=_writer(event))


@pylon.on("issue.agent_replied")
def agent_replied(event: Event) -> Iterator[Message]:
    author = event.filled.maybe("message.author").select(agent_id="id:id", agent_name="name:text")
    properties = ticket(event) | _message(event) | author
    chat = _is_chat(properties) and "agent_id" in author
    if not chat:
        _skip_opening(event)
    yield reply("agent", properties, chat=chat)


def _message(event: Event) -> dict[str, Any]:
    message = event.filled.maybe("message")
    if str(message.get("private", "")).lower() in _TRUE:
        raise Skip("an internal note")
    if str(message.get("automated", "")).lower() in _TRUE:
        raise Skip("written by Pylon's AI agent or a trigger, not by a person")
    return {"message_id": message.opt.id("id")}


def _is_chat(properties: dict[str, Any]) -> bool:
    return str(properties.get("channel", "")).lower() in _CHAT


def _skip_opening(event: Event) -> None:
    if opens_ticket(moment(event.filled, "issue.created_at"), moment(event.filled, "message.created_at")):
        raise Skip("the message that opened the issue; issue.created reports it")


def _writer(event: Event) -> Identity | None:
    """Return the contact who wrote, if the template names one other than the requester: a person in copy may reply."""
    body, requester = event.filled, identity(event)
    writer, own = body.opt.id("message.author.id"), body.opt.id("requester.id")
    if writer is None or own is None or writer == own:
        return None
    return replace(
        requester,
        metadata=(),
        anonymous=("contact", writer),
        external_ids=(ExternalId("pylon_contact_id", writer), *requester.external_ids[1:]),
        traits={"name": real_name(body.opt.text("message.author.name"))},
    )


pylon.ignore("issue.updated", because="any change of any field; more specific triggers report it")
pylon.ignore("test", because="your own test delivery")
