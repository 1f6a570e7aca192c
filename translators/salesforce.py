"""Salesforce Outbound Messages -> Segment. They are SOAP, carry no signature, and up to 100 records in one message.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm
The message tells a record as it is when it is sent, never what it was before, and no time of its own: the record's
last change stands for it, and the message says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from translators.kit import (
    Answer,
    Delivery,
    Event,
    ExternalId,
    Head,
    Identity,
    Item,
    Malformed,
    Message,
    Option,
    Payload,
    Refused,
    SharedToken,
    Skip,
    Source,
    group,
    identify,
    track,
)

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_OM: Final = "{http://soap.sforce.com/2005/09/outbound}"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_FACTS: Final = ("OrganizationId", "ActionId", "EnterpriseUrl")
# A notification's exact bytes may use prefixes that its ancestors declared; the usual ones are declared again to read
# it.
_OPEN: Final = (
    b'<n xmlns="http://soap.sforce.com/2005/09/outbound" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    b'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    b'xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
)
_CLOSE: Final = b"</n>"


def _ack(told: str) -> Answer:
    """Nothing may stand before the prolog, or Salesforce takes it for a failure and sends again."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Body>'
        '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<Ack>{told}</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>"
    )
    return Answer(body=text.encode(), content_type="text/xml; charset=utf-8")


salesforce = Source(
    "salesforce",
    title="Salesforce",
    docs="https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm",
    secret_help="a long random token of your own, at the end of the endpoint URL: /webhooks/salesforce/<token>",
    scheme={"token": SharedToken(where="path"), "basic": SharedToken(where="basic")},
    keep_headers=(),
    options=[
        Option("organization_id", "your organisation's id, 15 or 18 characters; messages of any other are refused"),
        Option(
            "client_certificate", "a header and value that your TLS proxy sets for Salesforce's certificate, NAME=VALUE"
        ),
        Option("custom_objects", "custom objects and the event each becomes: Order__c=Order Placed", (), many=True),
    ],
    ack=_ack("true"),
    nack=_ack("false"),
)


@salesforce.split
def notifications(delivery: Delivery) -> list[bytes | Item]:
    """Each Notification's exact bytes. The envelope's SessionId may be a live session: it is kept nowhere."""
    root = _read(delivery.body)
    message = root.find(f".//{_OM}notifications")
    if message is None:
        raise Malformed("$", "is no outbound message: it holds no notifications")
    envelope = {name: (message.findtext(f"{_OM}{name}") or "").strip() for name in _FACTS}
    return [
        Item(raw=raw, received_at=delivery.received_at, envelope=envelope, options=delivery.options)
        for raw in _slices(delivery.body)
    ]


@salesforce.guard
def ours(delivery: Delivery) -> None:
    """The organisation must be the configured one (its first 15 characters; the other 3 are a checksum)."""
    wanted = str(delivery.options.get("organization_id") or "").strip()
    certificate = str(delivery.options.get("client_certificate") or "")
    if certificate:
        name, _, value = certificate.partition("=")
        if not value or delivery.headers.get(name.strip().lower()) != value.strip():
            raise Refused("The client certificate is not Salesforce's, as the TLS proxy tells it.")
    if wanted:
        told = _read(delivery.body).findtext(f".//{_OM}notifications/{_OM}OrganizationId") or ""
        if told.strip()[:15] != wanted[:15]:
            raise Refused("The message is of another Salesforce organisation.")


