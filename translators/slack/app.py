"""Use of your app in Slack: its home, mentions, buttons, forms and commands, and its removal. Texts are not sent."""

from __future__ import annotations

from typing import Any

from translators.kit import Event, Skip
from translators.slack.channels import channel, message
from translators.slack.source import identity, slack


@slack.tracks({"app_mention": "App Mentioned"})
def mentioned(event: Event) -> dict[str, Any]:
    if event.body.get("event.bot_id"):
        raise Skip("written by a bot")
    return message(event)


@slack.tracks({"app_home_opened": "App Home Opened"})
def home_opened(event: Event) -> dict[str, Any]:
    return channel(event) | event.body.select("event.tab:text")


@slack.tracks({"app_uninstalled": "App Uninstalled"})
def uninstalled(event: Event) -> dict[str, Any]:
    return {"app_id": event.body.opt.id("api_app_id"), "account_id": identity(event).group_id}


@slack.tracks(dict.fromkeys(("block_actions", "shortcut", "message_action"), "App Action Taken"))
def action_taken(event: Event) -> dict[str, Any]:
    """Report the button or shortcut."""
    body = event.body
    actions = [action.opt.id("action_id") for action in body.each("actions")]
    return {
        "action_type": event.type,
        "action_ids": list(filter(None, actions)) or None,
        "callback_id": body.first("callback_id:id", "view.callback_id:id"),
        "channel_id": body.opt.id("channel.id"),
    }


@slack.tracks({"view_submission": "Form Submitted"})
def submitted(event: Event) -> dict[str, Any]:
    return event.body.object("view").select(form_id="callback_id:id", response_id="id:id!")


@slack.tracks({"slash_command": "App Command Used"})
def command_used(event: Event) -> dict[str, Any]:
    return event.body.select("command:text!", "channel_id:id")
