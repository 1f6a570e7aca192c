"""Signature, key, time and identity of Linear's webhooks.

The event type is Linear's `type` and `action`: `Issue.create`, `IssueSLA.breached`. Payloads follow Linear's public
schema: https://github.com/linear/linear/blob/master/packages/sdk/src/schema.graphql
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Payload,
    Skip,
    Source,
    accept_account,
    real_name,
    text_option,
    to_iso,
)

ORGANIZATION_ID: Final = text_option("organization_id", "accept webhooks of this Linear workspace only")

linear = Source(
    "linear",
    title="Linear",
    docs="https://linear.app/developers/webhooks",
    secret_help="Settings > API > Webhooks > your webhook > Signing secret (or the OAuth application's)",
    # Linear's SDK allows 60 s; each attempt has a new timestamp and signature
    scheme=HmacBody(header="Linear-Signature", ts_path="webhookTimestamp", ts_form="ms", tolerance=60),
    keep_headers=["Linear-Delivery"],
    options=[ORGANIZATION_ID],
)

_ISSUES: Final = {"Issue", "IssueSLA"}


accept_account(
    linear, ORGANIZATION_ID, lambda delivery: delivery.payload.opt.id("organizationId"), what="Linear workspace"
)


@linear.head
def head(item: Item) -> Head:
    """Return the key from type, object id and time in milliseconds, all signed; for an update also the old fields.

    `Linear-Delivery` differs between a team's and the workspace's webhook for the same change, so it is the key only
    if there is no object id.
    """
    body = item.body
    kind, at = body.text("type"), body.iso("createdAt")
    type_ = f"{kind}.{body.text('action')}"
    about = body.first("data.id:id", "issueData.id:id", "oauthClientId:id")
    delivered = item.headers.get("linear-delivery", "")
    natural = f"{body.id('organizationId')}:{type_}:{about or ''}:{to_iso(at)}"
    if not about:
        return Head(id=delivered or natural, type=type_, occurred_at=at)
    if "updatedFrom" not in body:
        return Head(id=natural, type=type_, occurred_at=at, former_ids=(FormerId(delivered),))
    was = sha256(repr(body.get("updatedFrom")).encode("utf-8", "replace")).hexdigest()[:8]
    former = FormerId(delivered) if delivered else FormerId(natural, same_bytes=True)
    return Head(id=f"{natural}:{was}", type=type_, occurred_at=at, former_ids=(former,))


@linear.identity
def identity(event: Event) -> Identity:
    """Return who created an issue, the customer of a request, or who reacted; the workspace if unknown."""
    kind = event.type.partition(".")[0]
    if kind in _ISSUES:
        return _requester(event)
    data = event.body.maybe("data")
    if kind == "Customer":
        return customer(data.id("id"))
    if kind == "CustomerNeed" and (customer_id := data.first("customerId:id", "customer:id")):
        return customer(customer_id)
    if kind == "User":
        return member(data.id("id"), data)
    return writer(data) or _workspace(event)


def about(event: Event) -> Payload:
    """Return the issue of an issue or SLA event."""
    return event.body.object("issueData" if event.type.startswith("IssueSLA.") else "data")


def writer(data: Payload) -> Identity | None:
    """Return who wrote a comment or reacted: an external user of a synced thread, or a member."""
    if outside := data.first("externalUserId:id", "externalUser:id"):
        return external(outside, data.maybe("externalUser"))
    if inside := data.first("userId:id", "user:id"):
        return member(inside, data.maybe("user"))
    return None


def external(user_id: str, user: Payload) -> Identity:
    """Return a user outside the workspace, such as the author of a Slack or help desk thread."""
    return Identity(
        anonymous=("external_user", user_id),
        external_ids=(ExternalId("linear_external_user_id", user_id),),
        traits=_traits(user),
    )


def member(user_id: str, user: Payload) -> Identity:
    """Return a member of the workspace."""
    return Identity(
        anonymous=("user", user_id), external_ids=(ExternalId("linear_user_id", user_id),), traits=_traits(user)
    )


def customer(customer_id: str) -> Identity:
    """Return a customer, which is a company, as its own identity."""
    return Identity(
        anonymous=("customer", customer_id),
        external_ids=(ExternalId("linear_customer_id", customer_id, "accounts"),),
        group_id=customer_id,
    )


def _requester(event: Event) -> Identity:
    """Return who created an issue. Linear names the external user beside the member or integration that added it."""
    issue = about(event)
    if outside := issue.first("externalUserCreatorId:id", "externalUserCreator:id"):
        return external(outside, issue.maybe("externalUserCreator"))
    inside = issue.first("creatorId:id", "creator:id")
    if inside and "botActor" not in issue:
        return member(inside, issue.maybe("creator"))
    if not inside and "botActor" not in issue and {"creatorId", "botActor"} <= set(issue.value):
        raise Skip("no customer: the issue has no creator")
    return _workspace(event)


def _workspace(event: Event) -> Identity:
    organization_id = event.body.id("organizationId")
    return Identity(anonymous=("organization", organization_id), group_id=organization_id)


def _traits(user: Payload) -> dict[str, str | None]:
    return {"email": user.opt.text("email"), "name": real_name(user.opt.text("name"))}
