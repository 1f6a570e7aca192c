"""Translate HubSpot's subscriptions to CRM records, tickets and conversations.

https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide

source.py         signature, batches, keys, times, identity
objects.py        the kind of a record, by its object type id
properties.py     the Segment name and value of a changed property
records.py        every kind of record: created, deleted, restored, merged
people.py         contacts to identify, companies to group
deals.py          deals and leads
tickets.py        tickets
conversations.py  threads of the conversations inbox
registration.py   registers the subscriptions through HubSpot's API
ignored.py        ignored event types, with the reason
"""

from translators.hubspot import conversations, deals, ignored, people, records, registration, tickets
from translators.hubspot.source import hubspot

__all__ = ["conversations", "deals", "hubspot", "ignored", "people", "records", "registration", "tickets"]
