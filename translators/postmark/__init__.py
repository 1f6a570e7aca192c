"""Translate Postmark's webhooks. https://postmarkapp.com/developer/webhooks/webhooks-overview

source.py         signature, event ids, identity, messages
registration.py   one webhook, by Postmark's API
"""

from translators.postmark import registration
from translators.postmark.source import postmark

__all__ = ["postmark", "registration"]
