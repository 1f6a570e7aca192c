"""Stripe's signature, envelopes, event ids, times and identity."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    HmacKvHeader,
    Identity,
    Item,
    Malformed,
    Payload,
    Response,
    SharedToken,
    Source,
    choice_option,
    first_id,
    parse_json,
    raw_items,
    raw_member,
    skip_other_modes,
    text_option,
)

LIVEMODE: Final = choice_option(
    "livemode", "which events to translate: live, test or both", ("live", "test", "both"), "live"
)
REVENUE_FROM: Final = choice_option(
    "revenue_from",
    "what carries `revenue`: paid Checkout sessions and invoices, or every succeeded payment and nothing else "
    "(for merchants who take payments without Checkout)",
    ("checkout", "payments"),
    "checkout",
)
GROUP_KEY: Final = text_option("group_key", "the metadata key that holds your account's id; sent as context.groupId")

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
    options=[LIVEMODE, REVENUE_FROM, GROUP_KEY],
)

_PERSONAL: Final = {
    "charge", "checkout.session", "credit_note", "discount", "dispute", "invoice", "payment_intent", "payment_method",
    "quote", "radar.early_fraud_warning", "refund", "setup_intent", "subscription", "subscription_schedule",
}  # fmt: skip
_METADATA: Final = (
    "metadata", "subscription_details.metadata", "parent.subscription_details.metadata", "subscription.metadata",
    "customer.metadata", "payment_intent.metadata", "charge.metadata",
)  # fmt: skip
_TRAITS: Final = ("email", "name", "phone")
_TRAIT_PATHS: Final = (
    *((f"{person}.{name}", name) for person in ("customer_details", "billing_details", "customer") for name in _TRAITS),
    ("customer_email", "email"), ("receipt_email", "email"), ("customer_name", "name"), ("customer_phone", "phone"),
)  # fmt: skip
_EVENTS: Final = ("event", "v2.core.event")
"""The member `object` of an event without an envelope."""
_ORIGIN: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")
_LONGEST_BEFORE: Final = timedelta(days=31)


@stripe.handshake()
def event_grid_validation(delivery: Delivery) -> Response | None:
    """Answer Event Grid's validation request.

    https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
    """
    if b"SubscriptionValidationEvent" not in delivery.body:
        return None
    body = delivery.payload
    code = body.get("0.data.validationCode")
    if body.get("0.eventType") != "Microsoft.EventGrid.SubscriptionValidationEvent" or not isinstance(code, str):
        return None
    return Response(body=json.dumps({"validationResponse": code}).encode())


@stripe.handshake(method="OPTIONS")
def cloud_events_validation(delivery: Delivery) -> Response | None:
    """Answer Event Grid's OPTIONS request for the CloudEvents schema, which Stripe uses.

    https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema
    """
    origin = delivery.headers.get("webhook-request-origin", "")
    if not _ORIGIN.fullmatch(origin):
        return None
    return Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})


@stripe.split
def unwrap(delivery: Delivery) -> Iterable[bytes | Item]:
    """Return the event: bare, in EventBridge's `detail`, or in Event Grid's `data` (one, or an array)."""
    if delivery.is_list:
        return [_unwrapped(raw) for raw in raw_items(delivery.body)]
    return [_unwrapped(delivery.body, delivery)]


def _unwrapped(raw: bytes, delivery: Delivery | None = None) -> bytes:
    try:
        body = delivery.payload if delivery else Payload(parse_json(raw))
    except Malformed:
        return raw
    if body.get("object") in _EVENTS:
        return raw
    if "detail-type" in body and isinstance(body.get("detail"), dict):
        return raw_member(raw, "detail")
    if body.get("data.object") in _EVENTS:
        return raw_member(raw, "data")
    return raw


# `evt_...`, the type, and the recording time in seconds (thin events: milliseconds)
stripe.head_at(id="id", type="type", occurred_at="created:when", where={"object": _EVENTS})


@skip_other_modes(stripe, LIVEMODE, context={"test": {"livemode": False}})
def mode(event: Event) -> str:
    return "live" if event.body.flag("livemode", True) else "test"


@stripe.identity
def identity(event: Event) -> Identity:
    """Use the customer; for a guest the payment; for the merchant's own events its account."""
    body = event.body
    account = body.id("account", "") or body.text("context", "")
    if "related_object" in body or body.get("object") == "v2.core.event":
        return _thin_identity(event, account)
    obj = body.object("data.object")
    kind = obj.text("object", "")
    customer = _customer(event, obj, kind)
    guest = "" if customer or kind not in _PERSONAL else _guest(obj, kind)
    metadata = tuple(_metadata(obj))
    return Identity(
        metadata=metadata,
        user_ids=(obj.id("client_reference_id", ""),),
        anonymous=first_id(customer=customer, payment=guest, account=_merchant_account(event, account)),
        external_ids=_external_ids(customer, account),
        traits=_traits(obj, kind) if customer or guest else {},
        group_id=_group(event, metadata),
    )


