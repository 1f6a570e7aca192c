"""How Stripe signs, wraps, names and dates its events, and whom they are about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from translators.kit import (
    Answer,
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacKvHeader,
    Identity,
    Item,
    Malformed,
    Option,
    Payload,
    SharedToken,
    Skip,
    Source,
    parse_json,
    raw_items,
    raw_member,
)

stripe = Source(
    "stripe",
    title="Stripe",
    docs="https://docs.stripe.com/webhooks",
    secret_help="Dashboard > Developers > Webhooks > your endpoint > Signing secret (whsec_...)",
    scheme={
        # https://docs.stripe.com/webhooks#verify-manually
        "stripe": HmacKvHeader(header="Stripe-Signature", ts_key="t", sig_key="v1"),
        # EventBridge and Event Grid deliver without Stripe's signature; the URL carries a token instead
        "token": SharedToken(where="path"),
    },
    options=[
        Option("livemode", "which events to translate: live, test or both", "live", ("live", "test", "both")),
        Option(
            "revenue_from",
            "what carries `revenue`: paid Checkout sessions and invoices, or every succeeded payment and nothing else "
            "(for merchants who take payments without Checkout)",
            "checkout",
            ("checkout", "payments"),
        ),
        Option("group_key", "the metadata key that holds your account's id; sent as context.groupId where it is found"),
    ],
)

_PERSONAL: Final = {
    "charge", "checkout.session", "credit_note", "discount", "dispute", "invoice", "payment_intent", "payment_method",
    "quote", "radar.early_fraud_warning", "refund", "setup_intent", "subscription", "subscription_schedule",
}  # fmt: skip
_METADATA: Final = (
    "metadata", "subscription_details.metadata", "parent.subscription_details.metadata", "subscription.metadata",
    "customer.metadata", "payment_intent.metadata", "charge.metadata",
)  # fmt: skip
_ORIGIN: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")
_LONGEST_BEFORE: Final = timedelta(days=31)


@stripe.handshake()
def event_grid_validation(delivery: Delivery) -> Answer | None:
    """Event Grid asks once whether we want its events.

    https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
    """
    if b"SubscriptionValidationEvent" not in delivery.body:
        return None
    told = delivery.payload
    code = told.get("0.data.validationCode")
    if told.get("0.eventType") != "Microsoft.EventGrid.SubscriptionValidationEvent" or not isinstance(code, str):
        return None
    return Answer(body=json.dumps({"validationResponse": code}).encode())


@stripe.handshake(method="OPTIONS")
def cloud_events_validation(delivery: Delivery) -> Answer | None:
    """With the CloudEvents schema, which is how Stripe sends, Event Grid asks by OPTIONS.

    https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema
    """
    origin = delivery.headers.get("webhook-request-origin", "")
    if not _ORIGIN.fullmatch(origin):
        return None
    return Answer(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})


@stripe.split
def unwrap(delivery: Delivery) -> Iterable[bytes | Item]:
    """The event itself: bare, in EventBridge's `detail`, or in Event Grid's `data` (one, or an array of them)."""
    if delivery.is_list:
        return [_unwrapped(raw) for raw in raw_items(delivery.body)]
    return [_unwrapped(delivery.body, delivery)]


def _unwrapped(raw: bytes, delivery: Delivery | None = None) -> bytes:
    try:
        body = delivery.payload if delivery else Payload(parse_json(raw))
    except Malformed:
        return raw
    if "detail-type" in body and isinstance(body.get("detail"), dict):
        return raw_member(raw, "detail")
    if body.get("data.object") in ("event", "v2.core.event"):
        return raw_member(raw, "data")
    return raw


@stripe.event
def head(item: Item) -> Head:
    """`evt_...`, the type, and the second it was recorded (thin events: the millisecond)."""
    return Head(item.body.id("id"), item.body.text("type"), item.body.when("created"))


@stripe.before
def mode(event: Event) -> None:
    """Live and test events are told apart by the endpoint's setting."""
    wanted = event.option("livemode")
    live = _live(event)
    if wanted != "both" and live != (wanted == "live"):
        kind = "live" if live else "test"
        raise Skip(f"a {kind}-mode event; set SEGUE_{event.source.upper()}_LIVEMODE=both to deliver it too")


@stripe.note
def note(event: Event) -> Mapping[str, Any]:
    """With `livemode = both` a test is still told from the real thing: `context.webhook.livemode` is false."""
    return {} if _live(event) else {"livemode": False}


def _live(event: Event) -> bool:
    return event.body.flag("livemode", True)


