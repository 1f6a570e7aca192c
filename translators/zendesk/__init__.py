"""Zendesk -> Segment: event webhooks (Zendesk's own JSON) and trigger webhooks (the template of our docs page).

https://developer.zendesk.com/documentation/webhooks/
"""

from translators.zendesk import ignored, people, tickets, triggers
from translators.zendesk.source import zendesk

__all__ = ["ignored", "people", "tickets", "triggers", "zendesk"]
