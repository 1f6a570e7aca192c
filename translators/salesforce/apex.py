"""Translate signed callouts of our Apex class. docs/salesforce/ has the class, the trigger and the setting.

The class defines the body:

    {"organization_id": "00D…", "url": "https://acme.my.salesforce.com", "events": [
      {"id": "…", "object": "Opportunity", "operation": "update", "at": "2026-10-05T09:31:07.123Z",
       "record": {…}, "changed": ["StageName"], "old": {"StageName": "Proposal"}}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    Head,
    HmacTimestamped,
    Identity,
    Item,
    Malformed,
    Message,
    Source,
    accept_account,
)
from translators.salesforce import objects
from translators.salesforce.change import Change, Operation
from translators.salesforce.ids import full_id, same_organization
from translators.salesforce.settings import ORGANIZATION, RECORDS

_OPERATIONS: Final[dict[str, Operation]] = {
    "create": "create", "update": "update", "delete": "delete", "undelete": "undelete",
}  # fmt: skip
_URL: Final = re.compile(r"https://[A-Za-z0-9.-]+")

salesforce_apex = Source(
    "salesforce_apex",
    title="Salesforce Apex",
    docs="https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_classes_restful_crypto.htm",
    secret_help="a long random text that you choose and set in Setup > Custom Metadata Types > Segue Setting > Secret",
    scheme=HmacTimestamped(header="X-Sf-Signature", ts_header="X-Sf-Timestamp"),
    provider="salesforce",
    options=[ORGANIZATION, *RECORDS],
)


# A sandbox copied from production has its class and secret.
accept_account(
    salesforce_apex,
    ORGANIZATION,
    lambda delivery: delivery.batch("events").envelope.opt.id("organization_id"),
    what="Salesforce organisation",
    same=same_organization,
)


@salesforce_apex.split
def events(delivery: Delivery) -> Iterator[Item]:
    """Split a callout into the records of its transaction."""
    batch = delivery.batch("events")
    envelope = {"organization_id": batch.envelope.id("organization_id", ""), "url": batch.envelope.text("url", "")}
    yield from (delivery.item(raw, envelope) for raw in batch.members)


@salesforce_apex.head
def head(item: Item) -> Head:
    """Return the id, which the class keeps on retries, and the trigger's time."""
    event = item.body
    operation = event.text("operation")
    if operation not in _OPERATIONS:
        raise Malformed("$.operation", f"must be one of {', '.join(_OPERATIONS)}")
    return Head(id=event.id("id"), type=f"{event.text('object')}.{operation}", occurred_at=event.iso("at"))


def change_of(event: Event) -> Change:
    """Return the current record, the changed fields and their old values."""
    body = event.body
    record, operation = body.object("record"), _OPERATIONS[body.text("operation")]
    names = (member.value for member in body.each("changed"))
    changed = frozenset(name for name in names if isinstance(name, str)) if operation == "update" else None
    id_ = full_id(record.id("Id"))
    page = event.envelope.get("url", "")
    return Change(
        object=body.text("object"),
        id=id_,
        operation=operation,
        record=record,
        changed=changed,
        old=body.maybe("old"),
        erased=frozenset(name for name in changed or () if record.get(name) is None),
        new=operation == "create",
        url=f"{page}/{id_}" if _URL.fullmatch(page) and operation != "delete" else None,
    )


@salesforce_apex.identity
def identity(event: Event) -> Identity:
    """Return the lead or contact; else the contact or account that the record names."""
    return objects.identity(change_of(event), event)


@salesforce_apex.on(*objects.CHANGES)
def record_changed(event: Event) -> Iterator[Message]:
    yield from objects.messages(change_of(event), event)


salesforce_apex.ignore(*objects.UNREPORTED, because=objects.UNREPORTED_REASON)
salesforce_apex.ignore(*objects.WORK_CHANGES, because=objects.WORK_REASON)
