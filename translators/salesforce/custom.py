"""Translate custom objects, other standard objects and platform events by configuration:

    Order__c=Order Placed by Buyer__c with Total__c Number__c
    Subscriber__c=identify by Contact__c
    Branch__c=group by Account__c

A line has the event name (or `identify`, or `group`), `by` the field with the person, `with` the fields to send.
Without `by` the usual lookup fields are used; without `with` every custom field (`…__c`) is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from translators.kit import Event, Identity, Message, Option, Payload, Skip, group, identify, track
from translators.salesforce.change import texts_of
from translators.salesforce.ids import full_id, identity_of
from translators.salesforce.settings import entries

_LINE: Final = re.compile(
    r"\s*(?P<object>\w+)(?:\.(?P<operation>create|update|delete|undelete))?\s*=\s*(?P<event>.+?)"
    r"(?:\s+by\s+(?P<person>\w+(?:__c|Id)))?(?:\s+with\s+(?P<fields>\w+__c(?:\s+\w+__c)*))?\s*"
)
_LOOKUPS: Final = ("Contact__c:id", "ContactId:id", "Lead__c:id", "LeadId:id", "Account__c:id", "AccountId:id")
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")


@dataclass(frozen=True, slots=True)
class CustomMapping:
    """Hold one line of the option."""

    event: str
    person_field: str | None
    fields: tuple[str, ...]


def mapping_of(option: Option[str], event: Event, name: str, operation: str = "") -> CustomMapping:
    """Return an object's line, preferring one for this operation. Raise `Skip` if there is none."""
    mappings = {}
    for line in entries(option.of(event)):
        if (match := _LINE.fullmatch(line)) is not None:
            fields = tuple((match["fields"] or "").split())
            mappings[(match["object"], match["operation"] or "")] = CustomMapping(
                match["event"], match["person"], fields
            )
    mapping = mappings.get((name, operation)) or mappings.get((name, ""))
    if mapping is None:
        raise Skip(f"not configured: set its event in the option {option.name}: {name}=...")
    return mapping


def custom(record: Payload, mapping: CustomMapping, more: dict[str, Any]) -> Iterator[Message]:
    """Make the message that the line names."""
    fields = record.value if isinstance(record.value, dict) else {}
    names = mapping.fields or [name for name in fields if name.endswith("__c") and name != mapping.person_field]
    own = {
        property_name(name): value
        for name in names
        if (value := fields.get(name)) is not None and not isinstance(value, dict | list)
    }
    if mapping.event == "identify":
        yield identify(own)
    elif mapping.event == "group":
        account = _who(record, mapping)
        if account is None:
            raise Skip("no account is named: set its field with `by`")
        yield group(account, own)
    else:
        yield track(mapping.event, own | more)


def property_name(field: str) -> str:
    """Return `total_amount` for `Total_Amount__c` and `TotalAmount__c`."""
    return "_".join(filter(None, _WORD.split(field.removesuffix("__c")))).lower()


def custom_identity(record: Payload, mapping: CustomMapping, own_id: str) -> Identity:
    """Return the person in the line's field; else the record itself, if it has an id."""
    person_id = _who(record, mapping)
    metadata = (texts_of(record),)
    if person_id is None:
        return Identity(metadata=metadata, anonymous=("record", own_id) if own_id else None)
    named = identity_of(person_id)
    account = record.first("AccountId:id", "Account__c:id")
    return Identity(
        metadata=metadata,
        anonymous=named.anonymous,
        external_ids=named.external_ids,
        group_id=named.group_id or (full_id(account) if account else None),
    )


def _who(record: Payload, mapping: CustomMapping) -> str | None:
    person_id = record.first(*((f"{mapping.person_field}:id",) if mapping.person_field else _LOOKUPS))
    return full_id(person_id.strip()) if person_id else None