def _read(raw: bytes) -> Element:
    try:
        root: Element = fromstring(raw, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Malformed("$", "is not XML that can be read safely") from None
    return root


def _slices(raw: bytes) -> list[bytes]:
    """Where each Notification begins and ends, by the parser's own count; the body was read safely before."""
    parser = expat.ParserCreate(namespace_separator=" ")
    wanted = f"{_OM[1:-1]} Notification"
    begins: list[int] = []
    found: list[bytes] = []

    def start(name: str, _: Mapping[str, str]) -> None:
        if name == wanted:
            begins.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        if name == wanted:
            last = raw.index(b">", parser.CurrentByteIndex) + 1
            found.append(raw[begins.pop() : last])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(raw, True)
    return found


def _record(item: Item) -> tuple[str, str, Payload]:
    """The notification's id, the sObject's type, and its fields as texts."""
    notification = _read(_OPEN + item.raw + _CLOSE).find(f"{_OM}Notification")
    thing = notification.find(f"{_OM}sObject") if notification is not None else None
    if notification is None or thing is None:
        raise Malformed("$.Notification.sObject", "is missing")
    kind = thing.get(f"{_XSI}type", "").rpartition(":")[2]
    fields = {
        child.tag.rpartition("}")[2]: child.text
        for child in thing
        if child.text is not None and child.get(f"{_XSI}nil") != "true"
    }
    return (notification.findtext(f"{_OM}Id") or "").strip(), kind, Payload(fields, f"$.{kind or 'sObject'}")


@salesforce.event
def head(item: Item) -> Head:
    """The notification's id is the same on every retry; the record's last change stands for the time."""
    id_, kind, record = _record(item)
    at = record.iso("SystemModstamp", None) or record.iso("LastModifiedDate", None) or record.iso("CreatedDate", None)
    return Head(id_, kind, at, "record")


@salesforce.who
def person(event: Event) -> Identity:
    """A lead or contact is a person; the rest belongs to one, or to an account. Every field may hold your user id."""
    _, kind, record = _record(event)
    id_ = record.id("Id", "")
    account = id_ if kind == "Account" else record.id("AccountId", "")
    contact = id_ if kind == "Contact" else record.id("ContactId", "")
    lead = id_ if kind == "Lead" else ""
    anonymous = (
        ("contact", contact)
        if contact
        else ("lead", lead)
        if lead
        else ("account", account)
        if account
        else ("record", id_)
    )
    externals = [
        ExternalId(f"salesforce_{name}_id", value, "accounts" if name == "account" else "users")
        for name, value in (("contact", contact), ("lead", lead), ("account", account))
    ]
    return Identity(
        metadata=(_texts(record),),
        anonymous=anonymous if anonymous[1] else None,
        external_ids=tuple(externals),
        traits=_traits(record) if kind in {"Lead", "Contact"} else {},
        group_id=account or None,
    )


def _texts(record: Payload) -> dict[str, str]:
    fields = record.value if isinstance(record.value, dict) else {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _traits(record: Payload) -> dict[str, Any]:
    first, last = record.text("FirstName", None), record.text("LastName", None)
    address = {
        "street": record.text("MailingStreet", None) or record.text("Street", None),
        "city": record.text("MailingCity", None) or record.text("City", None),
        "state": record.text("MailingState", None) or record.text("State", None),
        "postalCode": record.text("MailingPostalCode", None) or record.text("PostalCode", None),
        "country": record.text("MailingCountry", None) or record.text("Country", None),
    }
    company = record.text("Company", None)
    return {
        "email": record.text("Email", None),
        "firstName": first,
        "lastName": last,
        "name": record.text("Name", None) or " ".join(filter(None, (first, last))) or None,
        "phone": record.text("Phone", None),
        "title": record.text("Title", None),
        "company": {"name": company} if company else None,
        "address": address if any(address.values()) else None,
    }


def _is_new(record: Payload) -> bool:
    """Salesforce does not say whether a record is new: one that was never changed after it was made is [guess]."""
    made, changed = record.text("CreatedDate", None), record.text("LastModifiedDate", None)
    return made is not None and made == changed


@salesforce.on("Lead")
def lead(event: Event) -> Iterator[Message]:
    _, _, record = _record(event)
    yield identify(leadSource=record.text("LeadSource", None))
    converted = record.text("IsConverted", "") == "true"
    name = "Lead Converted" if converted else "Lead Created" if _is_new(record) else "Lead Updated"
    yield track(
        name,
        lead_id=record.id("Id"),
        status=record.text("Status", None),
        contact_id=record.id("ConvertedContactId", None),
        opportunity_id=record.id("ConvertedOpportunityId", None),
    )


@salesforce.on("Contact")
def contact(event: Event) -> Iterator[Message]:
    _, _, record = _record(event)
    yield identify()
    yield track("Contact Created" if _is_new(record) else "Contact Updated", contact_id=record.id("Id"))


@salesforce.on("Account")
def account(event: Event) -> Iterator[Message]:
    _, _, record = _record(event)
    yield group(
        record.id("Id"),
        name=record.text("Name", None),
        industry=record.text("Industry", None),
        website=record.text("Website", None),
        phone=record.text("Phone", None),
        employees=record.text("NumberOfEmployees", None),
        type=record.text("Type", None),
    )


@salesforce.on("Opportunity")
def opportunity(event: Event) -> Iterator[Message]:
    _, _, record = _record(event)
    stage = record.text("StageName", None)
    if record.text("IsWon", "") == "true" or stage == "Closed Won":
        name = "Opportunity Won"
    elif record.text("IsClosed", "") == "true" or stage == "Closed Lost":
        name = "Opportunity Lost"
    else:
        name = "Opportunity Created" if _is_new(record) else "Opportunity Updated"
    amount: Decimal | None = record.decimal("Amount", None)
    yield track(
        name,
        opportunity_id=record.id("Id"),
        opportunity_name=record.text("Name", None),
        stage=stage,
        amount=amount,
        currency=record.text("CurrencyIsoCode", None),
        probability=record.decimal("Probability", None),
        close_date=record.text("CloseDate", None),
        type=record.text("Type", None),
    )


@salesforce.on("Case")
def case(event: Event) -> Iterator[Message]:
    _, _, record = _record(event)
    solved = record.text("IsClosed", "") == "true" or record.text("Status", "") == "Closed"
    yield track(
        "Ticket Solved" if solved else "Ticket Created" if _is_new(record) else "Ticket Updated",
        ticket_id=record.id("Id"),
        ticket_number=record.text("CaseNumber", None),
        subject=record.text("Subject", None),
        status=record.text("Status", None),
        priority=record.text("Priority", None),
        channel=record.text("Origin", None),
        type=record.text("Type", None),
        assignee_id=record.id("OwnerId", None),
    )


@salesforce.on("*__c")
def custom(event: Event) -> Iterator[Message]:
    """A custom object becomes the event that the endpoint's options name, with its own fields."""
    told = dict(pair.split("=", 1) for pair in event.option("custom_objects") if "=" in pair)
    if event.type not in told:
        raise Skip(f"name the event it becomes: SEGUE_{event.source.upper()}_CUSTOM_OBJECTS={event.type}=...")
    _, _, record = _record(event)
    fields = record.value if isinstance(record.value, dict) else {}
    own = {name.removesuffix("__c").lower(): value for name, value in fields.items() if name.endswith("__c")}
    yield track(told[event.type].strip(), own, record_id=record.id("Id"), record_name=record.text("Name", None))


salesforce.ignore(
    "Task", "Event", "EmailMessage", "CaseComment", "FeedItem", because="an employee's own work, no customer's act"
)
