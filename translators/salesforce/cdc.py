"""Translate Change Data Capture and platform events, which your relay pulls from Salesforce and posts to Segue.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
The body is a CometD message, an event decoded by a Pub/Sub API client, EventBridge's wrapper, or a list of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Delivery,
    Event,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Payload,
    SharedToken,
    Skip,
    Source,
    StandardWebhooks,
    text_option,
)
from translators.salesforce import custom, objects
from translators.salesforce.change import Change, Operation
from translators.salesforce.ids import full_id
from translators.salesforce.settings import RECORDS

_OPERATIONS: Final[dict[str, Operation]] = {
    "CREATE": "create", "UPDATE": "update", "DELETE": "delete", "UNDELETE": "undelete",
}  # fmt: skip
# CometD's message, EventBridge's wrapper, CometD's data or a Pub/Sub client's event, the bare payload.
_PAYLOADS: Final = ("data.payload", "detail.payload", "payload")
_PLATFORM: Final = re.compile(r"(?:/event/)?(\w+__e)")
_BITMAP: Final = re.compile(r"(?:\d+-)*0x[0-9A-Fa-f]*")
_HEADER: Final = "ChangeEventHeader"
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

PLATFORM_EVENTS: Final = text_option(
    "platform_events", "platform events and their event names: Shipment__e=Order Shipped by Contact__c with Number__c"
)

salesforce_cdc = Source(
    "salesforce_cdc",
    title="Salesforce Change Data Capture",
    docs="https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/",
    secret_help="a long random text that you choose and your relay signs with, or sends",
    scheme={
        "standard_webhooks": StandardWebhooks(),
        "hmac": HmacBody(header="X-Segue-Signature", prefix="sha256="),
        "token": SharedToken(where="header", name="Authorization", prefix="Bearer "),
        "api_key": SharedToken(where="header", name="X-Api-Key"),
        "basic": SharedToken(where="basic"),
    },
    provider="salesforce",
    options=[*RECORDS, PLATFORM_EVENTS],
)


@salesforce_cdc.split
def split(delivery: Delivery) -> Iterator[Item]:
    """Split a change of many records into one event per record, with the same bytes."""
    for raw in delivery.members:
        ids = _record_ids(delivery.item(raw))
        yield from (delivery.item(raw, {"record_id": id_}) for id_ in ids)
        if not ids:
            yield delivery.item(raw)


def _record_ids(item: Item) -> list[str]:
    try:
        change = _payload(item.body)
        ids = change.each(f"{_HEADER}.recordIds") if _HEADER in change else ()
        return list(dict.fromkeys(str(member.value) for member in ids))
    except Malformed:
        return []


def _payload(body: Payload) -> Payload:
    for path in _PAYLOADS:
        if isinstance(body.get(path), dict):
            return body.object(path)
    return body.object("detail") if isinstance(body.get("detail"), dict) else body


@salesforce_cdc.head
def head(item: Item) -> Head:
    """Return the key from transaction, sequence and record, and the commit's time in milliseconds."""
    payload = _payload(item.body)
    if _HEADER not in payload:
        return _platform_head(item, payload)
    header = payload.object(_HEADER)
    kind = f"{header.text('entityName')}.{header.text('changeType').lower()}"
    key = f"{header.text('transactionKey')}-{header.integer('sequenceNumber')}-{item.envelope.get('record_id', '')}"
    return Head(id=key, type=kind, occurred_at=header.millis("commitTimestamp"))


def _platform_head(item: Item, payload: Payload) -> Head:
    """Return a platform event's head. Its name is in the channel or EventBridge's `detail-type`."""
    body = item.body
    names = (body.text(path, "") for path in ("channel", "topic", "topicName", "detail-type"))
    match = next(filter(None, map(_PLATFORM.fullmatch, names)), None)
    if match is None:
        raise Malformed("$.channel", "does not name a platform event, and the payload has no ChangeEventHeader")
    name, at = match[1], payload.opt.when("CreatedDate")
    own = payload.first("EventUuid:id") or body.first("data.event.EventUuid:id", "event.EventUuid:id")
    if own:
        return Head(id=own, type=name, occurred_at=at)
    place = body.first("data.event.replayId:id", "event.replayId:id", "replayId:id", "id:id")
    former = f"{name}-{place}" if place else item.digest
    # A Pub/Sub client has the event's UUID in `id`; EventBridge wraps it, and its own `id` belongs to the bus.
    id_ = body.id("detail.id" if "detail-type" in body else "id", "")
    if _UUID.fullmatch(id_):
        return Head(id=id_, type=name, occurred_at=at, former_ids=(FormerId(former),))
    return Head(id=former, type=name, occurred_at=at)


