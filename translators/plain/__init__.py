"""Translate Plain's webhooks. https://www.plain.com/docs/webhooks https://www.plain.com/docs/request-signing

source.py        signature, keys, times, identity
threads.py       threads to tickets
messages.py      e-mails and channel messages to replies, chat to live chat
people.py        customers to identify
registration.py  registers the webhook target through Plain's API
ignored.py       ignored event types, with the reason
"""

from translators.plain import ignored, messages, people, registration, threads
from translators.plain.source import plain

__all__ = ["ignored", "messages", "people", "plain", "registration", "threads"]
