"""Translate Help Scout's webhooks. https://developer.helpscout.com/webhooks/

The event type is in a header; the body is the current conversation, customer, rating or organization.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from translators.kit import (
    Clock,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Payload,
    Registered,
    Registering,
    Skip,
    Source,
    bearer,
    form_call,
    from_iso,
    full_name,
    group,
    identify,
    json_call,
    opens_ticket,
    real_name,
    track,
)

helpscout = Source(
    "helpscout",
    title="Help Scout",
    docs="https://developer.helpscout.com/webhooks/",
    secret_help="the secret that you set when you created the webhook (Manage > Apps > Webhooks, or POST /v2/webhooks)",
    scheme=HmacBody(alg="sha1", header="X-HelpScout-Signature", encoding="base64"),
    keep_headers=["X-HelpScout-Event"],
)

_EVENT: Final = "x-helpscout-event"
_REPLY: Final = {
    "convo.customer.reply.created": "customer",
    "beacon.chat.customer.replied": "customer",
    "convo.agent.reply.created": "message",
}
_THREAD: Final = {**_REPLY, "convo.note.created": "note"}
_DELETED: Final = ".deleted"
_NO_CUSTOMER: Final = "no customer: the conversation names none"
_AI_CREATED: Final = "convo.ai-answers.created"
_CREATIONS: Final = {"convo.created", _AI_CREATED, "beacon.chat.created", "customer.created", "organization.created"}


# Fields that a workflow may change without updating the record's time, which is the last change by a user
_STATE: Final = {
    "convo.status": ("status",),
    "convo.assigned": ("assignee.id", "owner.id"),
    "convo.tags": ("tags",),
    "convo.moved": ("mailboxId", "mailbox.id"),
    "convo.custom-fields": ("customFields",),
}


@helpscout.head
def head(item: Item) -> Head:
    """Return the key from the type in the header and the record's id: Help Scout sends no event id and no event time.

    A reply or note adds its thread's id. A change adds the record's time, in whole seconds, and what changed. A
    creation or deletion adds nothing.
    """
    type_ = item.headers.get(_EVENT, "")
    if not type_:
        raise Malformed("$", "came without the X-HelpScout-Event header, which names the event type")
    digest = sha256(item.raw).hexdigest()
    if type_ == "helpscout.test":
        return Head(id=f"{type_}:{digest}", type=type_, occurred_at=None, former_ids=(FormerId(f"sha256:{digest}"),))
    at, clock = _time(type_, item.body)
    former_key = _former(type_, item.body, at) if at else f"sha256:{digest}"
    is_named = at is not None or (type_.endswith(_DELETED) and "id" in item.body)
    key = _key(type_, item.body, former_key, digest) if is_named else f"{type_}:{digest}"
    former = (FormerId(former_key, same_bytes=True),) if former_key != key else ()
    return Head(id=key, type=type_, occurred_at=at, clock=clock, former_ids=former)


def _key(type_: str, body: Payload, by_time: str, digest: str) -> str:
    if type_.endswith(_DELETED):
        return f"{type_}:{body.id('id')}"
    if type_ in {"convo.created", _AI_CREATED}:
        return f"convo.created:{body.id('id')}"  # one conversation is created once
    thread = _thread(body, _THREAD[type_]) if type_ in _THREAD else None
    if thread and "id" in thread:
        return f"{type_}:{body.id('id')}:{thread.id('id')}"
    if type_ in {"customer.updated", "organization.updated"}:
        return f"{by_time}:{digest[:16]}"  # a profile may change twice in a second
    more = {"satisfaction.ratings": "rating", "convo.merged": "threads"}.get(type_)
    return f"{by_time}:{body.get(more, '')}" if more else by_time


def _former(type_: str, body: Payload, at: datetime) -> str:
    """Return the key that version 0.1 gave every dated event: type, record, its time and what changed."""
    type_name = "convo.created" if type_ == _AI_CREATED else type_
    key = f"{type_name}:{body.id('id')}:{at.isoformat()}"
    if state := [body.get(path) for path in _STATE.get(type_, ())]:
        key = f"{key}:{sha256(repr(state).encode('utf-8', 'replace')).hexdigest()[:16]}"
    return key


def _time(type_: str, body: Payload) -> tuple[datetime | None, Clock]:
    """Return the time of the reply, creation or closing; else the record's last change."""
    if type_ in _REPLY:
        thread = _thread(body, _REPLY[type_])
        if thread is not None:
            return _utc(thread, "createdAt"), "event"
    elif type_ in _CREATIONS:
        return _utc(body, "createdAt"), "event"
    elif type_ == "satisfaction.ratings":
        return _utc(body, "modifiedAt") or _utc(body, "createdAt"), "event"
    elif type_ == "convo.status" and body.get("status") == "closed" and "closedAt" in body:
        return _utc(body, "closedAt"), "event"
    return _utc(body, "userUpdatedAt") or _utc(body, "updatedAt") or _utc(body, "modifiedAt"), "record"


