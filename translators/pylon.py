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
    BLANK,
    Clock,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacBody,
    HmacTimestamped,
    Identity,
    Item,
    Malformed,
    Message,
    Payload,
    SharedToken,
    Skip,
    Source,
    filled,
    moment,
    opens_ticket,
    real_name,
    track,
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
_TRUE: Final = {"true", "yes", "1"}


def _body(item: Item) -> Payload:
    return filled(item.body, blank=BLANK)


@pylon.head
def head(item: Item) -> Head:
    """Return the key from the message's id, a created issue's id, or a changed issue's time and state.

    Pylon sends no event id. Without any of these the key is the digest of the bytes.
    """
    body = _body(item)
    type_ = body.text("type")
    by_bytes = f"{type_}:{sha256(item.raw).hexdigest()[:40]}"
    key = _key(type_, body) or by_bytes
    former = (FormerId(by_bytes),) if key != by_bytes and type_ not in _MESSAGES else ()
    created_paths = {"issue.created": "issue.created_at"} | dict.fromkeys(_MESSAGES, "message.created_at")
    times: tuple[tuple[str, Clock], ...] = (
        ("at", "event"),
        (created_paths.get(type_, "at"), "event"),
        ("issue.updated_at", "record"),
    )
    for path, clock in times:
        if at := moment(body, path):
            return Head(id=key, type=type_, occurred_at=at, clock=clock, former_ids=former)
    return Head(id=key, type=type_, occurred_at=None, former_ids=former)


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
    body = _body(event)
    if "requester" not in body.value:
        raise Malformed("$.requester", "is missing: paste the template of docs/sources/pylon.md into the trigger")
    requester = body.maybe("requester")
    id_, email = requester.id("id", ""), requester.text("email", "")
    if not id_ and not email:
        raise Skip("no customer: the issue has no requester")
    return Identity(
        metadata=(requester.texts("own"),),
        anonymous=("contact", id_) if id_ else ("email", email.strip().lower()),
        external_ids=(
            ExternalId("pylon_contact_id", id_),
            ExternalId("pylon_account_id", body.id("account.id", ""), "accounts"),
        ),
        traits={"email": email, "name": real_name(requester.opt.text("name"))},
        group_id=body.opt.id("account.external_id") or body.opt.id("account.id"),
    )


def _ticket(event: Event) -> dict[str, Any]:
    body = _body(event)
    paths = {
        "ticket_number": "issue.number", "subject": "issue.title", "status": "issue.state",
        "priority": "issue.priority", "channel": "issue.source", "url": "issue.link", "assignee_id": "assignee.id",
        "assignee_name": "assignee.name", "team_id": "team.id", "team_name": "team.name",
    }  # fmt: skip
    return {"ticket_id": body.id("issue.id")} | body.select(**paths)


@pylon.on("issue.created")
def issue_created(event: Event) -> Iterator[Message]:
    yield track("Ticket Created", _ticket(event))


@pylon.on("issue.assigned")
def issue_assigned(event: Event) -> Iterator[Message]:
    ticket = _ticket(event)
    if "assignee_id" not in ticket and "team_id" not in ticket:
        raise Skip("the issue was unassigned")
    yield track("Ticket Assigned", ticket)


@pylon.on("issue.closed")
def issue_closed(event: Event) -> Iterator[Message]:
    yield track("Ticket Solved", _ticket(event))


@pylon.on("issue.reopened")
def issue_reopened(event: Event) -> Iterator[Message]:
    yield track("Ticket Reopened", _ticket(event))


@pylon.on("issue.status_changed")
def issue_status_changed(event: Event) -> Iterator[Message]:
    yield track("Ticket Status Changed", _ticket(event))


@pylon.on("issue.rated")
def issue_rated(event: Event) -> Iterator[Message]:
    rating = _body(event).id("rating")
    score = int(rating) if rating.isascii() and rating.isdecimal() and len(rating) < 4 else None
    yield track("Satisfaction Rated", {**_ticket(event), "rating": rating.lower(), "score": score})


@pylon.on("issue.customer_replied")
def customer_replied(event: Event) -> Iterator[Message]:
    ticket, message = _ticket(event), _message(event)
    if _is_chat(ticket):
        yield track(
            "Live Chat Message Sent",
            {**ticket, **message, "conversation_id": ticket["ticket_id"]},
            identity=_writer(event),
        )
    else:
        _skip_opening(event)
        yield track("Ticket Replied", {**ticket, **message, "author": "customer"}, identity=_writer(event))


def _writer(event: Event) -> Identity | None:
    """Return the contact who wrote, if the template names one other than the requester: a person in copy may reply."""
    body = _body(event)
    writer, own = body.opt.id("message.author.id"), body.opt.id("requester.id")
    if writer is None or own is None or writer == own:
        return None
    return replace(
        identity(event),
        metadata=(),
        anonymous=("contact", writer),
        external_ids=(ExternalId("pylon_contact_id", writer), *identity(event).external_ids[1:]),
        traits={"name": real_name(body.opt.text("message.author.name"))},
    )


def _skip_opening(event: Event) -> None:
    body = _body(event)
    if opens_ticket(moment(body, "issue.created_at"), moment(body, "message.created_at")):
        raise Skip("the message that opened the issue; issue.created reports it")


@pylon.on("issue.agent_replied")
def agent_replied(event: Event) -> Iterator[Message]:
    ticket, message, author = _ticket(event), _message(event), _body(event).maybe("message.author")
    agent = author.select(agent_id="id:id", agent_name="name:text")
    if _is_chat(ticket) and agent.get("agent_id"):
        yield track(
            "Live Chat Message Received", {**ticket, **message, **agent, "conversation_id": ticket["ticket_id"]}
        )
    else:
        _skip_opening(event)
        yield track("Ticket Replied", {**ticket, **message, **agent, "author": "agent"})


def _message(event: Event) -> dict[str, Any]:
    message = _body(event).maybe("message")
    if str(message.get("private", "")).lower() in _TRUE:
        raise Skip("an internal note")
    if str(message.get("automated", "")).lower() in _TRUE:
        raise Skip("written by Pylon's AI agent or a trigger, not by a person")
    return {"message_id": message.opt.id("id")}


def _is_chat(ticket: dict[str, Any]) -> bool:
    return str(ticket.get("channel", "")).lower() in _CHAT


pylon.ignore("issue.updated", because="any change of any field; more specific triggers report it")
pylon.ignore("test", because="your own test delivery")
