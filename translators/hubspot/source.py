"""Signature, batches, key, time and identity of HubSpot's events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from translators.hubspot.objects import kind_of, other_end
from translators.hubspot.properties import ENTRY
from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacRequest,
    Identity,
    Item,
    Malformed,
    Payload,
    Source,
    list_option,
    raw_items,
    text_option,
)

# https://developers.hubspot.com/docs/guides/api/crm/associations/associations-v4#association-type-id-values
_PRIMARY_COMPANY: Final = 1
_MORE: Final = "property, property=name or property=name:number (:time, :flag), such as arr=annual_spend:number"

PORTAL_ID: Final = text_option(
    "portal_id", "translate this HubSpot account only (an app receives events of all that installed it)"
)
CONTACT_TRAITS: Final = list_option(
    "contact_traits", f"more contact properties to send as traits: {_MORE}", pattern=ENTRY
)
COMPANY_TRAITS: Final = list_option(
    "company_traits", f"more company properties to send as traits: {_MORE}", pattern=ENTRY
)
DEAL_PROPERTIES: Final = list_option("deal_properties", f"more deal properties to send: {_MORE}", pattern=ENTRY)
TICKET_PROPERTIES: Final = list_option("ticket_properties", f"more ticket properties to send: {_MORE}", pattern=ENTRY)
WON_STAGES: Final = list_option("won_stages", "ids of the stages of a won deal", ("closedwon",))
LOST_STAGES: Final = list_option("lost_stages", "ids of the stages of a lost deal", ("closedlost",))
CURRENCY: Final = text_option("currency", "the currency of an account that has only one, such as EUR")
SOLVED_STAGES: Final = list_option("solved_stages", "ids of the stages of a solved ticket", ("4",))
REOPENED_STAGES: Final = list_option("reopened_stages", "ids of the stages of a reopened ticket")
ASSIGNED_STAGES: Final = list_option("assigned_stages", "ids of the stages of an assigned ticket")
CREATED_STAGES: Final = list_option("created_stages", "ids of the stages in which a ticket counts as created")

hubspot = Source(
    "hubspot",
    title="HubSpot",
    docs="https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide",
    secret_help="your app > Auth > Client secret",
    # https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests
    scheme={
        "v3": HmacRequest(
            header="X-HubSpot-Signature-v3",
            parts=("method", "url", "body", "ts"),
            ts_header="X-HubSpot-Request-Timestamp",
            decode_url=True,
        ),
        "v2": HmacRequest(
            header="X-HubSpot-Signature", parts=("secret", "method", "url", "body"), encoding="hex", plain=True
        ),
        "v1": HmacRequest(header="X-HubSpot-Signature", parts=("secret", "body"), encoding="hex", plain=True),
    },
    options=[
        PORTAL_ID,
        CONTACT_TRAITS,
        COMPANY_TRAITS,
        DEAL_PROPERTIES,
        TICKET_PROPERTIES,
        WON_STAGES,
        LOST_STAGES,
        CURRENCY,
        SOLVED_STAGES,
        REOPENED_STAGES,
        ASSIGNED_STAGES,
        CREATED_STAGES,
    ],
)  # fmt: skip


@hubspot.split
def split(delivery: Delivery) -> Iterator[bytes | Item]:
    """Split a list of events. A workflow's webhook is one object, whose format its author chose."""
    if delivery.opening == b"{":
        yield delivery.item(delivery.body, {"sent_by": "workflow"})
        return
    yield from raw_items(delivery.body)


@hubspot.head
def head(item: Item) -> Head:
    """Return the head. `object.propertyChange` of object type `0-1` has the type `contact.propertyChange`, too.

    The key is the account, the type, the record, the time in milliseconds and what changed. `eventId` (which HubSpot
    may repeat), `subscriptionId`, `appId` and `attemptNumber` are not used: a second subscription or app has other
    values for the same change.
    """
    if item.envelope.get("sent_by") == "workflow":
        return Head(id=item.digest, type="workflow", occurred_at=None)
    body = item.body
    name = body.opt.text("eventType") or body.text("subscriptionType")
    kind, _, action = name.partition(".")
    if kind == "object":
        kind = kind_of(body.text("objectTypeId", "") or body.text("fromObjectTypeId"))
    type_ = f"{kind}.{action}"
    key = [body.id("portalId"), type_, record(body), body.id("occurredAt"), *_change(body)]
    former = [
        body.id("portalId"), body.id("subscriptionId", ""), body.id("eventId", ""), record(body),
        body.id("occurredAt"), body.text("propertyName", ""), body.id("toObjectId", ""), body.id("messageId", ""),
    ]  # fmt: skip
    return Head(
        id=":".join(key).rstrip(":"),
        type=type_,
        occurred_at=body.millis("occurredAt"),
        former_ids=(FormerId(":".join(former).rstrip(":")),),
    )