def _utc(body: Payload, path: str) -> datetime | None:
    """Return a time. Ratings have no time zone; Help Scout documents them as UTC."""
    text = body.opt.text(path)
    if not text:
        return None
    try:
        return from_iso(text, naive_is_utc=True)
    except ValueError:
        raise Malformed(f"{body.path}.{path}", "is not an ISO 8601 time") from None


def _thread(body: Payload, type_: str) -> Payload | None:
    """Return the newest thread of a type: `customer`, or `message` for an agent's reply. Drafts are left out."""
    return next(iter(_threads(body, type_)), None)


def _threads(body: Payload, type_: str) -> list[Payload]:
    """Return the threads of a type, newest first. Two may share a second; then the higher id is newer."""
    threads = body.each("_embedded.threads")
    sent = [thread for thread in threads if thread.get("type") == type_ and thread.get("state") != "draft"]
    return sorted(sent, key=lambda thread: (thread.text("createdAt", ""), thread.integer("id", 0)), reverse=True)


@helpscout.identity
def identity(event: Event) -> Identity:
    """Return the customer of a conversation, rating or customer event, or the organization."""
    body = event.body
    if event.type.startswith("customer."):
        return _customer(body)
    if event.type.startswith("organization."):
        return _organization(body)
    for path in ("primaryCustomer", "customer"):
        if path in body:
            return _customer(body.object(path))
    raise Skip(_NO_CUSTOMER)


@helpscout.registration(
    Need("app_id", "HELPSCOUT_APP_ID", "the App ID of an OAuth2 app (Your Profile > My apps)", secret=False),
    Need("app_secret", "HELPSCOUT_APP_SECRET", "its App Secret"),
)
def register(at: Registering) -> Registered:
    """Create one webhook. A secret has at most 40 characters; the API has no events for organizations and AI Answers.

    https://developer.helpscout.com/mailbox-api/endpoints/webhooks/create/
    """
    base, secret = "https://api.helpscout.net/v2", at.secret[:40]
    app = [("client_id", at.values["app_id"]), ("client_secret", at.values["app_secret"])]
    token = yield form_call(f"{base}/oauth2/token", {}, [("grant_type", "client_credentials"), *app])
    events = [type_ for type_ in at.types if not type_.startswith(("organization.", "convo.ai-"))]
    webhook = {"url": at.url, "events": events, "secret": secret, "payloadVersion": "V2", "label": "Segue"}
    yield json_call("POST", f"{base}/webhooks", bearer(token.text("access_token")), webhook)
    return secret


