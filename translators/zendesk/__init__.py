"""Translate Zendesk's event webhooks (Zendesk's own JSON) and trigger webhooks (the template of our docs page).

https://developer.zendesk.com/documentation/webhooks/

source.py    signature, the two kinds of webhooks, keys, times, identity
tickets.py   tickets and messages of event webhooks
triggers.py  tickets of trigger webhooks
people.py    users become identify, organizations become group
registration.py  registers the webhook through Zendesk's API
ignored.py   ignored event types, with the reason
"""

from translators.zendesk import ignored, people, registration, tickets, triggers
from translators.zendesk.source import zendesk

__all__ = ["ignored", "people", "registration", "tickets", "triggers", "zendesk"]
