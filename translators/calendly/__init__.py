"""Calendly -> Segment. https://developer.calendly.com/api-docs/ (Webhooks)

The body is `{event, created_at, created_by, payload}`; the payload is an invitee with its meeting, or a routing form's
submission. A rescheduled meeting sends two events: the old invitee is cancelled, a new one created.

source.py         signature, event ids, identity, messages
registration.py   one webhook, by Calendly's API
"""

from translators.calendly import registration
from translators.calendly.source import calendly

__all__ = ["calendly", "registration"]