def change_of(event: Event) -> Change:
    """Return the change of one record: an update's changed fields, or all filled fields of a creation."""
    payload = _payload(event.body)
    header = payload.object(_HEADER)
    id_ = event.envelope.get("record_id", "")
    if "*" in id_ or not id_.strip("0A"):
        raise Skip("about all records of an object, not one record")
    fields = _flat(payload.value)
    operation = _OPERATIONS[header.text("changeType")]
    changed, erased = _changed(event.body, header, fields) if operation == "update" else (None, frozenset[str]())
    return Change(
        object=header.text("entityName"),
        id=full_id(id_),
        operation=operation,
        record=Payload({name: value for name, value in fields.items() if value is not None}, f"{payload.path}"),
        whole=operation != "update",
        changed=changed,
        erased=erased,
        new=operation == "create",
    )


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """Return compound fields as in records: `Name.FirstName` is FirstName, `MailingAddress.City` MailingCity."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict) and name != _HEADER:
            flat |= {_plain(f"{name}.{part}"): part_value for part, part_value in value.items()}
        elif name != _HEADER:
            flat.setdefault(name, value)
    return flat


def _plain(field: str) -> str:
    compound, _, part = field.rpartition(".")
    return part if compound in {"", "Name"} else compound.removesuffix("Address") + part


def _changed(body: Payload, header: Payload, fields: dict[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the changed fields, and those of them that became empty.

    A Pub/Sub client that does not decode the header's bitmaps sends null for every unchanged field, so a null does not
    clear a field. CometD sends changed fields only, so a null clears one.
    """
    named, nulled = (_names(header, path) for path in ("changedFields", "nulledFields"))
    filled = frozenset(name for name, value in fields.items() if value is not None)
    if named is None and nulled is None and "data.event.replayId" in body:
        return frozenset(fields), frozenset(fields) - filled
    erased = (nulled or frozenset()) | ((named or frozenset()) - filled if nulled is None else frozenset())
    return (named or filled) | erased, erased - filled


def _names(header: Payload, path: str) -> frozenset[str] | None:
    """Return the fields in a list of the header; None without a list or if its bitmaps are not decoded."""
    if path not in header:
        return None
    names = [member.value for member in header.each(path)]
    if any(not isinstance(name, str) or _BITMAP.fullmatch(name) for name in names):
        return None
    return frozenset(_plain(name) for name in names)


@salesforce_cdc.identity
def identity(event: Event) -> Identity:
    """Return the lead or contact; else the contact or account that the record names, if the relay sends the field."""
    if event.type.endswith("__e"):
        return custom.custom_identity(_payload(event.body), _mapping(event), event.id)
    return objects.identity(change_of(event), event)


@salesforce_cdc.on(*objects.CHANGES)
def record_changed(event: Event) -> Iterator[Message]:
    yield from objects.messages(change_of(event), event)


@salesforce_cdc.on("*__e")
def platform_event(event: Event) -> Iterator[Message]:
    """Report a configured platform event."""
    yield from custom.custom(_payload(event.body), _mapping(event), {})


def _mapping(event: Event) -> custom.CustomMapping:
    return custom.mapping_of(PLATFORM_EVENTS, event, event.type)


salesforce_cdc.ignore(
    "*.gap_create", "*.gap_update", "*.gap_delete", "*.gap_undelete", "*.gap_overflow",
    because="a gap: Salesforce sends that a record changed but not how, so nothing is reported or cleared",
)  # fmt: skip
salesforce_cdc.ignore(*objects.UNREPORTED, because=objects.UNREPORTED_REASON)
salesforce_cdc.ignore(*objects.WORK_CHANGES, because=objects.WORK_REASON)
