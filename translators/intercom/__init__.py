"""Intercom -> Segment. https://developers.intercom.com/docs/references/webhooks/webhook-models

source.py         signature, ids, time, whom a notification is about
conversations.py  conversations (live chat) and their ratings
tickets.py        tickets
people.py         contacts become identify, companies become group
ignored.py        what makes no message, and why
"""

from translators.intercom import conversations, ignored, people, tickets
from translators.intercom.source import intercom

__all__ = ["conversations", "ignored", "intercom", "people", "tickets"]
