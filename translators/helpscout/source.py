"""Signature, key, time and identity of Help Scout's events.

The event type is in a header; the body is the current conversation, customer, rating or organization.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final

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
    Payload,
    Skip,
    Source,
    full_name,
    real_name,
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
AI_CREATED: Final = "convo.ai-answers.created"
_CREATIONS: Final = {"convo.created", AI_CREATED, "beacon.chat.created", "customer.created", "organization.created"}
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
    former = FormerId(former_key, same_bytes=True)
    return Head(id=key, type=type_, occurred_at=at, clock=clock, former_ids=(former,))


def _key(type_: str, body: Payload, by_time: str, digest: str) -> str:
    if type_.endswith(_DELETED):
        return f"{type_}:{body.id('id')}"
    if type_ in {"convo.created", AI_CREATED}:
        return f"convo.created:{body.id('id')}"  # one conversation is created once
    if type_ in _THREAD and (newest := threads(body, _THREAD[type_])[:1]) and "id" in newest[0]:
        return f"{type_}:{body.id('id')}:{newest[0].id('id')}"
    if type_ in {"customer.updated", "organization.updated"}:
        return f"{by_time}:{digest[:16]}"  # a profile may change twice in a second
    more = {"satisfaction.ratings": "rating", "convo.merged": "threads"}.get(type_)
    return f"{by_time}:{body.get(more, '')}" if more else by_time


def _former(type_: str, body: Payload, at: datetime) -> str:
    """Return the key that version 0.1 gave every dated event: type, record, its time and what changed."""
    type_name = "convo.created" if type_ == AI_CREATED else type_
    key = f"{type_name}:{body.id('id')}:{at.isoformat()}"
    if state := [body.get(path) for path in _STATE.get(type_, ())]:
        key = f"{key}:{sha256(repr(state).encode('utf-8', 'replace')).hexdigest()[:16]}"
    return key


def _time(type_: str, body: Payload) -> tuple[datetime | None, Clock]:
    """Return the time of the reply, creation or closing; else the record's last change."""
    if type_ in _REPLY:
        if newest := threads(body, _REPLY[type_])[:1]:
            return utc(newest[0], "createdAt"), "event"
    elif type_ in _CREATIONS:
        return utc(body, "createdAt"), "event"
    elif type_ == "satisfaction.ratings":
        return utc(body, "modifiedAt") or utc(body, "createdAt"), "event"
    elif type_ == "convo.status" and body.get("status") == "closed" and "closedAt" in body:
        return utc(body, "closedAt"), "event"
    return utc(body, "userUpdatedAt") or utc(body, "updatedAt") or utc(body, "modifiedAt"), "record"


def utc(body: Payload, path: str) -> datetime | None:
    """Return a time. Ratings have no time zone; Help Scout documents them as UTC."""
    return body.opt.iso(path, naive_is_utc=True)


def threads(body: Payload, type_: str) -> list[Payload]:
    """Return the threads of a type, newest first: `customer`, or `message` for an agent's reply. Drafts are left out.

    Two may share a second; then the higher id is newer.
    """
    every = body.each("_embedded.threads")
    sent = [thread for thread in every if thread.get("type") == type_ and thread.get("state") != "draft"]
    return sorted(sent, key=lambda thread: (thread.text("createdAt", ""), thread.integer("id", 0)), reverse=True)


@helpscout.identity
def identity(event: Event) -> Identity:
    """Return the customer of a conversation, rating or customer event, or the organization."""
    if event.type.startswith("customer."):
        return of_customer(event.body)
    if event.type.startswith("organization."):
        return _organization(event.body)
    for path in ("primaryCustomer", "customer"):
        if path in event.body:
            return of_customer(event.body.object(path))
    raise Skip(_NO_CUSTOMER)


def of_customer(customer: Payload) -> Identity:
    """Return a customer. `_embedded.properties` are custom fields by slug; one of them may be your user id."""
    customer_id, email = customer.id("id", "0"), customer.first("email", "_embedded.emails.0.value", "emails.0.value")
    if customer_id == "0" and not email:
        raise Skip(_NO_CUSTOMER)
    own = {
        field.text("slug"): field.text("value")
        for field in customer.each("_embedded.properties")
        if isinstance(field.get("slug"), str) and isinstance(field.get("value"), str)
    }
    name = full_name(customer.first("firstName", "first"), customer.first("lastName", "last"))
    phone = customer.first("phone", "_embedded.phones.0.value")
    return Identity(
        metadata=(own,),
        anonymous=("email", email.strip().lower()) if email and customer_id == "0" else ("customer", customer_id),
        external_ids=(ExternalId("helpscout_customer_id", "" if customer_id == "0" else customer_id),),
        traits={"email": email, "name": real_name(name), "phone": phone},
    )


def _organization(organization: Payload) -> Identity:
    organization_id = organization.id("id")
    external = ExternalId("helpscout_organization_id", organization_id, "accounts")
    return Identity(anonymous=("organization", organization_id), external_ids=(external,), group_id=organization_id)
