"""Messages, reactions, channels and members of a workspace. Texts are not sent."""

from __future__ import annotations

from typing import Any

from translators.kit import Event, Identity, Skip
from translators.slack.source import MEMBER_MESSAGES, identity, member, slack


@slack.tracks({"channel_archive": "Channel Archived", "member_left_channel": "Channel Left"})
def channel(event: Event) -> dict[str, Any]:
    return event.body.maybe("event").select(channel_id="channel:id", channel_type="channel_type:text")


def message(event: Event) -> dict[str, Any]:
    fields = event.body.object("event")
    return {
        **channel(event),
        **fields.select(message_id="ts:text!", thread_id="thread_ts:text"),
        "files": len(list(fields.each("files"))) or None,
    }


@slack.tracks(dict.fromkeys(MEMBER_MESSAGES, "Channel Message Posted"))
def posted(event: Event) -> dict[str, Any]:
    if event.body.get("event.bot_id") or event.body.get("event.bot_profile"):
        raise Skip("written by a bot")
    if not event.body.get("event.user"):
        raise Skip("the message names no author")
    return message(event)


@slack.tracks({"reaction_added": "Reaction Added", "reaction_removed": "Reaction Removed"})
def reacted(event: Event) -> dict[str, Any]:
    return event.body.object("event").select(
        "reaction:text!", channel_id="item.channel:id", message_id="item.ts:text", author="item_user:id"
    )


@slack.tracks({"member_joined_channel": "Channel Joined"})
def channel_joined(event: Event) -> dict[str, Any]:
    return channel(event) | event.body.select(invited_by="event.inviter:id")


@slack.tracks({"team_join": "Workspace Joined"})
def workspace_joined(event: Event) -> dict[str, Any]:
    return event.body.select(is_guest="event.user.is_restricted:flag")


def creator(event: Event) -> Identity:
    if "event.user" in event.body:
        return identity(event)
    return member(event.body, event.body.id("event.channel.creator"))


@slack.tracks({"channel_created": "Channel Created"}, identity=creator)
def channel_created(event: Event) -> dict[str, Any]:
    return event.body.object("event.channel").select(channel_id="id:id!", channel_name="name:text")


@slack.tracks({"link_shared": "Link Shared"})
def link_shared(event: Event) -> dict[str, Any]:
    return {**channel(event), "links": event.body.object("event").texts_of("links", "url")}
