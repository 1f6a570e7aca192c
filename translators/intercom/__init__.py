"""Translate Intercom's notifications. https://developers.intercom.com/docs/references/webhooks/webhook-models

source.py         signature, keys, times, identity
conversations.py  conversations (live chat) and their ratings
tickets.py        tickets
people.py         contacts to identify, companies to group
ignored.py        ignored topics, with the reason
"""

from translators.intercom import conversations, ignored, people, tickets
from translators.intercom.source import intercom

__all__ = ["conversations", "ignored", "intercom", "people", "tickets"]
