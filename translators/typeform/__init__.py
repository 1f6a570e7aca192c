"""Typeform -> Segment. https://www.typeform.com/developers/webhooks/

A delivery is one response to one form: the questions (`definition`), the answers, and your hidden fields.

source.py         signature, event ids, identity, messages
registration.py   one webhook, by Typeform's API
"""

from translators.typeform import registration
from translators.typeform.source import typeform

__all__ = ["registration", "typeform"]
