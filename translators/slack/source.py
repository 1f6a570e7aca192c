"""Signature, forms, keys, times and identity of Slack's events. https://docs.slack.dev/apis/events-api/

Events are JSON. Interactivity is a form with JSON in `payload`, a slash command a plain form.
"""

from __future__ import annotations

import json
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
    Response,
    Skip,
    Source,
)

MEMBER_MESSAGES: Final = ("message", "message.file_share", "message.thread_broadcast", "message.me_message")
_MESSAGES: Final = {*MEMBER_MESSAGES, "message.bot_message"}
# The scope in which a member's id is unique: the organisation of an Enterprise Grid, else the workspace.
_SCOPES_OF_IDS: Final = (
    "context_enterprise_id:id", "context_team_id:id", "enterprise_id:id", "enterprise.id:id",
    "team_id:id", "team.id:id", "user.team_id:id",
)  # fmt: skip

slack = Source(
    "slack",
    title="Slack",
    docs="https://docs.slack.dev/authentication/verifying-requests-from-slack/",
    secret_help="your app > Basic Information > App Credentials > Signing Secret",
    scheme=HmacTimestamped(
        header="X-Slack-Signature", ts_header="X-Slack-Request-Timestamp", template="v0:{ts}:{body}", prefix="v0="
    ),
    keep_headers=["X-Slack-Request-Timestamp"],
    # Slack shows the response to a command, and takes the response to a modal as an instruction.
    # https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
    ack=Response(content_type="text/plain"),
)


@slack.handshake()
def url_verification(delivery: Delivery) -> Response | None:
    """Answer Slack's signed check of this URL."""
    if delivery.opening != b"{" or delivery.payload.get("type") != "url_verification":
        return None
    return Response(body=json.dumps({"challenge": delivery.payload.text("challenge")}).encode())


@slack.split
def split(delivery: Delivery) -> list[bytes | Item]:
    """Return an event's JSON, the JSON in an interaction's form, or a command's fields as JSON."""
    if delivery.opening in {b"{", b"["}:
        return [delivery.body]
    form = delivery.form
    if "payload" in form:
        return [form["payload"].encode()]
    kind = "slash_command" if "command" in form else "outgoing_webhook"
    return [json.dumps({**form, "type": kind}).encode()]


@slack.head
def head(item: Item) -> Head:
    """Use team, channel and time as key of a message, because Slack may report it under several `event_id`s.

    The key of other events is `event_id`, equal on every retry, or an interaction's `trigger_id`. The time is the
    event's own, or its second. An interaction has only the time of its signature; Slack does not retry it.
    """
    body = item.body
    outer = body.text("type")
    if outer != "event_callback":
        key = body.id("trigger_id", "") or item.digest
        sent = Payload({"at": item.headers.get("x-slack-request-timestamp")}, "X-Slack-Request-Timestamp").opt.seconds(
            "at"
        )
        return Head(id=f"{outer}:{key}", type=outer, occurred_at=sent)
    event = body.object("event")
    type_ = ".".join(filter(None, (event.text("type"), event.opt.text("subtype"))))
    at = event.get("event_ts")
    has_microseconds = isinstance(at, str) and at.count(".") == 1 and at.replace(".", "").isdecimal() and at.isascii()
    time = event.seconds("event_ts") if has_microseconds else body.seconds("event_time")
    if type_ in _MESSAGES and (channel := event.id("channel", "")) and (ts := event.text("ts", "")):
        key = f"message:{body.id('team_id', '')}:{channel}:{ts}"
        return Head(id=key, type=type_, occurred_at=time, former_ids=(FormerId(body.id("event_id", "")),))
    return Head(id=body.id("event_id"), type=type_, occurred_at=time)


@slack.identity
def identity(event: Event) -> Identity:
    """Use the member who acted, or the workspace if the event is about the app itself."""
    body = event.body
    if event.type == "app_uninstalled":
        team = _team(body) or body.id("enterprise_id")
        return Identity(anonymous=("team", team), group_id=team)
    user = body.first("event.user:id", "user_id:id", "user:id")
    if not user:
        raise Skip("no person: Slack names no member, for example if an app acted")
    return member(body, user)


def _team(body: Payload) -> str | None:
    return body.first("team_id:id", "team.id:id", "user.team_id:id")


def member(body: Payload, user: str) -> Identity:
    """Identify a member: a U... id is unique in its workspace (or Grid organisation) only, a W... id everywhere.

    https://docs.slack.dev/authentication/sign-in-with-slack/
    """
    scope = None if user.startswith("W") else body.first(*_SCOPES_OF_IDS)
    id_ = f"{scope}|{user}" if scope else user
    return Identity(anonymous=("user", id_), external_ids=(ExternalId("slack_user_id", id_),), group_id=_team(body))
