"""Translate Salesforce Outbound Messages: SOAP without a signature, with up to 100 records in one message.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm
The message has the record at the time of sending, without old values and without an event time: the record's last
change is used, with the clock `record`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    Head,
    Identity,
    Item,
    Malformed,
    Message,
    Payload,
    Refused,
    Response,
    SharedToken,
    Source,
    accept_account,
    choice_option,
    text_option,
    track,
)
from translators.salesforce import objects, soap
from translators.salesforce.change import Change
from translators.salesforce.ids import full_id, same_organization
from translators.salesforce.settings import ORGANIZATION, RECORDS, pairs

_XML: Final = "text/xml; charset=utf-8"
_HOST: Final = re.compile(r"https://[A-Za-z0-9.-]+(?=/|$)")
_OBJECT: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)

CLIENT_CERTIFICATE: Final = text_option(
    "client_certificate", "a header and value that your TLS proxy sets for Salesforce's certificate, NAME=VALUE"
)
ACTION_EVENTS: Final = text_option(
    "action_events", "outbound messages (by ActionId) and their event names: 04k...=Opportunity Won; ..."
)
CREATED_WHEN: Final = choice_option(
    "created_when",
    "when a record counts as new: if CreatedDate equals LastModifiedDate, never, or always (this "
    "endpoint receives new records only)",
    ("same_time", "never", "always"),
    "same_time",
)

salesforce = Source(
    "salesforce",
    title="Salesforce",
    docs="https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm",
    secret_help="a long random token that you choose, at the end of the endpoint URL: /webhooks/salesforce/<token>",
    scheme={"token": SharedToken(where="path"), "basic": SharedToken(where="basic")},
    options=[ORGANIZATION, CLIENT_CERTIFICATE, ACTION_EVENTS, CREATED_WHEN, *RECORDS],
    ack=Response(body=soap.answer(acknowledged=True), content_type=_XML),
    nack=Response(body=soap.answer(acknowledged=False), content_type=_XML),
)


@salesforce.guard
def certificate(delivery: Delivery) -> None:
    """Accept only the client certificate that the TLS proxy passes on, if one is configured."""
    expected = CLIENT_CERTIFICATE.of(delivery)
    if expected and not delivery.replayed:
        name, _, value = (part.strip() for part in expected.partition("="))
        header = delivery.headers.get(name.lower(), "").strip()
        if not value or not hmac.compare_digest(header.encode(), value.encode()):
            raise Refused("The TLS proxy did not pass on Salesforce's client certificate.")


accept_account(
    salesforce,
    ORGANIZATION,
    lambda delivery: soap.read(delivery.body).facts.get("OrganizationId"),
    what="Salesforce organisation",
    same=same_organization,
)


salesforce.redact(soap.without_session)  # the SessionId may be a valid session of the sender


@salesforce.split
def notifications(delivery: Delivery) -> Iterator[Item]:
    """Split into each Notification's exact bytes, with the message's facts except SessionId in the envelope."""
    message = soap.read(delivery.body)
    for raw, namespaces in message.notifications:
        yield delivery.item(raw, {**message.facts, "namespaces": namespaces})


@salesforce.head
def head(item: Item) -> Head:
    """Return the notification's id, which is the same on every retry, and the record's last change as the time."""
    notification = _notification(item)
    if not _OBJECT.fullmatch(notification.object):
        raise Malformed("$.Notification.sObject", "has no readable type")
    record = Payload(notification.fields, f"$.{notification.object}")
    created = record.opt.iso("CreatedDate") if CREATED_WHEN.of(item) == "always" else None
    return Head(
        id=notification.id,
        type=notification.object,
        occurred_at=created or record.opt.iso("SystemModstamp") or record.opt.iso("LastModifiedDate"),
        clock="event" if created else "record",
    )


def _notification(item: Item) -> soap.OutboundNotification:
    return soap.notification(item.raw, item.envelope.get("namespaces", ""))


def _is_new(record: Payload, created_when: str) -> bool:
    """Return whether a record is new. Salesforce does not send it: an unchanged record counts as new [guess]."""
    if created_when == "same_time":
        created = record.opt.iso("CreatedDate")
        changed = {record.opt.iso("LastModifiedDate"), record.opt.iso("SystemModstamp")}
        return created is not None and created in changed
    return created_when == "always"


def change_of(event: Event) -> Change:
    """Return the current record; its old values are not sent."""
    notification = _notification(event)
    record = Payload(notification.fields, f"$.{notification.object}")
    id_ = full_id(record.id("Id"))
    host = _HOST.match(event.envelope.get("EnterpriseUrl", ""))
    return Change(
        object=notification.object,
        id=id_,
        operation="",
        record=record,
        new=_is_new(record, CREATED_WHEN.of(event)),
        url=f"{host[0]}/{id_}" if host else None,
    )


@salesforce.identity
def identity(event: Event) -> Identity:
    """Return the lead or contact; else the contact or account that the record names."""
    return objects.identity(change_of(event), event)


@salesforce.on("Lead", "Contact", "Account", "Opportunity", "Case")
def record_changed(event: Event) -> Iterator[Message]:
    """Report the configured event of an outbound message; else decide it by the record's state."""
    change, name = change_of(event), _named(event)
    sent = list(objects.messages(change, event))
    if name:
        tracked = [message for message in sent if message.kind == "track"] or [track(name, {"record_id": change.id})]
        sent = [message for message in sent if message.kind != "track"] + [replace(tracked[-1], name=name)]
    yield from sent


@salesforce.on("*")
def custom_changed(event: Event) -> Iterator[Message]:
    yield from objects.messages(change_of(event), event)


def _named(event: Event) -> str:
    """Return the configured event of this outbound message."""
    action = event.envelope.get("ActionId", "")[:15]
    for id_, name in pairs(ACTION_EVENTS.of(event)):
        if action and id_[:15] == action:
            return name
    return ""


salesforce.ignore(*objects.WORK, because=objects.WORK_REASON)
