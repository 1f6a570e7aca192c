"""Slack -> Segment: the Events API, interactivity and slash commands. https://docs.slack.dev/apis/events-api/

Events are JSON. Interactivity is a form with JSON in `payload`, a slash command a plain form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    Message,
    Need,
    Payload,
    Refused,
    Registered,
    Registering,
    Response,
    Skip,
    Source,
    form_call,
    parse_form,
    track,
)

_SENT_AT: Final = "x-slack-request-timestamp"
_TEAM_TYPES: Final = {"app_uninstalled"}
_MEMBER_MESSAGES: Final = ("message", "message.file_share", "message.thread_broadcast", "message.me_message")
_MESSAGES: Final = {*_MEMBER_MESSAGES, "message.bot_message"}
# The scope in which a member's id is unique: the organisation of an Enterprise Grid, else the workspace.
_SCOPES_OF_IDS: Final = (
    "context_enterprise_id", "context_team_id", "enterprise_id", "enterprise.id", "team_id", "team.id", "user.team_id",
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
    form = parse_form(delivery.body)
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
        sent = Payload({"at": item.headers.get(_SENT_AT)}, "X-Slack-Request-Timestamp").opt.seconds("at")
        return Head(id=f"{outer}:{key}", type=outer, occurred_at=sent)
    event = body.object("event")
    type_ = ".".join(filter(None, (event.text("type"), event.opt.text("subtype"))))
    at = event.get("event_ts")
    has_microseconds = isinstance(at, str) and at.count(".") == 1 and at.replace(".", "").isdecimal() and at.isascii()
    time = event.seconds("event_ts") if has_microseconds else body.seconds("event_time")
    if type_ in _MESSAGES and (channel := event.id("channel", "")) and (ts := event.text("ts", "")):
        event_id = body.id("event_id", "")
        former = (FormerId(event_id),) if event_id else ()
        return Head(
            id=f"message:{body.id('team_id', '')}:{channel}:{ts}", type=type_, occurred_at=time, former_ids=former
        )
    return Head(id=body.id("event_id"), type=type_, occurred_at=time)


@slack.identity
def identity(event: Event) -> Identity:
    """Use the member who acted, or the workspace if the event is about the app itself."""
    body = event.body
    if event.type in _TEAM_TYPES:
        team = _team(body) or body.id("enterprise_id")
        return Identity(anonymous=("team", team), group_id=team)
    member = next((id_ for path in ("event.user", "user_id", "user") if (id_ := body.id(path, ""))), "")
    if not member:
        raise Skip("no person: Slack names no member, for example if an app acted")
    return _member(body, member)


def _team(body: Payload) -> str:
    return body.id("team_id", "") or body.id("team.id", "") or body.id("user.team_id", "")


def _member(body: Payload, member: str) -> Identity:
    """Identify a member: a U... id is unique in its workspace (or Grid organisation) only, a W... id everywhere.

    https://docs.slack.dev/authentication/sign-in-with-slack/
    """
    scope = "" if member.startswith("W") else next(filter(None, (body.id(path, "") for path in _SCOPES_OF_IDS)), "")
    id_ = f"{scope}|{member}" if scope else member
    external = ExternalId("slack_user_id", id_)
    return Identity(anonymous=("user", id_), external_ids=(external,), group_id=_team(body) or None)


# Events and the bot scope that each requires: https://docs.slack.dev/reference/events
_SCOPES: Final = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "channel_archive": "channels:read",
    "channel_created": "channels:read",
    "link_shared": "links:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "message": "channels:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "team_join": "users:read",
}


@slack.registration(
    Need("config_token", "SLACK_CONFIG_TOKEN", "an app configuration token (at the end of https://api.slack.com/apps)"),
    Need("app_id", "SLACK_APP_ID", "the app's id (A...)", secret=False),
    after="reinstall the app to its workspaces (Install App), since its scopes changed, and invite it to the channels.",
)
def register(at: Registering) -> Registered:
    """Add the events to the app's manifest: messages of public channels, and links if the app names their domains.

    Another request URL is not replaced. Segue must be running: Slack checks the URL at once.

    https://docs.slack.dev/reference/methods/apps.manifest.update
    """
    base = "https://slack.com/api/apps.manifest"
    app = [("token", at.values["config_token"]), ("app_id", at.values["app_id"])]
    export = _check_ok((yield form_call(f"{base}.export", {}, app)))
    manifest: dict[str, Any] = dict(export.object("manifest").value)
    settings = dict(manifest.get("settings", {}))
    events = dict(settings.get("event_subscriptions", {}))
    request_url = events.get("request_url") or at.url
    if request_url != at.url:
        raise Refused(f"the app's events already go to {request_url}; clear it there, or create another app")
    types = [type_ for type_ in at.types if type_ in _SCOPES]
    if not manifest.get("features", {}).get("unfurl_domains"):
        types = [type_ for type_ in types if type_ != "link_shared"]
    names = ["message.channels" if type_ == "message" else type_ for type_ in types]
    events |= {"request_url": at.url, "bot_events": sorted({*events.get("bot_events", []), *names})}
    oauth = dict(manifest.get("oauth_config", {}))
    scopes = dict(oauth.get("scopes", {}))
    scopes["bot"] = sorted({*scopes.get("bot", []), *(_SCOPES[type_] for type_ in types)} - {""})
    manifest |= {"settings": settings | {"event_subscriptions": events}, "oauth_config": oauth | {"scopes": scopes}}
    _check_ok((yield form_call(f"{base}.update", {}, [*app, ("manifest", json.dumps(manifest))])))
    return ""


def _check_ok(answer: Payload) -> Payload:
    """Return the response, or raise Refused: Slack reports an error with status 200."""
    if not answer.flag("ok"):
        reasons = [error.text("message", "") for error in answer.each("errors")]
        raise Refused(" ".join([answer.text("error", "no reason given"), *reasons]).strip())
    return answer


def _channel(event: Event) -> dict[str, Any]:
    fields = event.body.maybe("event")
    return fields.select(channel_id="channel:id", channel_type="channel_type:text")


def _message(event: Event) -> dict[str, Any]:
    message = event.body.object("event")
    return {
        **_channel(event),
        "message_id": message.text("ts"),
        "thread_id": message.opt.text("thread_ts"),
        "files": len(list(message.each("files"))) or None,
    }


@slack.on(*_MEMBER_MESSAGES)
def posted(event: Event) -> Iterator[Message]:
    if event.body.get("event.bot_id") or event.body.get("event.bot_profile"):
        raise Skip("written by a bot")
    if not event.body.get("event.user"):
        raise Skip("the message names no author")
    yield track("Channel Message Posted", _message(event))


@slack.on("app_mention")
def mentioned(event: Event) -> Iterator[Message]:
    if event.body.get("event.bot_id"):
        raise Skip("written by a bot")
    yield track("App Mentioned", _message(event))


@slack.on("reaction_added", "reaction_removed")
def reacted(event: Event) -> Iterator[Message]:
    reaction = event.body.object("event")
    yield track(
        "Reaction Added" if event.type == "reaction_added" else "Reaction Removed",
        {
            "reaction": reaction.text("reaction"),
            **reaction.select(channel_id="item.channel:id", message_id="item.ts:text", author="item_user:id"),
        },
    )


@slack.on("member_joined_channel")
def channel_joined(event: Event) -> Iterator[Message]:
    yield track("Channel Joined", {**_channel(event), "invited_by": event.body.opt.id("event.inviter")})


@slack.on("member_left_channel")
def channel_left(event: Event) -> Iterator[Message]:
    yield track("Channel Left", _channel(event))


@slack.on("team_join")
def workspace_joined(event: Event) -> Iterator[Message]:
    yield track("Workspace Joined", {"is_guest": event.body.opt.flag("event.user.is_restricted")})


@slack.on("channel_created")
def channel_created(event: Event) -> Iterator[Message]:
    channel = event.body.object("event.channel")
    creator = identity(event) if "event.user" in event.body else _member(event.body, channel.id("creator"))
    yield track(
        "Channel Created",
        {"channel_id": channel.id("id"), "channel_name": channel.opt.text("name")},
        identity=creator,
    )


@slack.on("channel_archive")
def channel_archived(event: Event) -> Iterator[Message]:
    yield track("Channel Archived", _channel(event))


@slack.on("link_shared")
def link_shared(event: Event) -> Iterator[Message]:
    links = event.body.object("event").texts_of("links", "url")
    yield track("Link Shared", {**_channel(event), "links": links})


@slack.on("app_home_opened")
def home_opened(event: Event) -> Iterator[Message]:
    yield track("App Home Opened", {**_channel(event), "tab": event.body.opt.text("event.tab")})


@slack.on("app_uninstalled")
def uninstalled(event: Event) -> Iterator[Message]:
    yield track("App Uninstalled", {"app_id": event.body.opt.id("api_app_id"), "account_id": identity(event).group_id})


@slack.on("block_actions", "shortcut", "message_action")
def action_taken(event: Event) -> Iterator[Message]:
    """Report the button or shortcut, never the text that was typed."""
    body = event.body
    actions = [action.opt.id("action_id") for action in body.each("actions")]
    yield track(
        "App Action Taken",
        {
            "action_type": event.type,
            "action_ids": [action for action in actions if action] or None,
            "callback_id": body.opt.id("callback_id") or body.opt.id("view.callback_id"),
            "channel_id": body.opt.id("channel.id"),
        },
    )


@slack.on("view_submission")
def submitted(event: Event) -> Iterator[Message]:
    view = event.body.object("view")
    yield track("Form Submitted", {"form_id": view.opt.id("callback_id"), "response_id": view.id("id")})


@slack.on("slash_command")
def command_used(event: Event) -> Iterator[Message]:
    """Report the command, never its text."""
    yield track(
        "App Command Used", {"command": event.body.text("command"), "channel_id": event.body.opt.id("channel_id")}
    )


slack.ignore("message.*", because="an edit, a deletion, a bot's message or a system message")
slack.ignore("outgoing_webhook", because="a legacy outgoing webhook; the Events API reports its message")
slack.ignore("view_closed", "block_suggestion", because="a form that was closed, or a menu that requests its options")
slack.ignore("app_rate_limited", because="Slack reports that it dropped events")
slack.ignore("tokens_revoked", because="revoked tokens; app_uninstalled reports the removal of the app")
slack.ignore(
    "workflow_*", "function_executed", because="an automation was published or run; our vocabulary has no event for it"
)
slack.ignore(
    "channel_*", "group_*", "im_*", "mpim_*", "team_*", "email_domain_changed", "emoji_changed", "subteam_*",
    "grid_migration_*", "shared_channel_*",
    because="a channel, a conversation or a workspace was opened, renamed or changed",
)  # fmt: skip
slack.ignore(
    "user_*", "dnd_*", "assistant_*", because="a member's presence, status or settings, or an assistant's thread"
)
slack.ignore(
    "file_*", "pin_*", "star_*", "call_*", "bookmark_*",
    because="a file, pin, star, call or bookmark; our vocabulary has no event for it",
)  # fmt: skip
slack.ignore(
    "resources_*",
    "scope_*",
    "bot_*",
    "invite_requested",
    because="the app's permissions or an approval, not a customer event",
)
