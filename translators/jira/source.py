"""How Jira signs, names and dates its webhooks, and whom they are about."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from translators.jira.person import known, site_of
from translators.kit import (
    Delivery,
    Event,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Option,
    Payload,
    SharedToken,
    Source,
    filled,
    moment,
)

jira = Source(
    "jira",
    title="Jira",
    docs="https://developer.atlassian.com/cloud/jira/platform/webhooks/",
    secret_help="the secret you gave the webhook (Settings > System > WebHooks), or the token pasted into your rules",
    scheme={
        # https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
        "signature": HmacBody(header="X-Hub-Signature", prefix="sha256="),
        "token": SharedToken(where="header", name="X-Segue-Token"),
        "basic": SharedToken(where="basic"),
        "query": SharedToken(where="query", name="secret"),
    },
    # "Send web request" of an automation rule
    # https://support.atlassian.com/cloud-automation/docs/jira-automation-actions/
    methods=["PUT", "PATCH", "DELETE"],
    keep_headers=["X-Atlassian-Webhook-Identifier"],
    options=[
        Option(
            "done_statuses",
            "statuses that end a ticket, with `;` between them; Jira tells the category of the new status only",
            "Done; Closed; Resolved; Completed; Canceled; Cancelled; Declined; Rejected",
        )
    ],
)

_IDENTIFIER: Final = "x-atlassian-webhook-identifier"
_NO_NEW_COMMENT: Final = {"issue_comment_edited", "issue_comment_deleted"}
_COMMENT: Final = "comment_created"


@jira.split
def split(delivery: Delivery) -> list[bytes | Item]:
    """A change that brought a comment is two facts. Jira may tell the comment by itself too, hence its own key."""
    body = delivery.payload
    is_update = body.get("webhookEvent") == "jira:issue_updated"
    if not is_update or not isinstance(body.get("comment"), dict):
        return [delivery.body]
    parts = ["change"] if body.get("changelog.items") else []
    if str(body.get("issue_event_type_name")) not in _NO_NEW_COMMENT:
        parts.append("comment")
    identifier = delivery.headers.get(_IDENTIFIER)
    headers = {_IDENTIFIER: identifier} if identifier else {}
    return [_part(delivery, headers, part) for part in parts] or [delivery.body]


def _part(delivery: Delivery, headers: dict[str, str], part: str) -> Item:
    return Item(
        raw=delivery.body,
        received_at=delivery.received_at,
        headers=headers,
        envelope={"part": part},
        options=delivery.options,
    )


@jira.event
def head(item: Item) -> Head:
    """`X-Atlassian-Webhook-Identifier`, the same on every attempt; a comment by its own id, since Jira may tell it in
    two events; without either the bytes, which hold the time.
    """
    body = item.body
    digest = f"sha256:{sha256(item.raw).hexdigest()}"
    if "webhookEvent" not in body and "ticket" in body:
        return Head(digest, f"rule.{body.text('type')}", moment(filled(body), "at"), "record")
    if "webhookEvent" not in body and ("issue" in body or "fields" in body):
        return Head(digest, "rule.untyped", None)
    key = item.headers.get(_IDENTIFIER) or digest
    type_ = _COMMENT if item.envelope.get("part") == "comment" else body.text("webhookEvent")
    at = body.millis("timestamp", None)
    if type_ == _COMMENT and "issue" in body:
        comment = body.at("comment")
        key = f"comment:{site_of(comment.text('self', ''))}:{comment.id('id')}"
        return Head(key, type_, comment.iso("created", None) or at)
    return Head(key, type_, at)


@jira.who
def who(event: Event) -> Identity:
    """Whose ticket it is: the reporter, whoever acted; the user of a user's own events."""
    if event.type.startswith("user_"):
        user = event.body.at("user")
        return known(user, site(event)) or _nobody(event)
    return requester(event) or _nobody(event)


def site(event: Event) -> str:
    """The Jira site that sent it, by the address of what it tells of."""
    body = event.body
    for path in ("issue.self", "comment.self", "user.self"):
        if found := site_of(body.text(path, "")):
            return found
    raise Malformed("$.issue.self", "is missing: no Jira site is named")


def requester(event: Event) -> Identity | None:
    """The reporter, else the creator; None where Jira names neither (a comment's own event) or an application.

    A text field of yours may hold your user id: its name (`customfield_10050`) is then a user id key.
    """
    fields = event.body.maybe("issue.fields")
    person = known(fields.maybe("reporter") or fields.maybe("creator"), site(event))
    if person is None:
        return None
    own = {name: told for name, told in custom(fields).items() if isinstance(told, str)}
    return replace(person, metadata=(own,), group_id=_organization(fields))


def _nobody(event: Event) -> Identity:
    """An application's affairs, or a ticket whose reporter is not told, are filed under the site."""
    return Identity(anonymous=("site", site(event)))


def _organization(fields: Payload) -> str | None:
    """The one organisation of a service request; its field has another name on every site, its members do not."""
    for field in custom(fields).values():
        if isinstance(field, list) and field and all(map(_is_organization, field)):
            return str(field[0]["id"]) if len(field) == 1 else None
    return None


def _is_organization(member: Any) -> bool:
    link = Payload(member).get("_links.self", "")
    named = isinstance(member, dict) and isinstance(member.get("id"), str | int)
    return named and isinstance(link, str) and "/servicedeskapi/organization/" in link


def custom(fields: Payload) -> dict[str, Any]:
    """The custom fields; their names (`customfield_10050`) are the site's own."""
    told = fields.value if isinstance(fields.value, dict) else {}
    return {name: value for name, value in told.items() if name.startswith("customfield_")}
