"""Translate data actions of Data Cloud (Data 360) with a webhook target.

https://developer.salesforce.com/docs/data/data-cloud-int/references/webhook-data-action-targets
https://developer.salesforce.com/docs/platform/platform-events/guide/sforce-api-objects-dataobjectdatachgevent.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from translators.kit import (
    Clock,
    Delivery,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Message,
    Payload,
    Skip,
    Source,
    digest,
    from_iso,
    identify,
    parse_json,
    text_option,
    track,
)
from translators.salesforce.change import texts_of
from translators.salesforce.ids import external, full_id
from translators.salesforce.settings import pairs

ACTION_EVENTS: Final = text_option("action_events", "data actions and their event names: Cart_Left=Cart Abandoned; ...")
PERSON_FIELD: Final = text_option("person_field", "the payload field with the person's id, if it is not ProfileIdValue")
FIELDS: Final = text_option("fields", "fields of the payload to send, by name: total=Cart__dlm_Total__c; ...")

salesforce_data_cloud = Source(
    "salesforce_data_cloud",
    title="Salesforce Data Cloud",
    docs="https://developer.salesforce.com/docs/data/data-cloud-int/references/webhook-data-action-targets",
    secret_help="Data Cloud > Data Action Targets > your target > Generate Secret Key",
    scheme=HmacBody(header="X-Signature", encoding="base64"),  # the key looks like base64 but is used as text
    options=[ACTION_EVENTS, PERSON_FIELD, FIELDS],
)


@salesforce_data_cloud.split
def split(delivery: Delivery) -> Iterator[Item]:
    """Split the list `events`; its creation time is beside it."""
    batch = delivery.batch("events")
    envelope = {"creationDateTime": batch.envelope.text("creationDateTime", "")}
    yield from (delivery.item(raw, envelope) for raw in batch.members)


@salesforce_data_cloud.head
def head(item: Item) -> Head:
    """Return the key from the event's UUID, else from all members but the publishing time, which may differ on a retry.

    The time is that of the event; else of publishing or sending, which may be later.
    """
    event, action = item.body, item.body.text("ActionDeveloperName")
    at = _moment(event.get("EventCreationDateTime"))
    late = _moment(event.get("EventPublishDateTime")) or _moment(item.envelope.get("creationDateTime"))
    clock: Clock = "event" if at else "record"
    if own := event.id("EventUuid", ""):
        return Head(id=own, type=action, occurred_at=at or late, clock=clock)
    fields = {name: value for name, value in event.value.items() if name != "EventPublishDateTime"}
    former = FormerId(item.digest)
    return Head(id=f"{action}:{digest(fields)}", type=action, occurred_at=at or late, clock=clock, former_ids=(former,))


def _moment(value: Any) -> datetime | None:
    """Return an ISO 8601 time. Without a zone it counts as UTC [guess]; return None if it cannot be read."""
    try:
        return from_iso(value, naive_is_utc=True) if isinstance(value, str) else None
    except ValueError:
        return None


def _current(event: Event) -> Payload:
    """Return the current values, which are an object or its JSON text."""
    value = event.body.get("PayloadCurrentValue")
    if isinstance(value, str) and value.strip():
        return Payload(parse_json(value.encode("utf-8", "replace")), "$.PayloadCurrentValue")
    return event.body.maybe("PayloadCurrentValue")


def _person(event: Event) -> Payload:
    """Return a Person Account's fields by Salesforce's names; empty for any other object.

    Data Cloud writes `Account_Home__dll_PersonEmail__c`, `PersonEmail__c` or `ssot__FirstName__c`.
    """
    current, object_ = _current(event).value, event.body.text("SourceObjectDeveloperName", "")
    fields = {_plain(name, object_): value for name, value in current.items()} if isinstance(current, dict) else {}
    mark = fields.get("IsPersonAccount")
    person = (
        bool(fields.get("PersonEmail") or fields.get("PersonContactId")) if mark is None else mark in (True, "true")
    )
    return Payload(fields if person else {}, "$.PayloadCurrentValue")


def _plain(field: str, object_: str) -> str:
    return field.removeprefix(f"{object_}_").removeprefix("ssot__").removesuffix("__c")


@salesforce_data_cloud.identity
def identity(event: Event) -> Identity:
    """Return the person in the configured field, else Data Cloud's profile, else a Person Account's contact."""
    current, field, account = _current(event), PERSON_FIELD.of(event), _person(event)
    contact = full_id(account.id("PersonContactId", ""))
    person = (current.opt.id(field) if field else None) or event.body.opt.id("ProfileIdValue")
    if person is None and not contact:
        raise Skip("no person is named: set the option person_field")
    traits = account.select(email="PersonEmail", firstName="FirstName", lastName="LastName", name="Name")
    return Identity(
        metadata=(texts_of(current),),
        anonymous=("individual", person) if person else ("contact", contact),
        external_ids=(ExternalId("salesforce_individual_id", person or ""), external("contact", contact)),
        traits={name: value for name, value in traits.items() if isinstance(value, str) and value},
    )


@salesforce_data_cloud.on("*")
def data_action(event: Event) -> Iterator[Message]:
    """Report a data action under its configured name. Identify the person of a Person Account."""
    body, current = event.body, _current(event)
    event_names = dict(pairs(ACTION_EVENTS.of(event)))
    properties = {"action": event.type} | body.select(
        object="SourceObjectDeveloperName:text", event_type="EventType:text", trigger="EventPrompt:lower"
    )
    own = {name: current.get(path) for name, path in pairs(FIELDS.of(event))}
    scalars = {name: value for name, value in own.items() if not isinstance(value, dict | list)}
    if _person(event):
        yield identify()
    yield track(event_names.get(event.type, "Data Action Triggered"), properties | scalars)
