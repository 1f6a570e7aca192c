"""Adyen's signatures, items, event keys, test payments and identity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacBody,
    HmacFields,
    Identity,
    Item,
    Malformed,
    Response,
    Source,
    choice_option,
    first_id,
    raw_member,
    skip_other_modes,
)

_ITEM: Final = "NotificationRequestItem"
_SIGNED_FIELDS: Final = (
    "pspReference", "originalReference", "merchantAccountCode", "merchantReference", "amount.value", "amount.currency",
    "eventCode", "success",
)  # fmt: skip
_TEST_PREFIX: Final = "test_"  # `test_AUTHORISATION_1`, sent by "Test configuration", also in a live account

ENVIRONMENT: Final = choice_option("environment", "which payments to translate", ("live", "test", "both"), "live")
REVENUE_FROM: Final = choice_option(
    "revenue_from",
    "what carries `revenue`: the authorisation (automatic capture) or the capture (manual or delayed capture)",
    ("authorisation", "capture"),
    "authorisation",
)

adyen = Source(
    "adyen",
    title="Adyen",
    docs="https://docs.adyen.com/development-resources/webhooks/",
    secret_help="Customer Area > Developers > Webhooks > your Standard webhook > HMAC key (hexadecimal)",
    scheme={
        # https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/
        "standard": HmacFields(
            items="notificationItems",
            sig_path=f"{_ITEM}.additionalData.hmacSignature",
            fields=tuple(f"{_ITEM}.{name}" for name in _SIGNED_FIELDS),
            join=":",
            encoding="base64",
            key="hex",
        ),
        "platform": HmacBody(header="hmacsignature", encoding="base64", key="hex"),
    },
    options=[ENVIRONMENT, REVENUE_FROM],
    ack=Response(body=b"[accepted]", content_type="text/plain"),
)


@adyen.split
def items(delivery: Delivery) -> Iterable[bytes | Item]:
    """Return the exact bytes of each item, with the envelope's `live` flag. A platform webhook is one event."""
    try:
        batch = delivery.batch("notificationItems")
    except Malformed:
        return [delivery.body]
    envelope = {"live": batch.envelope.text("live", "")}
    return [delivery.item(_item(raw), envelope) for raw in batch.members]


def _item(raw: bytes) -> bytes:
    try:
        return raw_member(raw, _ITEM)
    except Malformed:
        return raw


@adyen.head
def head(item: Item) -> Head:
    """Use code, reference and success as key: an item with another `success` is another event. `eventDate` is unsigned.

    https://docs.adyen.com/development-resources/webhooks/troubleshoot
    """
    body = item.body
    if "type" in body and "eventCode" not in body:
        return _platform(item)
    code = body.text("eventCode")
    key = f"{code}:{body.id('pspReference')}:{body.text('success', '')}"
    return Head(id=key, type=code, occurred_at=body.iso("eventDate"))


def _platform(item: Item) -> Head:
    """Use a transfer's sequence number, or the status of a created record, as key; else a digest of the whole body."""
    body = item.body
    type_, id_ = body.text("type"), body.id("data.id", "")
    part = body.id("data.sequenceNumber", "") or (body.text("data.status", "") if type_.endswith(".created") else "")
    key = f"{type_}:{id_}:{part}" if id_ and part else f"{type_}:{item.digest}"
    return Head(id=key, type=type_, occurred_at=body.opt.iso("timestamp"), former_ids=(FormerId(item.digest),))


@skip_other_modes(adyen, ENVIRONMENT, what="payment")
def environment(event: Event) -> str:
    live = event.envelope.get("live") == "true" or event.body.get("environment") == "live"
    return "live" if live and not str(event.body.get("pspReference")).startswith(_TEST_PREFIX) else "test"


@adyen.identity
def shopper(event: Event) -> Identity:
    """Use `shopperReference`, which Adyen documents as the merchant's own id of the shopper; else the payment's id."""
    user_id = additional(event, "shopperReference") or additional(event, "recurring.shopperReference")
    return Identity(
        user_ids=(user_id,),
        anonymous=first_id(payment=event.body.first("originalReference:id", "pspReference:id")),
        external_ids=(ExternalId("adyen_shopper_reference", user_id),),
        traits={"email": additional(event, "shopperEmail") or None},
    )


def additional(event: Event, name: str) -> str:
    """Return a member of `additionalData`; names may contain dots (`recurring.shopperReference`). None is signed."""
    extra = event.body.maybe("additionalData").value
    value = extra.get(name) if isinstance(extra, dict) else None
    return value if isinstance(value, str) else ""
