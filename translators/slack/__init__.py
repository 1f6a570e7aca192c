"""Slack -> Segment: the Events API, interactivity and slash commands. https://docs.slack.dev/apis/events-api/

source.py         signature, the check of the URL, keys, times, identity
channels.py       messages, reactions, channels, members of the workspace
app.py            use of your app: home, mentions, actions, forms, commands, its removal
registration.py   adds the events to the app's manifest
ignored.py        ignored events, each with its reason
"""

from translators.slack import app, channels, ignored, registration
from translators.slack.source import slack

__all__ = ["app", "channels", "ignored", "registration", "slack"]
