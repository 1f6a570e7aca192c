"""How Zendesk signs, names and dates its two kinds of webhooks, and whom they are about."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    Malformed,
    Option,
    Payload,
    Refused,
    Skip,
    Source,
    filled,
    moment,
)

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
    keep_headers=["X-Zendesk-Webhook-Invocation-Id"],
    options=[Option("account_id", "accept webhooks of this Zendesk account only")],
)

_TYPE: Final = re.compile(r"zen:event-type[:/](?P<type>.+)")  # some of Zendesk's own examples write the slash
_STAFF: Final = {"agent", "admin"}


@zendesk.guard
def account(delivery: Delivery) -> None:
    """An account that the operator named is the only one let in; a trigger webhook says its own in a header."""
    wanted = delivery.options["account_id"]
    told = delivery.payload.id("account_id", "") or delivery.headers.get("x-zendesk-account-id", "")
    if wanted and told and told != wanted:
        raise Refused("This delivery is of another Zendesk account.")


@zendesk.event
def head(item: Item) -> Head:
    """`ticket.created` of an event webhook, `trigger.ticket.created` of a trigger webhook.

    A trigger's delivery has no id in its body and its time is only exact to the minute, so Zendesk's invocation id
    names it, and its bytes where that header is missing.
    """
    body = item.body
    if told := _TYPE.fullmatch(body.text("type", "")):
        return Head(body.id("id"), told["type"], body.iso("time"))
    digest = f"sha256:{sha256(item.raw).hexdigest()}"
    if "detail-type" in body:
        return Head(digest, "eventbridge", None)
    if "devices" in body and "notification" in body:
        return Head(digest, "mobile_push", None)
    key = item.headers.get("x-zendesk-webhook-invocation-id") or digest
    return Head(key, f"trigger.{body.text('type')}", moment(filled(body), "at"), "record")


@zendesk.before
def customers_only(event: Event) -> None:
    """Agents and admins are Zendesk users too, and no customers."""
    if event.type.startswith("user.") and event.body.text("detail.role", "").lower() in _STAFF:
        raise Skip("about an agent or admin of yours, not a customer")


@zendesk.who
def who(event: Event) -> Identity:
    """The requester of a ticket, the user or the organization of their own events."""
    if event.type.startswith("trigger."):
        return _requester(filled(event.body))
    detail = event.body.at("detail")
    if event.type.startswith("organization."):
        return _organization(detail)
    if event.type.startswith("user."):
        return _user(detail)
    return person(detail.id("requester_id"), id_of(detail, "organization_id"))


def id_of(body: Payload, path: str) -> str | None:
    """An id, None where there is none: Zendesk writes null, `"0"` or an empty text."""
    return None if body.get(path) in ("", "0", 0) else body.id(path, None)


def person(user_id: str, organization_id: str | None = None, **traits: str | None) -> Identity:
    """A user of whom only the id at Zendesk is told."""
    return Identity(
        anonymous=("user", user_id),
        external_ids=(ExternalId("zendesk_user_id", user_id),),
        traits={name: value for name, value in traits.items() if value},
        group_id=organization_id,
    )


def _user(detail: Payload) -> Identity:
    user_id = detail.id("id")
    return Identity(
        user_ids=(id_of(detail, "external_id") or "",),
        anonymous=("user", user_id),
        external_ids=(ExternalId("zendesk_user_id", user_id),),
        traits=detail.pick("email"),
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
    told = body.maybe("requester")
    user_id, email = told.id("id", ""), told.text("email", "")
    if not user_id and not email:
        raise Malformed("$.requester.id", "is missing, and so is the email: paste the template of the docs anew")
    return Identity(
        user_ids=(told.id("external_id", ""),),
        anonymous=("user", user_id) if user_id else ("email", email.strip().lower()),
        external_ids=(ExternalId("zendesk_user_id", user_id),),
        traits=told.pick("email", "name", "phone"),
        group_id=body.id("organization.id", None),
    )
