"""Cal.com -> Segment. https://cal.com/docs/developing/guides/automation/webhooks

The body is `{triggerEvent, createdAt, payload}`; the payload is a booking, with its host, its attendees (the first
booked it) and its metadata, which can hold your user id from the booking link: `?metadata[user_id]=u_1`.

source.py         signature, event ids, identity, messages
registration.py   one webhook, by Cal.com's API
"""

from translators.calcom import registration
from translators.calcom.source import calcom

__all__ = ["calcom", "registration"]
