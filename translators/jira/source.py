"""How Jira signs, names and dates its webhooks, and whom they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from translators.jira.person import known, site_of
from translators.kit import (
    BLANK,
    Delivery,
    Event,
    FormerKey,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Option,
    Payload,
    SharedToken,
    Skip,
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
_SAME_MOMENT: Final = timedelta(seconds=1)
_COMMENT: Final = "comment_created"
# What a change says of its comment; the older servers do not say it
_COMMENT_EVENTS: Final = {
    "issue_commented": _COMMENT,
    "issue_comment_edited": "comment_updated",
    "issue_comment_deleted": "comment_deleted",
}
# Automation rules: what one makes once
_RULE_IDS: Final = {"ticket.created": ("ticket.id",), "ticket.replied": ("ticket.id", "comment.id")}


@jira.split
def split(delivery: Delivery) -> list[bytes | Item]:
    """A change that brought a comment is two facts. Jira may tell the comment by itself too, hence its own key."""
    body = delivery.payload
    is_update = body.get("webhookEvent") == "jira:issue_updated"
    if not is_update or not isinstance(body.get("comment"), dict):
        return [delivery.body]
    parts = ["change"] if body.get("changelog.items") else []
    parts.append(_COMMENT_EVENTS.get(str(body.get("issue_event_type_name"))) or _comment_event(body.at("comment")))
    identifier = delivery.headers.get(_IDENTIFIER)
    headers = {_IDENTIFIER: identifier} if identifier else {}
    return [_part(delivery, headers, "comment" if part == _COMMENT else part) for part in parts]


def _comment_event(comment: Payload) -> str:
    """A comment that was changed after it was written is no new one."""
    try:
        edited = comment.iso("updated") - comment.iso("created") > _SAME_MOMENT
    except Malformed:
        return _COMMENT
    return "comment_updated" if edited else _COMMENT


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
    """The site and the id of what was made or changed: two webhooks (an admin's and an app's) report one fact alike.

    A comment may come in two events, hence its own key. `X-Atlassian-Webhook-Identifier`, the same on every attempt but
    another one for each webhook, names only what has no such id; without it the bytes do, which hold the time.
    """
    body = item.body
    digest = f"sha256:{sha256(item.raw).hexdigest()}"
    if "webhookEvent" not in body and "ticket" in body:
        return _rule(filled(body, blank=BLANK), digest)
    if "webhookEvent" not in body and ("issue" in body or "fields" in body):
        return Head(digest, "rule.untyped", None)
    delivered = item.headers.get(_IDENTIFIER) or digest
    part = item.envelope.get("part", "change")
    type_ = body.text("webhookEvent") if part == "change" else _COMMENT if part == "comment" else part
    at = body.millis("timestamp", None)
    if type_ == _COMMENT and "issue" in body:
        comment = body.at("comment")
        key = f"comment:{site_of(comment.text('self', ''))}:{comment.id('id')}"
        return Head(key, type_, comment.iso("created", None) or at)
    natural = _natural_key(type_, body)
    if natural is None:
        return Head(delivered, type_, at)
    return Head(natural, type_, at, former_keys=(FormerKey(delivered),))


def _natural_key(type_: str, body: Payload) -> str | None:
    """The key by the ids of what an event is about; None if they are not there."""
    issue, comment, worklog = body.maybe("issue"), body.maybe("comment"), body.maybe("worklog")
    if type_ in {"jira:issue_created", "jira:issue_deleted"}:
        about, ids = issue, [type_, issue.id("id", "")]
    elif type_ == "jira:issue_updated":
        about, ids = issue, ["change", body.id("changelog.id", "")]
    elif type_.startswith("comment_"):
        edited = [comment.text("updated", "")] if type_ == "comment_updated" else []
        about, ids = comment, [type_, comment.id("id", ""), *edited]
    elif type_.startswith("worklog_"):
        about, ids = worklog, [type_, worklog.id("id", ""), worklog.text("updated", "")]
    else:
        return None
    place = site_of(about.text("self", ""))
    return ":".join((ids[0], place, *ids[1:])) if place and all(ids) else None


def _rule(body: Payload, digest: str) -> Head:
    """An automation rule's body is a template of ours, without an id of the event."""
    type_, at = body.text("type"), moment(body, "at")
    ids = [body.id(path, "") for path in _RULE_IDS.get(type_, ())]
    if not ids or not all(ids):
        return Head(digest, f"rule.{type_}", at, "record")
    key = ":".join(filter(None, (f"rule.{type_}", site_of(body.text("ticket.url", "")), *ids)))
    return Head(key, f"rule.{type_}", at, "record", former_keys=(FormerKey(digest),))


@jira.who
def who(event: Event) -> Identity:
    """Whose ticket it is: the reporter, whoever acted; the user of a user's own events."""
    if event.type.startswith("user_"):
        user = event.body.at("user")
        return known(user, site(event)) or _site_identity(event)
    fields = event.body.get("issue.fields")
    if isinstance(fields, dict) and "reporter" in fields and not fields["reporter"] and not fields.get("creator"):
        raise Skip("no customer: the issue has neither a reporter nor a creator")
    return requester(event) or _site_identity(event)


def site(event: Event) -> str:
    """The Jira site that sent it, by the address of what it tells of."""
    body = event.body
    for path in ("issue.self", "comment.self", "user.self"):
        if host := site_of(body.text(path, "")):
            return host
    raise Malformed("$.issue.self", "is missing: no Jira site is named")


def requester(event: Event) -> Identity | None:
    """The reporter, else the creator; None where Jira names neither (a comment's own event) or an application.

    A text field of yours may hold your user id: its name (`customfield_10050`) is then a user id key.
    """
    fields = event.body.maybe("issue.fields")
    person = known(fields.maybe("reporter") or fields.maybe("creator"), site(event))
    if person is None:
        return None
    own = {name: value for name, value in custom(fields).items() if isinstance(value, str)}
    return replace(person, metadata=(own,), group_id=_organization(fields))


def _site_identity(event: Event) -> Identity:
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
    members = fields.value if isinstance(fields.value, dict) else {}
    return {name: value for name, value in members.items() if name.startswith("customfield_")}
