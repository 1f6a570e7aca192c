"""Signature, key, time and identity of Zendesk's two kinds of webhooks."""

from __future__ import annotations

import re
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    Payload,
    Skip,
    Source,
    accept_account,
    first_id,
    moment,
    real_name,
    template_object,
    text_option,
)

ACCOUNT_ID: Final = text_option("account_id", "accept webhooks of this Zendesk account only")

zendesk = Source(
    "zendesk",
    title="Zendesk",
    docs="https://developer.zendesk.com/documentation/webhooks/",
    secret_help="Admin Center > Apps and integrations > Webhooks > your webhook > Signing secret > Reveal",
    # https://developer.zendesk.com/documentation/webhooks/verifying/ (the key is the text, though it looks like base64)
    scheme=HmacTimestamped(
        header="X-Zendesk-Webhook-Signature",
        ts_header="X-Zendesk-Webhook-Signature-Timestamp",
        ts_form="iso",
        template="{ts}{body}",
        encoding="base64",
    ),
    # A trigger's webhook: https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/#json-format
    methods=["PUT", "PATCH", "DELETE"],
    keep_headers=["X-Zendesk-Webhook-Invocation-Id", "X-Zendesk-Account-Id"],
    options=[ACCOUNT_ID],
)

_TYPE: Final = re.compile(r"zen:event-type[:/](?P<type>.+)")  # some of Zendesk's own examples write the slash
_STAFF: Final = {"agent", "admin"}
# Ids of what a trigger reports once. A ticket may be assigned or solved again, so these have the invocation as key.
_NAMED_BY: Final = {
    "trigger.ticket.created": ("ticket.id",),
    "trigger.ticket.replied": ("ticket.id", "comment.id"),
}


def _account(delivery: Delivery) -> str | None:
    """Return the account's id; a trigger webhook names it in a header."""
    return delivery.payload.opt.id("account_id") or delivery.headers.get("x-zendesk-account-id")


accept_account(zendesk, ACCOUNT_ID, _account, what="Zendesk account")


@zendesk.head
def head(item: Item) -> Head:
    """Return the head: type `ticket.created` of an event webhook, `trigger.ticket.created` of a trigger webhook.

    A trigger's delivery has no id in its body, its time is exact to the minute, and a second trigger or webhook has
    another invocation id. So the key of a creation is its ticket and that of a reply its comment. Any other type has
    the invocation id as key, or the digest of its bytes if that header is missing.
    """
    body = item.body
    if match := _TYPE.fullmatch(body.text("type", "")):
        return Head(id=body.id("id"), type=match["type"], occurred_at=body.iso("time"))
    if "detail-type" in body:
        return Head(id=item.digest, type="eventbridge", occurred_at=None)
    if "devices" in body and "notification" in body:
        return Head(id=item.digest, type="mobile_push", occurred_at=None)
    type_, body = f"trigger.{body.text('type')}", item.filled
    call = item.headers.get("x-zendesk-webhook-invocation-id") or item.digest
    ids = [body.id(path, "") for path in _NAMED_BY.get(type_, ())]
    account = item.headers.get("x-zendesk-account-id", "")
    key = ":".join(filter(None, (type_, account, *ids))) if ids and all(ids) else call
    at = moment(body, "at")
    return Head(id=key, type=type_, occurred_at=at, clock="record", former_ids=(FormerId(call),))


@zendesk.skip_if
def customers_only(event: Event) -> str | None:
    """Skip agents and admins: they are Zendesk users, but not customers."""
    if event.type.startswith("user.") and event.body.text("detail.role", "").lower() in _STAFF:
        return "about one of your agents or admins, not a customer"
    return None


@zendesk.identity
def identity(event: Event) -> Identity:
    """Return the requester of a ticket, or the user or organization of a user or organization event."""
    if event.type.startswith("trigger."):
        return _requester(event.filled)
    detail = event.body.object("detail")
    if event.type.startswith("organization."):
        return _organization(detail)
    if event.type.startswith("user."):
        return _user(detail)
    requester = id_of(detail, "requester_id")
    if requester is None:
        raise Skip("no customer: the ticket has no requester")
    return person(requester, id_of(detail, "organization_id"))


def id_of(body: Payload, path: str) -> str | None:
    """Return an id; None if Zendesk writes null, `"0"` or an empty text."""
    return None if body.get(path) in ("", "0", 0) else body.opt.id(path)


def person(user_id: str, organization_id: str | None = None, name: str | None = None) -> Identity:
    """Return a user of whom only the Zendesk id, and perhaps a name, is known."""
    return Identity(
        anonymous=("user", user_id),
        external_ids=(ExternalId("zendesk_user_id", user_id),),
        traits={"name": real_name(name)},
        group_id=organization_id,
    )


def _user(detail: Payload) -> Identity:
    user_id = detail.id("id")
    return Identity(
        user_ids=(id_of(detail, "external_id") or "",),
        anonymous=("user", user_id),
        external_ids=(ExternalId("zendesk_user_id", user_id),),
        traits=detail.select("email"),
        group_id=id_of(detail, "organization_id"),
    )


def _organization(detail: Payload) -> Identity:
    organization_id = detail.id("id")
    return Identity(
        anonymous=("organization", organization_id),
        external_ids=(ExternalId("zendesk_organization_id", organization_id, "accounts"),),
        group_id=organization_id,
    )


def _requester(body: Payload) -> Identity:
    requester = template_object(body, "requester", page="zendesk", place="trigger")
    user_id, email = id_of(requester, "id") or "", requester.text("email", "")
    anonymous = first_id(user=user_id, email=email.strip().lower())
    if anonymous is None:
        raise Skip("no customer: the ticket has no requester")
    return Identity(
        user_ids=(id_of(requester, "external_id") or "",),
        anonymous=anonymous,
        external_ids=(ExternalId("zendesk_user_id", user_id),),
        traits={"email": email, "name": real_name(requester.opt.text("name")), "phone": requester.get("phone")},
        group_id=id_of(body, "organization.id"),
    )
