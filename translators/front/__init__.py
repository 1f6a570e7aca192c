"""Translate Front's application and rule webhooks, which wrap and sign the same events differently.

https://dev.frontapp.com/docs/application-webhooks https://dev.frontapp.com/docs/rule-webhooks
https://dev.frontapp.com/reference/events

source.py         signatures, company, event ids, identity
conversations.py  conversations as tickets, and their messages
"""

from translators.front import conversations
from translators.front.source import front

__all__ = ["conversations", "front"]