def _change(body: Payload) -> list[str]:
    """Return what distinguishes two events of one type, record and millisecond.

    An association has two forms, the older subscriptions' word and type ids; both give the same result.
    """
    value = body.get("propertyValue")
    digest = "" if value is None else sha256(str(value).encode("utf-8", "replace")).hexdigest()[:8]
    merged_values = body.get("mergedObjectIds")
    merged_ids = sorted(map(str, merged_values)) if isinstance(merged_values, list) else []
    return [
        body.text("propertyName", ""), digest, body.id("toObjectId", ""), *_association(body), ",".join(merged_ids),
        body.id("messageId", ""),
    ]  # fmt: skip


def _association(body: Payload) -> tuple[str, str]:
    if "toObjectId" not in body:
        return "", ""
    to = other_end(body) if "toObjectTypeId" in body or "associationType" in body else ""
    if body.text("associationCategory", "HUBSPOT_DEFINED") != "HUBSPOT_DEFINED":
        to = f"{to}-{body.id('associationTypeId', '')}"  # a custom label of the account
    elif is_primary(body):
        to = f"{to}-primary"
    return to, "removed" if body.flag("associationRemoved", False) else "added"


@hubspot.skip_if
def this_account(event: Event) -> str | None:
    """Skip other accounts: all accounts that installed an app send to the same URL."""
    portal_id = PORTAL_ID.of(event)
    return "from another HubSpot account" if portal_id and event.body.id("portalId") != portal_id else None


@hubspot.context
def context(event: Event) -> Mapping[str, Any]:
    """Return the account, since record ids are unique per account only, and the source of the change."""
    return event.body.select(portal_id="portalId:id", change_source="changeSource:text")


@hubspot.identity
def identity(event: Event) -> Identity:
    """Return the contact of a contact event, else the record itself: HubSpot names no person."""
    kind, id_ = event.type.partition(".")[0], record(event.body)
    if kind == "contact":
        return contact(event.body, id_)
    return company(event.body, id_) if kind == "company" else record_identity(event.body, kind, id_)


def record(body: Payload) -> str:
    """Return the record's id; of an association the source record's, of a merge the remaining record's."""
    return body.first("objectId:id", "fromObjectId:id") or body.id("primaryObjectId")


def is_primary(body: Payload) -> bool:
    """Return whether an association is with the primary company; HubSpot also sends the plain association."""
    return body.flag("isPrimaryAssociation", False) or body.opt.integer("associationTypeId") == _PRIMARY_COMPANY


def record_identity(body: Payload, kind: str, id_: str) -> Identity:
    """Return the identity of a record that is not a person. Ids are unique per account, so it includes the account."""
    return Identity(anonymous=(kind, f"{body.id('portalId')}|{id_}"))


def contact(body: Payload, *ids: str) -> Identity:
    """Return a contact with the first id as their own. A changed property may be your user id."""
    name, value = body.get("propertyName"), body.get("propertyValue")
    return Identity(
        metadata=({name: value},) if isinstance(name, str) and isinstance(value, str) else (),
        anonymous=("contact", f"{body.id('portalId')}|{ids[0]}"),
        external_ids=tuple(ExternalId("hubspot_contact_id", id_) for id_ in ids),
    )


def company(body: Payload, *ids: str) -> Identity:
    """Return a company with the first id as its own."""
    return Identity(
        anonymous=("company", f"{body.id('portalId')}|{ids[0]}"),
        external_ids=tuple(ExternalId("hubspot_company_id", id_, "accounts") for id_ in ids),
        group_id=ids[0],
    )


def merged(body: Payload) -> tuple[str, list[str]]:
    """Return (the remaining record, the merged ones). If HubSpot creates a new record, both old ones are merged.

    https://developers.hubspot.com/changelog/new-subscription-types-for-webhooks
    """
    primary = body.id("primaryObjectId")
    merged_ids = body.get("mergedObjectIds", [])
    if not isinstance(merged_ids, list):
        raise Malformed(f"{body.path}.mergedObjectIds", "is not a list")
    kept_id = body.opt.id("newObjectId") or primary
    all_ids = [primary, *(Payload({"id": id_}, f"{body.path}.mergedObjectIds").id("id") for id_ in merged_ids)]
    return kept_id, [id_ for id_ in dict.fromkeys(all_ids) if id_ != kept_id]
