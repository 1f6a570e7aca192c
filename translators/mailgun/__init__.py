"""Translate Mailgun's webhooks. https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads

source.py         signature, event ids, identity, messages
registration.py   one webhook, by Mailgun's API
"""

from translators.mailgun import registration
from translators.mailgun.source import mailgun

__all__ = ["mailgun", "registration"]