def _external_ids(customer: str, account: str) -> tuple[ExternalId, ...]:
    """Return external ids: a customer is `cus_...` or an account (`acct_...`); a Connect account is a merchant."""
    type_ = "stripe_customer_account_id" if customer.startswith("acct_") else "stripe_customer_id"
    ids = [ExternalId(type_, customer)] if customer else []
    return (*ids, ExternalId("stripe_account_id", account, "accounts")) if account else tuple(ids)


def _group(event: Event, metadata: tuple[Mapping[str, str], ...]) -> str | None:
    key = GROUP_KEY.of(event)
    return next((group_id for entries in metadata if (group_id := entries.get(key, "").strip())), None) if key else None


def _thin_identity(event: Event, account: str) -> Identity:
    related = event.body.maybe("related_object")
    kind, id_ = related.text("type", ""), related.id("id", "")
    if kind == "customer" and id_:
        return Identity(anonymous=("customer", id_), external_ids=_external_ids(id_, account))
    account_id = id_ if kind == "v2.core.account" else ""
    return Identity(
        anonymous=("account", account_id or _merchant_account(event, account)),
        external_ids=_external_ids("", account_id or account),
    )


def _merchant_account(event: Event, account: str) -> str:
    """Return the merchant's account: the connected one, or this endpoint's own."""
    return account or f"self:{event.source}"


def _customer(event: Event, obj: Payload, kind: str) -> str:
    """Return `customer` (id or expanded), `customer_account`, or a detached payment method's previous customer."""
    if kind == "customer":
        return obj.id("id", "")
    customer = obj.first("customer:id", "customer_account:id")
    if not customer and kind == "payment_method":
        customer = previous(event).opt.id("customer")
    return customer or obj.first("charge.customer:id", "payment_intent.customer:id") or ""


def _guest(obj: Payload, kind: str) -> str:
    """Return the id that the events of one guest's purchase share, as far as Stripe gives one."""
    if kind in {"payment_intent", "setup_intent"}:
        return obj.id("id", "")
    return obj.first("payment_intent:id", "charge:id", "setup_intent:id", "checkout_session:id", "id:id") or ""


def _metadata(obj: Payload) -> Iterator[Mapping[str, str]]:
    """Yield metadata, the closest first. Before 2023 only an invoice's lines had its subscription's metadata."""
    candidates = [obj.get(path) for path in _METADATA]
    lines = obj.get("lines.data")
    if isinstance(lines, list):
        candidates += [
            line.get("metadata") for line in lines if isinstance(line, dict) and line.get("type") == "subscription"
        ]
    for value in candidates:
        if isinstance(value, dict):
            yield {name: text for name, text in value.items() if isinstance(text, str)}


def _traits(obj: Payload, kind: str) -> dict[str, str]:
    """Return the traits that the object itself has; nothing is guessed."""
    traits: dict[str, str] = {}
    for path, name in (*((name, name) for name in _TRAITS if kind == "customer"), *_TRAIT_PATHS):
        value = obj.get(path)
        if isinstance(value, str) and value:
            traits.setdefault(name, value)
    return traits


def event_object(event: Event) -> Payload:
    """Return the object that the event is about."""
    return event.body.object("data.object")


def previous(event: Event) -> Payload:
    """Return the previous values of the changed members (`previous_attributes`), empty if there are none."""
    return event.body.maybe("data.previous_attributes")


def changed(event: Event, name: str) -> bool:
    """Return whether a member changed; it may have been null before."""
    before = previous(event).value
    return isinstance(before, dict) and name in before


def own_time(event: Event, time: datetime | None) -> datetime | None:
    """Return the fact's own time if the object has it.

    Ignore a time after the event was recorded, or more than 31 days before it: that is a backdated record.
    """
    if time is None or not event.occurred_at - _LONGEST_BEFORE <= time <= event.occurred_at:
        return None
    return time
