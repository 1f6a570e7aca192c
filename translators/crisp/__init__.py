"""Translate Crisp's web hooks. https://docs.crisp.chat/references/web-hooks/v1/

Plugin hooks are signed; website hooks have a key in their URL. Both send the same events.

source.py         signature, keys, times, identity
conversations.py  conversations, messages and ratings to live chat
people.py         sessions, profiles and subscriptions to identify and track
ignored.py        ignored event types, with the reason
"""

from translators.crisp import conversations, ignored, people
from translators.crisp.source import crisp

__all__ = ["conversations", "crisp", "ignored", "people"]
