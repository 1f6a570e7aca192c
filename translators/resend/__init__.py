"""Translate Resend's webhooks. https://resend.com/docs/dashboard/webhooks/event-types

source.py         signature, event ids, identity, messages
registration.py   one webhook, by Resend's API
"""

from translators.resend import registration
from translators.resend.source import resend

__all__ = ["registration", "resend"]
