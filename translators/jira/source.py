"""Signature, key, time and identity of Jira's webhooks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from translators.jira.person import known, site_of
from translators.kit import (
    Delivery,
    Event,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Payload,
    SharedToken,
    Skip,
    Source,
    moment,
    text_option,
)

DONE_STATUSES: Final = text_option(
    "done_statuses",
    "statuses that end a ticket, separated by `;`; Jira sends the category of the new status only",
    "Done; Closed; Resolved; Completed; Canceled; Cancelled; Declined; Rejected",
)

jira = Source(
    "jira",
    title="Jira",
    docs="https://developer.atlassian.com/cloud/jira/platform/webhooks/",
    secret_help="the secret that you set for the webhook (Settings > System > WebHooks), or the token in your rules",
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
    options=[DONE_STATUSES],
)

_IDENTIFIER: Final = "x-atlassian-webhook-identifier"
_SAME_MOMENT: Final = timedelta(seconds=1)
_COMMENT: Final = "comment_created"
# The comment event of a change; older servers do not send it
_COMMENT_EVENTS: Final = {
    "issue_commented": _COMMENT,
    "issue_comment_edited": "comment_updated",
    "issue_comment_deleted": "comment_deleted",
}
# Ids of what an automation rule reports once
_RULE_IDS: Final = {"ticket.created": ("ticket.id",), "ticket.replied": ("ticket.id", "comment.id")}


@jira.split
def split(delivery: Delivery) -> list[bytes | Item]:
    """Split a change with a comment into two events. Jira may also send the comment alone, so it has its own key."""
    body = delivery.payload
    is_update = body.get("webhookEvent") == "jira:issue_updated"
    if not is_update or not isinstance(body.get("comment"), dict):
        return [delivery.body]
    parts = ["change"] if body.get("changelog.items") else []
    parts.append(_COMMENT_EVENTS.get(str(body.get("issue_event_type_name"))) or _comment_event(body.object("comment")))
    identifier = delivery.headers.get(_IDENTIFIER)
    headers = {_IDENTIFIER: identifier} if identifier else {}
    return [_part(delivery, headers, "comment" if part == _COMMENT else part) for part in parts]


def _comment_event(comment: Payload) -> str:
    """Return the comment's event type: a comment that was updated after its creation is not new."""
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


@jira.head
def head(item: Item) -> Head:
    """Return the key from the site and the object's id, so that two webhooks that send the same event agree.

    A comment may be in two events, so it has its own key. `X-Atlassian-Webhook-Identifier` is the same on every
    attempt but differs per webhook; it is the key only if there is no id. Without it the key is the digest of the
    bytes, which include the time.
    """
    body = item.body
    digest = item.digest
    if "webhookEvent" not in body and "ticket" in body:
        return _rule(item.filled, digest)
    if "webhookEvent" not in body and ("issue" in body or "fields" in body):
        return Head(id=digest, type="rule.untyped", occurred_at=None)
    delivered = item.headers.get(_IDENTIFIER) or digest
    part = item.envelope.get("part", "change")
    type_ = body.text("webhookEvent") if part == "change" else _COMMENT if part == "comment" else part
    at = body.opt.millis("timestamp")
    if type_ == _COMMENT and "issue" in body:
        comment = body.object("comment")
        key = f"comment:{site_of(comment.text('self', ''))}:{comment.id('id')}"
        return Head(id=key, type=type_, occurred_at=comment.opt.iso("created") or at)
    natural = _natural_key(type_, body)
    return Head(id=natural or delivered, type=type_, occurred_at=at, former_ids=(FormerId(delivered),))


def _natural_key(type_: str, body: Payload) -> str | None:
    """Return the key from the ids of the event's object; None if they are missing."""
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
    """Return the head of an automation rule's body, our template, which has no event id."""
    type_, at = body.text("type"), moment(body, "at")
    ids = [body.id(path, "") for path in _RULE_IDS.get(type_, ())]
    parts = (f"rule.{type_}", site_of(body.text("ticket.url", "")), *ids)
    key = ":".join(filter(None, parts)) if ids and all(ids) else digest
    return Head(id=key, type=f"rule.{type_}", occurred_at=at, clock="record", former_ids=(FormerId(digest),))


@jira.identity
def identity(event: Event) -> Identity:
    """Return the ticket's reporter, whoever acted; the user of a user event."""
    if event.type.startswith("user_"):
        return known(event.body.object("user"), site(event)) or _site_identity(event)
    fields = event.body.get("issue.fields")
    if isinstance(fields, dict) and "reporter" in fields and not fields["reporter"] and not fields.get("creator"):
        raise Skip("no customer: the issue has neither a reporter nor a creator")
    return requester(event) or _site_identity(event)


def site(event: Event) -> str:
    """Return the Jira site from the URL of the event's object."""
    body = event.body
    for path in ("issue.self", "comment.self", "user.self"):
        if host := site_of(body.text(path, "")):
            return host
    raise Malformed("$.issue.self", "is missing, so the Jira site is unknown")


def requester(event: Event) -> Identity | None:
    """Return the reporter, else the creator; None if it is an application or Jira names none (a comment event).

    A custom text field may have your user id: configure its name (`customfield_10050`) as a user id key.
    """
    fields = event.body.maybe("issue.fields")
    person = known(fields.maybe("reporter") or fields.maybe("creator"), site(event))
    if person is None:
        return None
    own = {name: value for name, value in custom(fields).items() if isinstance(value, str)}
    return replace(person, metadata=(own,), group_id=_organization(fields))


def _site_identity(event: Event) -> Identity:
    """Return the site as the identity if an application acted or the reporter is unknown."""
    return Identity(anonymous=("site", site(event)))


def _organization(fields: Payload) -> str | None:
    """Return a service request's only organisation. The field's name differs per site; its members do not."""
    for field in custom(fields).values():
        if isinstance(field, list) and field and all(map(_is_organization, field)):
            return str(field[0]["id"]) if len(field) == 1 else None
    return None


def _is_organization(member: Any) -> bool:
    link = Payload(member).get("_links.self", "")
    named = isinstance(member, dict) and isinstance(member.get("id"), str | int)
    return named and isinstance(link, str) and "/servicedeskapi/organization/" in link


def custom(fields: Payload) -> dict[str, Any]:
    """Return the custom fields; their names (`customfield_10050`) differ per site."""
    members = fields.value if isinstance(fields.value, dict) else {}
    return {name: value for name, value in members.items() if name.startswith("customfield_")}
