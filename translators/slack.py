"""Slack -> Segment: the Events API, interactivity and slash commands. https://docs.slack.dev/apis/events-api/

Events are JSON. Interactivity is a form with JSON in `payload`, a slash command a plain form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from translators.kit import (
    Answer,
    Delivery,
    Event,
    ExternalId,
    FormerKey,
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
    Skip,
    Source,
    form_call,
    parse_form,
    track,
)

_SENT_AT: Final = "x-slack-request-timestamp"
_TEAM_TYPES: Final = {"app_uninstalled"}
_SPOKEN: Final = ("message", "message.file_share", "message.thread_broadcast", "message.me_message")
_POSTED: Final = {*_SPOKEN, "message.bot_message"}
# Whose ids a member's id is one of: the organisation of an Enterprise Grid, else the workspace.
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
    # Slack shows what a command is answered, and takes the answer to a modal for what to do next.
    # https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
    ack=Answer(content_type="text/plain"),
)


@slack.handshake()
def challenged(delivery: Delivery) -> Answer | None:
    """Slack asks, signed, whether this URL is ours."""
    if delivery.opening != b"{" or delivery.payload.get("type") != "url_verification":
        return None
    return Answer(body=json.dumps({"challenge": delivery.payload.text("challenge")}).encode())


@slack.split
def split(delivery: Delivery) -> list[bytes | Item]:
    """An event's JSON, an interaction's JSON out of its form, a command's fields as JSON."""
    if delivery.opening in {b"{", b"["}:
        return [delivery.body]
    form = parse_form(delivery.body)
    if "payload" in form:
        return [form["payload"].encode()]
    kind = "slash_command" if "command" in form else "outgoing_webhook"
    return [json.dumps({**form, "type": kind}).encode()]


@slack.event
def head(item: Item) -> Head:
    """A message by team, channel and its own time, for Slack may report one under several `event_id`s; else `event_id`,
    equal on every retry, or an interaction's `trigger_id`. Times are the event's own or its second.

    Interactions carry no time but the one they are signed with, and Slack does not repeat them.
    """
    body = item.body
    outer = body.text("type")
    if outer != "event_callback":
        key = body.id("trigger_id", "") or f"sha256:{sha256(item.raw).hexdigest()}"
        sent = Payload({"at": item.headers.get(_SENT_AT)}, "X-Slack-Request-Timestamp").seconds("at", None)
        return Head(f"{outer}:{key}", outer, sent)
    event = body.at("event")
    type_ = ".".join(filter(None, (event.text("type"), event.text("subtype", None))))
    at = event.get("event_ts")
    exact = isinstance(at, str) and at.count(".") == 1 and at.replace(".", "").isdecimal() and at.isascii()
    time = event.seconds("event_ts") if exact else body.seconds("event_time")
    if type_ in _POSTED and (channel := event.id("channel", "")) and (ts := event.text("ts", "")):
        own = body.id("event_id", "")
        former = (FormerKey(own),) if own else ()
        return Head(f"message:{body.id('team_id', '')}:{channel}:{ts}", type_, time, former_keys=former)
    return Head(body.id("event_id"), type_, time)


@slack.who
def who(event: Event) -> Identity:
    """The member who acted; the workspace where the app itself is the matter."""
    body = event.body
    if event.type in _TEAM_TYPES:
        team = _team(body) or body.id("enterprise_id")
        return Identity(anonymous=("team", team), group_id=team)
    member = next((id_ for path in ("event.user", "user_id", "user") if (id_ := body.id(path, ""))), "")
    if not member:
        raise Skip("no person: Slack names no member, such as of an application")
    return _member(body, member)


def _team(body: Payload) -> str:
    return body.id("team_id", "") or body.id("team.id", "") or body.id("user.team_id", "")


def _member(body: Payload, member: str) -> Identity:
    """A U... id is unique in its workspace (or Grid organisation) only, a W... id everywhere.

    https://docs.slack.dev/authentication/sign-in-with-slack/
    """
    scope = "" if member.startswith("W") else next(filter(None, (body.id(path, "") for path in _SCOPES_OF_IDS)), "")
    id_ = f"{scope}|{member}" if scope else member
    external = ExternalId("slack_user_id", id_)
    return Identity(anonymous=("user", id_), external_ids=(external,), group_id=_team(body) or None)


# Events and the bot scope that each asks for: https://docs.slack.dev/reference/events
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
    Need("config_token", "SLACK_CONFIG_TOKEN", "an app configuration token (https://api.slack.com/apps, at the foot)"),
    Need("app_id", "SLACK_APP_ID", "the app's id (A...)", secret=False),
    after="reinstall the app to its workspaces (Install App), since its scopes grew, and invite it to the channels.",
)
def register(at: Registering) -> Registered:
    """The app's manifest with the events added: messages of public channels, and links only where the app names their
    domains. A request URL that leads elsewhere is not taken over. Segue must run already: Slack asks the URL at once.

    https://docs.slack.dev/reference/methods/apps.manifest.update
    """
    base = "https://slack.com/api/apps.manifest"
    app = [("token", at.given["config_token"]), ("app_id", at.given["app_id"])]
    told = _agreed((yield form_call(f"{base}.export", {}, app)))
    manifest: dict[str, Any] = dict(told.at("manifest").value)
    settings = dict(manifest.get("settings", {}))
    events = dict(settings.get("event_subscriptions", {}))
    before = events.get("request_url") or at.url
    if before != at.url:
        raise Refused(f"the app's events go to {before} already: clear it there, or make another app")
    types = [type_ for type_ in at.types if type_ in _SCOPES]
    if not manifest.get("features", {}).get("unfurl_domains"):
        types = [type_ for type_ in types if type_ != "link_shared"]
    names = ["message.channels" if type_ == "message" else type_ for type_ in types]
    events |= {"request_url": at.url, "bot_events": sorted({*events.get("bot_events", []), *names})}
    oauth = dict(manifest.get("oauth_config", {}))
    scopes = dict(oauth.get("scopes", {}))
    scopes["bot"] = sorted({*scopes.get("bot", []), *(_SCOPES[type_] for type_ in types)} - {""})
    manifest |= {"settings": settings | {"event_subscriptions": events}, "oauth_config": oauth | {"scopes": scopes}}
    _agreed((yield form_call(f"{base}.update", {}, [*app, ("manifest", json.dumps(manifest))])))
    return ""


