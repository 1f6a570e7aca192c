"""Ignored events, each with its reason."""

from translators.slack.source import slack

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
