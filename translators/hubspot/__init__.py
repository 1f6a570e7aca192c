"""HubSpot -> Segment: subscriptions to CRM records, tickets and conversations.

https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide

source.py         signature, batches, ids, time, whom an event is about
objects.py        what a record is, by its object type id
properties.py     what a changed property is called at Segment, and its value
records.py        what happens to every kind of record: made, deleted, restored, merged
people.py         contacts become identify, companies become group
deals.py          deals and leads
tickets.py        tickets
conversations.py  threads of the conversations inbox
registration.py   the subscriptions, made through HubSpot's API
ignored.py        what makes no message, and why
"""

from translators.hubspot import conversations, deals, ignored, people, records, registration, tickets
from translators.hubspot.source import hubspot

__all__ = ["conversations", "deals", "hubspot", "ignored", "people", "records", "registration", "tickets"]
