"""Translate Chatwoot's webhooks. https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks

source.py         signature, keys, times, identity
conversations.py  conversations and messages: live chat, or tickets if the channel is e-mail; their ratings
contacts.py       contacts to identify
registration.py   registers the webhook through Chatwoot's API
ignored.py        ignored event types, with the reason
"""

from translators.chatwoot import contacts, conversations, ignored, registration
from translators.chatwoot.source import chatwoot

__all__ = ["chatwoot", "contacts", "conversations", "ignored", "registration"]
