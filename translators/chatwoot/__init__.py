"""Chatwoot -> Segment. https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks

source.py         signature, ids, time, whom an event is about
conversations.py  conversations and messages: live chat, or tickets where the channel is e-mail; their ratings
contacts.py       contacts become identify
registration.py   the webhook, made through Chatwoot's API
ignored.py        what makes no message, and why
"""

from translators.chatwoot import contacts, conversations, ignored, registration
from translators.chatwoot.source import chatwoot

__all__ = ["chatwoot", "contacts", "conversations", "ignored", "registration"]
