"""Translate Help Scout's webhooks. https://developer.helpscout.com/webhooks/

source.py        signature, keys, times, identity
conversations.py  conversations to tickets and their replies, Beacon chats to live chat, ratings
people.py        customers to identify, organizations to group
registration.py  registers the webhook through Help Scout's API
ignored.py       ignored event types, with the reason
"""

from translators.helpscout import conversations, ignored, people, registration
from translators.helpscout.source import helpscout

__all__ = ["conversations", "helpscout", "ignored", "people", "registration"]
