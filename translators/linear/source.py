"""How Linear signs, names and dates its webhooks, and whom they are about.

The type is Linear's `type` and `action`: `Issue.create`, `IssueSLA.breached`. Payloads are those of Linear's public
schema: https://github.com/linear/linear/blob/master/packages/sdk/src/schema.graphql
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    FormerKey,
    Head,
    HmacBody,
    Identity,
    Item,
    Option,
    Payload,
    Refused,
    Skip,
    Source,
    real_name,
    to_iso,
)

linear = Source(
    "linear",
    title="Linear",
    docs="https://linear.app/developers/webhooks",
    secret_help="Settings > API > Webhooks > your webhook > Signing secret (or the OAuth application's)",
    # 60 s is what Linear's own SDK allows; each attempt is dated and signed anew
    scheme=HmacBody(header="Linear-Signature", ts_path="webhookTimestamp", ts_form="ms", tolerance=60),
    keep_headers=["Linear-Delivery"],
    options=[Option("organization_id", "accept webhooks of this Linear workspace only")],
)

_ISSUES: Final = {"Issue", "IssueSLA"}


@linear.guard
def workspace(delivery: Delivery) -> None:
    """A workspace that the operator named is the only one let in."""
    allowed = delivery.options["organization_id"]
    if allowed and delivery.payload.id("organizationId", "") != allowed:
        raise Refused("This delivery is of another Linear workspace.")


@linear.event
def head(item: Item) -> Head:
    """What happened to what and when, to the millisecond, all of it signed; of an update also what the fields were.

    `Linear-Delivery` names the delivery: a team's and the workspace's webhook send one change under two of them. It
    names only what has no id.
    """
    body = item.body
    kind, at = body.text("type"), body.iso("createdAt")
    type_ = f"{kind}.{body.text('action')}"
    about = body.id("data.id", "") or body.id("issueData.id", "") or body.id("oauthClientId", "")
    delivered = item.headers.get("linear-delivery", "")
    natural = f"{body.id('organizationId')}:{type_}:{about}:{to_iso(at)}"
    if not about:
        return Head(delivered or natural, type_, at)
    if "updatedFrom" not in body:
        return Head(natural, type_, at, former_keys=(FormerKey(delivered),) if delivered else ())
    was = sha256(repr(body.get("updatedFrom")).encode("utf-8", "replace")).hexdigest()[:8]
    former = FormerKey(delivered) if delivered else FormerKey(natural, same_bytes=True)
    return Head(f"{natural}:{was}", type_, at, former_keys=(former,))


@linear.who
def who(event: Event) -> Identity:
    """Who asked for an issue, the customer of a request, who reacted; the workspace where nobody is told."""
    kind = event.type.partition(".")[0]
    if kind in _ISSUES:
        return _requester(event)
    data = event.body.maybe("data")
    if kind == "Customer":
        return customer(data.id("id"))
    if kind == "CustomerNeed" and (customer_id := data.id("customerId", None) or data.id("customer", None)):
        return customer(customer_id)
    if kind == "User":
        return member(data.id("id"), data)
    return writer(data) or _workspace(event)


def about(event: Event) -> Payload:
    """The issue of an issue's event, wherever Linear puts it."""
    return event.body.at("issueData" if event.type.startswith("IssueSLA.") else "data")


def writer(data: Payload) -> Identity | None:
    """Who wrote a comment or reacted: somebody outside, whom Linear knows through a synced thread, or a member."""
    if outside := data.id("externalUserId", None) or data.id("externalUser", None):
        return external(outside, data.maybe("externalUser"))
    if inside := data.id("userId", None) or data.id("user", None):
        return member(inside, data.maybe("user"))
    return None


def external(user_id: str, user: Payload) -> Identity:
    """Somebody outside the workspace, such as the person behind a Slack or help desk thread."""
    return Identity(
        anonymous=("external_user", user_id),
        external_ids=(ExternalId("linear_external_user_id", user_id),),
        traits=_traits(user),
    )


def member(user_id: str, user: Payload) -> Identity:
    """A member of the workspace."""
    return Identity(
        anonymous=("user", user_id), external_ids=(ExternalId("linear_user_id", user_id),), traits=_traits(user)
    )


def customer(customer_id: str) -> Identity:
    """A customer is a company: it stands for itself."""
    return Identity(
        anonymous=("customer", customer_id),
        external_ids=(ExternalId("linear_customer_id", customer_id, "accounts"),),
        group_id=customer_id,
    )


def _requester(event: Event) -> Identity:
    """Linear names the person outside beside the member or integration that carried the request in."""
    issue = about(event)
    if outside := issue.id("externalUserCreatorId", None) or issue.id("externalUserCreator", None):
        return external(outside, issue.maybe("externalUserCreator"))
    inside = issue.id("creatorId", None) or issue.id("creator", None)
    if inside and "botActor" not in issue:
        return member(inside, issue.maybe("creator"))
    if not inside and "botActor" not in issue and {"creatorId", "botActor"} <= set(issue.value):
        raise Skip("no customer: the issue names nobody who created it")
    return _workspace(event)


def _workspace(event: Event) -> Identity:
    organization_id = event.body.id("organizationId")
    return Identity(anonymous=("organization", organization_id), group_id=organization_id)


def _traits(user: Payload) -> dict[str, str]:
    traits = {"email": user.text("email", None), "name": real_name(user.text("name", None))}
    return {name: value for name, value in traits.items() if value}
