"""Add the events to the manifest of a Slack app. https://docs.slack.dev/reference/methods/apps.manifest.update"""

from __future__ import annotations

import json
from typing import Any, Final

from translators.kit import Need, Payload, Refused, Registered, Registering, form_call
from translators.slack.source import slack

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
