"""Translate Twilio's status callbacks and incoming messages, which are forms, not JSON. Calls make no messages.

source.py         signature, keys and times of every kind of callback
messages.py       identity, sent and received messages
registration.py   sets the callback of a Messaging Service
ignored.py        ignored callbacks, each with its reason

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from translators.twilio import ignored, messages, registration
from translators.twilio.source import twilio

__all__ = ["ignored", "messages", "registration", "twilio"]