@stripe.who
def who(event: Event) -> Identity:
    """The customer; for a guest the purchase; for the merchant's own affairs its account."""
    body = event.body
    account = body.id("account", "") or body.text("context", "")
    if "related_object" in body or body.get("object") == "v2.core.event":
        return _of_thin(event, account)
    thing = body.at("data.object")
    kind = thing.text("object", "")
    customer = _customer(event, thing, kind)
    guest = "" if customer or kind not in _PERSONAL else _guest(thing, kind)
    anonymous = (
        ("customer", customer) if customer else ("payment", guest) if guest else ("account", _own(event, account))
    )
    metadata = tuple(_metadata(thing))
    return Identity(
        metadata=metadata,
        user_ids=(thing.id("client_reference_id", ""),),
        anonymous=anonymous,
        external_ids=_external_ids(customer, account),
        traits=_traits(thing, kind) if customer or guest else {},
        group_id=_group(event, metadata),
    )


def _external_ids(customer: str, account: str) -> tuple[ExternalId, ...]:
    """A customer is `cus_...`, or an account that stands for one (`customer_account`); Connect's is the merchant."""
    type_ = "stripe_customer_account_id" if customer.startswith("acct_") else "stripe_customer_id"
    found = [ExternalId(type_, customer)] if customer else []
    return (*found, ExternalId("stripe_account_id", account, "accounts")) if account else tuple(found)


def _group(event: Event, metadata: tuple[Mapping[str, str], ...]) -> str | None:
    key = event.option("group_key")
    return next((told for each in metadata if (told := each.get(key, "").strip())), None) if key else None


def _of_thin(event: Event, account: str) -> Identity:
    related = event.body.maybe("related_object")
    kind, id_ = related.text("type", ""), related.id("id", "")
    if kind == "customer" and id_:
        return Identity(anonymous=("customer", id_), external_ids=_external_ids(id_, account))
    about = id_ if kind == "v2.core.account" else ""
    return Identity(
        anonymous=("account", about or _own(event, account)), external_ids=_external_ids("", about or account)
    )


def _own(event: Event, account: str) -> str:
    """The merchant itself: the connected account, or this endpoint's own."""
    return account or f"self:{event.source}"


def _customer(event: Event, thing: Payload, kind: str) -> str:
    """`customer` as an id or expanded; the newer `customer_account`; a detached payment method's last one."""
    if kind == "customer":
        return thing.id("id", "")
    found = thing.id("customer", "") or thing.id("customer_account", "")
    if not found and kind == "payment_method":
        found = previous(event).id("customer", "")
    return found or thing.id("charge.customer", "") or thing.id("payment_intent.customer", "")


def _guest(thing: Payload, kind: str) -> str:
    """The id that all events of one guest's purchase share, as far as Stripe tells."""
    if kind in {"payment_intent", "setup_intent"}:
        return thing.id("id", "")
    shared = ("payment_intent", "charge", "setup_intent", "checkout_session", "id")
    return next((found for name in shared if (found := thing.id(name, ""))), "")


def _metadata(thing: Payload) -> Iterator[Mapping[str, str]]:
    """The closest first. Before 2023 an invoice told its subscription's metadata on that subscription's lines only."""
    found = [thing.get(path) for path in _METADATA]
    lines = thing.get("lines.data")
    if isinstance(lines, list):
        found += [
            line.get("metadata") for line in lines if isinstance(line, dict) and line.get("type") == "subscription"
        ]
    for value in found:
        if isinstance(value, dict):
            yield {name: told for name, told in value.items() if isinstance(told, str)}


def _traits(thing: Payload, kind: str) -> dict[str, Any]:
    """What the object says of the person: nothing is guessed from anything else."""
    told: dict[str, Any] = {}
    for place in (thing if kind == "customer" else None, "customer_details", "billing_details", "customer"):
        person = place if isinstance(place, Payload) else _object(thing, place)
        for name in ("email", "name", "phone"):
            value = person.get(name)
            if isinstance(value, str) and value:
                told.setdefault(name, value)
    for path, name in (
        ("customer_email", "email"), ("receipt_email", "email"), ("customer_name", "name"), ("customer_phone", "phone"),
    ):  # fmt: skip
        value = thing.get(path)
        if isinstance(value, str) and value:
            told.setdefault(name, value)
    return told


def _object(thing: Payload, path: str | None) -> Payload:
    return thing.maybe(path) if path is not None and isinstance(thing.get(path), dict) else Payload({})


def thing_of(event: Event) -> Payload:
    """The object that the event is about."""
    return event.body.at("data.object")


def previous(event: Event) -> Payload:
    """What the changed members were before (`previous_attributes`), empty where nothing is told."""
    return event.body.maybe("data.previous_attributes")


def changed(event: Event, name: str) -> bool:
    """Whether a member is among those that changed; it may have been null before."""
    before = previous(event).value
    return isinstance(before, dict) and name in before


def own_time(event: Event, moment: datetime | None) -> datetime | None:
    """A closer time of the fact, where the object tells one.

    Never after the event itself was recorded, and never more than 31 days before: that is a backdated record.
    """
    if moment is None or not event.occurred_at - _LONGEST_BEFORE <= moment <= event.occurred_at:
        return None
    return moment
