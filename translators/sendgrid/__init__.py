"""Translate SendGrid's Event Webhook.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event

source.py         signature, event ids, identity, messages
registration.py   one webhook, by SendGrid's API
"""

from translators.sendgrid import registration
from translators.sendgrid.source import sendgrid

__all__ = ["registration", "sendgrid"]
