"""Translate Gorgias's HTTP integrations, whose body is the template of docs/sources/gorgias.md.

https://developers.gorgias.com/reference/integrations

source.py        signature, keys, times, identity
tickets.py       tickets and their messages
registration.py  creates the integrations through Gorgias's API
ignored.py       ignored event types, with the reason
"""

from translators.gorgias import ignored, registration, tickets
from translators.gorgias.source import gorgias

__all__ = ["gorgias", "ignored", "registration", "tickets"]