def _agreed(answer: Payload) -> Payload:
    """Slack says no with a 200."""
    if not answer.flag("ok"):
        reasons = [each.text("message", "") for each in answer.each("errors")]
        raise Refused(" ".join([answer.text("error", "it gave no reason"), *reasons]).strip())
    return answer


def _channel(event: Event) -> dict[str, Any]:
    told = event.body.maybe("event")
    return {
        "channel_id": told.id("channel", None),
        "channel_type": told.text("channel_type", None),
    }


def _message(event: Event) -> dict[str, Any]:
    told = event.body.at("event")
    return {
        **_channel(event),
        "message_id": told.text("ts"),
        "thread_id": told.text("thread_ts", None),
        "files": len(list(told.each("files"))) or None,
    }


@slack.on(*_SPOKEN)
def posted(event: Event) -> Iterator[Message]:
    if event.body.get("event.bot_id") or event.body.get("event.bot_profile"):
        raise Skip("written by a bot")
    if not event.body.get("event.user"):
        raise Skip("written by nobody that Slack names")
    yield track("Channel Message Posted", _message(event))


@slack.on("app_mention")
def mentioned(event: Event) -> Iterator[Message]:
    if event.body.get("event.bot_id"):
        raise Skip("written by a bot")
    yield track("App Mentioned", _message(event))


@slack.on("reaction_added", "reaction_removed")
def reacted(event: Event) -> Iterator[Message]:
    told = event.body.at("event")
    yield track(
        "Reaction Added" if event.type == "reaction_added" else "Reaction Removed",
        reaction=told.text("reaction"),
        channel_id=told.id("item.channel", None),
        message_id=told.text("item.ts", None),
        author=told.id("item_user", None),
    )


@slack.on("member_joined_channel")
def joined(event: Event) -> Iterator[Message]:
    yield track("Channel Joined", _channel(event), invited_by=event.body.id("event.inviter", None))


@slack.on("member_left_channel")
def left(event: Event) -> Iterator[Message]:
    yield track("Channel Left", _channel(event))


@slack.on("team_join")
def arrived(event: Event) -> Iterator[Message]:
    yield track("Workspace Joined", is_guest=event.body.flag("event.user.is_restricted", None))


@slack.on("channel_created")
def channel_created(event: Event) -> Iterator[Message]:
    channel = event.body.at("event.channel")
    who = slack.identity(event) if "event.user" in event.body else _member(event.body, channel.id("creator"))
    yield track("Channel Created", channel_id=channel.id("id"), channel_name=channel.text("name", None), who=who)


@slack.on("channel_archive")
def channel_archived(event: Event) -> Iterator[Message]:
    yield track("Channel Archived", _channel(event))


@slack.on("link_shared")
def link_shared(event: Event) -> Iterator[Message]:
    links = [link.text("url") for link in event.body.at("event").each("links")]
    yield track("Link Shared", _channel(event), links=links)


@slack.on("app_home_opened")
def home_opened(event: Event) -> Iterator[Message]:
    yield track("App Home Opened", _channel(event), tab=event.body.text("event.tab", None))


@slack.on("app_uninstalled")
def uninstalled(event: Event) -> Iterator[Message]:
    yield track("App Uninstalled", app_id=event.body.id("api_app_id", None), account_id=slack.identity(event).group_id)


@slack.on("block_actions", "shortcut", "message_action")
def acted(event: Event) -> Iterator[Message]:
    """Which button or shortcut, never what was typed."""
    body = event.body
    actions = [action.id("action_id", None) for action in body.each("actions")]
    yield track(
        "App Action Taken",
        action_type=event.type,
        action_ids=[action for action in actions if action] or None,
        callback_id=body.id("callback_id", None) or body.id("view.callback_id", None),
        channel_id=body.id("channel.id", None),
    )


@slack.on("view_submission")
def submitted(event: Event) -> Iterator[Message]:
    view = event.body.at("view")
    yield track("Form Submitted", form_id=view.id("callback_id", None), response_id=view.id("id"))


@slack.on("slash_command")
def commanded(event: Event) -> Iterator[Message]:
    """The command, never its text."""
    yield track("App Command Used", command=event.body.text("command"), channel_id=event.body.id("channel_id", None))


slack.ignore("message.*", because="an edit or a deletion, a bot's message, or Slack's own words about a channel")
slack.ignore("outgoing_webhook", because="a legacy outgoing webhook, whose message the Events API reports")
slack.ignore("view_closed", "block_suggestion", because="a form that was not sent, or a menu that asks for its choices")
slack.ignore("app_rate_limited", because="Slack says that it left events out")
slack.ignore("tokens_revoked", because="an app's tokens; app_uninstalled reports its removal")
slack.ignore(
    "workflow_*", "function_executed", because="an automation, published or run: no step that our vocabulary names"
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
    because="a file, a pin, a star, a call or a bookmark: no step that our vocabulary names",
)  # fmt: skip
slack.ignore("resources_*", "scope_*", "bot_*", "invite_requested", because="the app's own permissions, or an approval")