def _customer(customer: Payload) -> Identity:
    """Return a customer. `_embedded.properties` are custom fields by slug; one of them may be your user id."""
    customer_id, email = (
        customer.id("id", "0"),
        _text(customer, "email", "_embedded.emails.0.value", "emails.0.value"),
    )
    if customer_id == "0" and not email:
        raise Skip(_NO_CUSTOMER)
    own = {
        field.text("slug"): field.text("value")
        for field in customer.each("_embedded.properties")
        if isinstance(field.get("slug"), str) and isinstance(field.get("value"), str)
    }
    name = full_name(_text(customer, "firstName", "first"), _text(customer, "lastName", "last"))
    traits = {
        "email": email,
        "name": real_name(name),
        "phone": _text(customer, "phone", "_embedded.phones.0.value"),
    }
    return Identity(
        metadata=(own,),
        anonymous=("email", email.strip().lower()) if email and customer_id == "0" else ("customer", customer_id),
        external_ids=(ExternalId("helpscout_customer_id", "" if customer_id == "0" else customer_id),),
        traits={trait: value for trait, value in traits.items() if value},
    )


def _text(body: Payload, *paths: str) -> str | None:
    return body.first(*paths)


def _organization(organization: Payload) -> Identity:
    organization_id = organization.id("id")
    external = ExternalId("helpscout_organization_id", organization_id, "accounts")
    return Identity(anonymous=("organization", organization_id), external_ids=(external,), group_id=organization_id)


def _ticket(event: Event) -> dict[str, Any]:
    body = event.body
    assignee = body.maybe("assignee") or body.maybe("owner")
    return {
        "ticket_id": body.id("id"),
        **body.select(
            ticket_number="number:id",
            subject="subject:text",
            status="status:text",
            type="type:text",
            channel="source.type:text",
        ),
        "tags": [tag.opt.text("tag") for tag in body.each("tags") if isinstance(tag.get("tag"), str)],
        "assignee_id": assignee.opt.id("id"),
        "assignee_name": _name(assignee),
        "mailbox_id": body.opt.id("mailboxId") or body.opt.id("mailbox.id"),
    }


def _name(person: Payload) -> str | None:
    return full_name(person.opt.text("first"), person.opt.text("last"))


@helpscout.on("convo.created", _AI_CREATED)
def conversation_created(event: Event) -> Iterator[Message]:
    author = {"customer": "customer", "user": "agent"}.get(event.body.text("createdBy.type", ""))
    yield track("Ticket Created", {**_ticket(event), "author": author})


@helpscout.on("convo.assigned")
def conversation_assigned(event: Event) -> Iterator[Message]:
    ticket = _ticket(event)
    if ticket.get("assignee_id") is None:
        raise Skip("the conversation was unassigned")
    yield track("Ticket Assigned", ticket)


@helpscout.on("convo.customer.reply.created")
def customer_replied(event: Event) -> Iterator[Message]:
    thread = _thread(event.body, "customer") or Payload({})
    _skip_opening(event, thread)
    properties = _ticket(event) | {"message_id": thread.opt.id("id")}
    yield track("Ticket Replied", {**properties, "author": "customer"}, identity=_writer(event, thread))


def _skip_opening(event: Event, thread: Payload) -> None:
    if opens_ticket(_utc(event.body, "createdAt"), _utc(thread, "createdAt")):
        raise Skip("the message that opened the conversation; convo.created has it")


def _writer(event: Event, thread: Payload) -> Identity | None:
    """Return the customer who wrote, if it was not the conversation's own: a person in copy may reply."""
    for path in ("createdBy", "customer"):
        writer = thread.maybe(path)
        if writer.get("type", "customer") == "customer" and writer.id("id", "0") != "0":
            own = event.body.opt.id("primaryCustomer.id") or event.body.opt.id("customer.id")
            return None if writer.id("id") == own else _customer(writer)
    return None


@helpscout.on("convo.agent.reply.created")
def agent_replied(event: Event) -> Iterator[Message]:
    thread = _thread(event.body, "message") or Payload({})
    _skip_opening(event, thread)
    writer = thread.maybe("createdBy")
    if writer.text("type", "user") not in {"user", "team"}:
        raise Skip("written by Help Scout's AI or a workflow")
    properties = _ticket(event) | {"agent_id": writer.opt.id("id"), "agent_name": _name(writer)}
    yield track("Ticket Replied", {**properties, "author": "agent", "message_id": thread.opt.id("id")})


