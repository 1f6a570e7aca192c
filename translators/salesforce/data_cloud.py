"""Data Cloud (Data 360) data actions with a webhook target -> Segment.

https://developer.salesforce.com/docs/data/data-cloud-int/references/webhook-data-action-targets
https://developer.salesforce.com/docs/platform/platform-events/guide/sforce-api-objects-dataobjectdatachgevent.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Message,
    Option,
    Payload,
    Skip,
    Source,
    from_iso,
    parse_json,
    raw_items,
    track,
)
from translators.salesforce.settings import pairs

salesforce_data_cloud = Source(
    "salesforce_data_cloud",
    title="Salesforce Data Cloud",
    docs="https://developer.salesforce.com/docs/data/data-cloud-int/references/webhook-data-action-targets",
    secret_help="Data Cloud > Data Action Targets > your target > Generate Secret Key",
    scheme=HmacBody(header="X-Signature", encoding="base64"),  # the key looks like base64 and is used as text
    options=[
        Option("action_events", "data actions and the event each becomes: Cart_Left=Cart Abandoned; ..."),
        Option("person_field", "the field of the payload that holds the person's id, where ProfileIdValue is not it"),
        Option("fields", "fields of the payload to send, by name: total=Cart__dlm_Total__c; ..."),
    ],
)


@salesforce_data_cloud.split
def split(delivery: Delivery) -> Iterator[Item]:
    """`events` is a list; the time that it was made stands beside it."""
    envelope = {"creationDateTime": delivery.payload.text("creationDateTime", "")}
    for raw in raw_items(delivery.body, "events"):
        yield Item(raw=raw, received_at=delivery.received_at, envelope=envelope, options=delivery.options)


@salesforce_data_cloud.event
def head(item: Item) -> Head:
    """When it occurred; else when it was published or sent, which may be later."""
    event = item.body
    key = event.id("EventUuid", None) or f"sha256:{sha256(item.raw).hexdigest()}"
    at = _moment(event.get("EventCreationDateTime"))
    late = _moment(event.get("EventPublishDateTime")) or _moment(item.envelope.get("creationDateTime"))
    return Head(key, event.text("ActionDeveloperName"), at or late, "event" if at else "record")


def _moment(told: Any) -> datetime | None:
    """ISO 8601; a time without a zone is taken for UTC [guess], and what cannot be read for none."""
    try:
        return from_iso(told, naive_is_utc=True) if isinstance(told, str) else None
    except ValueError:
        return None


def _current(event: Event) -> Payload:
    """The current values: an object, or the text of one."""
    told = event.body.get("PayloadCurrentValue")
    if isinstance(told, str) and told.strip():
        return Payload(parse_json(told.encode("utf-8", "replace")), "$.PayloadCurrentValue")
    return event.body.maybe("PayloadCurrentValue")


@salesforce_data_cloud.who
def who(event: Event) -> Identity:
    """The configured field, else the profile that Data Cloud names."""
    current, field = _current(event), event.option("person_field")
    person = current.id(field, None) if field else None
    person = person or event.body.id("ProfileIdValue", None)
    if person is None:
        raise Skip("it names no person: set the option person_field")
    fields = current.value if isinstance(current.value, dict) else {}
    return Identity(
        metadata=({name: value for name, value in fields.items() if isinstance(value, str)},),
        anonymous=("individual", person),
        external_ids=(ExternalId("salesforce_individual_id", person),),
    )


@salesforce_data_cloud.on("*")
def data_action(event: Event) -> Iterator[Message]:
    """A data action fired; the operator may have named it."""
    body, current = event.body, _current(event)
    named = dict(pairs(event.option("action_events")))
    prompt = body.text("EventPrompt", None)
    told = {
        "action": event.type,
        "object": body.text("SourceObjectDeveloperName", None),
        "event_type": body.text("EventType", None),
        "trigger": prompt.lower() if prompt else None,
    }
    own = {name: current.get(path) for name, path in pairs(event.option("fields"))}
    scalars = {name: value for name, value in own.items() if not isinstance(value, dict | list)}
    yield track(named.get(event.type, "Data Action Triggered"), told | scalars)
