"""Translate Kustomer's webhooks. https://developer.kustomer.com/docs/events

A webhook is one event: the current record as in the API (`data`) and, for an update, what changed (`changes`).

source.py         signature, keys, times, identity
conversations.py  conversations and messages to tickets and live chat
people.py         customers to identify and group
registration.py   registers the webhook through Kustomer's API
ignored.py        ignored event types, with the reason
"""

from translators.kustomer import conversations, ignored, people, registration
from translators.kustomer.source import kustomer

__all__ = ["conversations", "ignored", "kustomer", "people", "registration"]