@helpscout.on("convo.status")
def status_changed(event: Event) -> Iterator[Message]:
    """Report the new status. Help Scout does not send the old one, so a reopening cannot be recognised."""
    status = event.body.text("status")
    if status == "spam":
        raise Skip("spam, not a customer's conversation")
    yield track("Ticket Solved" if status == "closed" else "Ticket Status Changed", _ticket(event))


@helpscout.on("convo.tags", "convo.custom-fields", "convo.moved")
def conversation_updated(event: Event) -> Iterator[Message]:
    changed = {"convo.tags": "tags", "convo.custom-fields": "custom_fields", "convo.moved": "mailbox"}[event.type]
    yield track("Ticket Updated", {**_ticket(event), "changed": [changed]})


@helpscout.on("convo.merged")
def conversation_merged(event: Event) -> Iterator[Message]:
    yield track("Ticket Merged", _ticket(event))


@helpscout.on("satisfaction.ratings")
def rated(event: Event) -> Iterator[Message]:
    body = event.body
    yield track(
        "Satisfaction Rated",
        {
            "ticket_id": body.opt.id("conversationId") or body.opt.id("ticketId"),
            **body.select(ticket_number="conversationNumber:id", message_id="threadId:id"),
            "rating": body.text("rating").lower(),
            "agent_id": body.opt.id("user.id"),
        },
    )


@helpscout.on("beacon.chat.created")
def chat_started(event: Event) -> Iterator[Message]:
    properties, threads = {"conversation_id": event.body.id("id")}, _threads(event.body, "customer")
    properties |= {"message_id": threads[-1].id("id")} if threads else {}
    yield track("Live Chat Conversation Started", properties)
    if threads:
        yield track("Live Chat Message Sent", properties)


@helpscout.on("beacon.chat.customer.replied")
def chat_message_sent(event: Event) -> Iterator[Message]:
    threads = _threads(event.body, "customer")
    thread = next(iter(threads), Payload({}))
    if len(threads) == 1 and opens_ticket(_utc(event.body, "createdAt"), _utc(thread, "createdAt")):
        raise Skip("the message that opened the chat; beacon.chat.created has it")
    properties = {"conversation_id": event.body.id("id"), "message_id": thread.opt.id("id")}
    yield track("Live Chat Message Sent", properties, identity=_writer(event, thread))


@helpscout.on("customer.created", "customer.updated")
def customer_known(event: Event) -> Iterator[Message]:
    traits = {name: value or None for name, value in event.body.select(
        "firstName", "lastName", "age", "gender", title="jobTitle", avatar="photoUrl").items()}  # fmt: skip
    if str(traits.get("gender", "")).lower() == "unknown":
        del traits["gender"]
    company = event.body.opt.text("organization")
    created_at = _utc(event.body, "createdAt")
    yield identify({**traits, "company": {"name": company} if company else None, "createdAt": created_at})


@helpscout.on("customer.deleted")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Contact Deleted", {"contact_id": event.body.id("id")})


@helpscout.on("organization.created", "organization.updated")
def organization_known(event: Event) -> Iterator[Message]:
    traits = event.body.select("name", "website", "description", avatar="logoUrl")
    yield group(event.body.id("id"), {**traits, "createdAt": _utc(event.body, "createdAt")})


@helpscout.on("organization.deleted")
def organization_deleted(event: Event) -> Iterator[Message]:
    yield track("Account Deleted", {"account_name": event.body.opt.text("name")})


helpscout.ignore("helpscout.test", because="Help Scout's own test of this URL")
helpscout.ignore("convo.ai-answers-email.*", because="written by Help Scout's AI, or a report of its outcome")
helpscout.ignore("convo.note.created", because="a private note, not a customer action")
helpscout.ignore("convo.deleted", because="its body names the conversation only, not the customer")
helpscout.ignore("tag.*", because="your team's list of labels; convo.tags reports their use")
helpscout.ignore("user.status.changed", because="about your teammates, not a customer")
helpscout.ignore("message.survey.response.received", because="an in-app survey's answer, not a rating of support")
