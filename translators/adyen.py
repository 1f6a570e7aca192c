"""Adyen -> Segment. https://docs.adyen.com/development-resources/webhooks/

Standard webhooks: one request may hold several items, each with its own signature. With automatic capture the
authorisation is the payment. With manual capture it is a permission and CAPTURE is the payment (`revenue_from`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

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
    Message,
    Need,
    Registered,
    Registering,
    Response,
    Skip,
    Source,
    choice_option,
    exponent,
    from_iso,
    from_minor,
    json_call,
    raw_member,
    skip_other_modes,
    track,
)

_ITEM: Final = "NotificationRequestItem"
_SIGNED_FIELDS: Final = (
    "pspReference", "originalReference", "merchantAccountCode", "merchantReference", "amount.value", "amount.currency",
    "eventCode", "success",
)  # fmt: skip
# https://docs.adyen.com/development-resources/currency-codes/ has other exponents than ISO 4217 for these.
_EXPONENTS: Final = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}
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
    return [
        Item(raw=_item(raw), received_at=delivery.received_at, envelope=envelope, options=delivery.options)
        for raw in batch.members
    ]


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
    return Head(
        id=f"{code}:{body.id('pspReference')}:{body.text('success', '')}", type=code, occurred_at=body.iso("eventDate")
    )


def _platform(item: Item) -> Head:
    """Use a transfer's sequence number, or the status of a created record, as key; else a digest of the whole body."""
    body = item.body
    type_, id_, digest = body.text("type"), body.id("data.id", ""), item.digest
    number = body.id("data.sequenceNumber", "")
    number_or_status = number or (body.text("data.status", "") if type_.endswith(".created") else "")
    key = f"{type_}:{id_}:{number_or_status}" if id_ and number_or_status else f"{type_}:{digest}"
    return Head(id=key, type=type_, occurred_at=body.opt.iso("timestamp"), former_ids=(FormerId(digest),))


@skip_other_modes(adyen, ENVIRONMENT, what="payment")
def environment(event: Event) -> str:
    live = event.envelope.get("live") == "true" or event.body.get("environment") == "live"
    return "live" if live and not str(event.body.get("pspReference")).startswith(_TEST_PREFIX) else "test"


@adyen.identity
def shopper(event: Event) -> Identity:
    """Use `shopperReference`, which Adyen documents as the merchant's own id of the shopper; else the payment's id."""
    body = event.body
    user_id = _additional(event, "shopperReference") or _additional(event, "recurring.shopperReference")
    email = _additional(event, "shopperEmail")
    payment = body.id("originalReference", "") or body.id("pspReference", "")
    return Identity(
        user_ids=(user_id,),
        anonymous=("payment", payment) if payment else None,
        external_ids=(ExternalId("adyen_shopper_reference", user_id),),
        traits={"email": email} if email else {},
    )


def _additional(event: Event, name: str) -> str:
    """Return a member of `additionalData`; names may contain dots (`recurring.shopperReference`). None is signed."""
    extra = event.body.maybe("additionalData").value
    value = extra.get(name) if isinstance(extra, dict) else None
    return value if isinstance(value, str) else ""


@adyen.registration(
    Need("api_key", "ADYEN_API_KEY", "an API key with the role Management API - Webhooks read and write"),
    Need("merchant", "ADYEN_MERCHANT_ACCOUNT", "the merchant account, such as AcmeCOM", secret=False),
    Need("environment", "ADYEN_ENVIRONMENT", "live or test", False, "live"),
)
def register(at: Registering) -> Registered:
    """Create a Standard webhook, then its HMAC key. https://docs.adyen.com/api-explorer/Management/3/post/merchants/(merchantId)/webhooks"""
    host = f"https://management-{'test' if at.values['environment'] == 'test' else 'live'}.adyen.com"
    url, headers = f"{host}/v3/merchants/{at.values['merchant']}/webhooks", {"X-API-Key": at.values["api_key"]}
    webhook = {
        "type": "standard",
        "url": at.url,
        "active": True,
        "communicationFormat": "json",
        "description": "Segue",
        "additionalSettings": {"includeEventCodes": list(at.types)},
    }
    created = yield json_call("POST", url, headers, webhook)
    key = yield json_call("POST", f"{url}/{created.id('id')}/generateHmac", headers)
    return key.text("hmacKey")


@adyen.on("AUTHORISATION")
def authorised(event: Event) -> Iterator[Message]:
    payment = _payment(event)
    if event.body.text("success", "") != "true":
        yield track("Payment Failed", {**payment, "reason": event.body.opt.text("reason") or None})
    elif payment["amount"] == 0:
        raise Skip("a zero-value authorisation: Adyen checks a payment method before it is saved")
    elif REVENUE_FROM.of(event) == "authorisation":
        yield _order(payment)
    else:
        yield track("Payment Authorized", payment)


@adyen.on("CAPTURE")
def captured(event: Event) -> Iterator[Message]:
    payment = _payment(event)
    if event.body.text("success", "") != "true":
        raise Skip("the capture failed; CAPTURE_FAILED reports the reason")
    if REVENUE_FROM.of(event) == "capture":
        yield _order(payment)
    else:
        yield track("Payment Captured", {**payment, "capture_id": event.body.id("pspReference")})


def _order(payment: dict[str, Any]) -> Message:
    money = {"total": payment["amount"], "revenue": payment["amount"], "currency": payment["currency"]}
    return track("Order Completed", {**money, **{name: payment[name] for name in _ORDER}})


@adyen.on("CANCEL_OR_REFUND")
def reversed_(event: Event) -> Iterator[Message]:
    """Translate the result of a reversal, for which Adyen chose cancellation or refund: https://docs.adyen.com/online-payments/reversal/"""
    action = _additional(event, "modification.action")
    if action == "refund":
        yield from refunded(event)
    elif action == "cancel":
        yield from cancelled(event)
    else:
        raise Skip("the reversal does not say whether it was a cancellation or a refund")


@adyen.on("CANCELLATION")
def cancelled(event: Event) -> Iterator[Message]:
    if event.body.text("success", "") != "true":
        raise Skip("the payment could not be cancelled")
    yield track("Payment Cancelled", _payment(event))


@adyen.on("REFUND")
def refunded(event: Event) -> Iterator[Message]:
    payment = _payment(event)
    refund_id = event.body.id("pspReference")
    if event.body.text("success", "") != "true":
        yield track(
            "Refund Failed", {**payment, "refund_id": refund_id, "reason": event.body.opt.text("reason") or None}
        )
        return
    order = {name: payment[name] for name in _ORDER}
    yield track(
        "Order Refunded", {**order, "refund_id": refund_id, "total": payment["amount"], "currency": payment["currency"]}
    )


_NAMES: Final = {
    "EXPIRE": "Payment Authorization Expired",
    "CAPTURE_FAILED": "Payment Failed",
    "NOTIFICATION_OF_FRAUD": "Fraud Warning Received",
}


@adyen.on(*_NAMES)
def named(event: Event) -> Iterator[Message]:
    yield track(_NAMES[event.type], {**_payment(event), "reason": event.body.opt.text("reason") or None})


@adyen.on("REFUND_FAILED", "REFUNDED_REVERSED")
def refund_failed(event: Event) -> Iterator[Message]:
    """Name the refund, so that whoever counts refunds can subtract the failed one."""
    refund_id = event.body.id("pspReference")
    reason = event.body.opt.text("reason") or None
    yield track("Refund Failed", {**_payment(event), "refund_id": refund_id, "reason": reason})


# https://docs.adyen.com/risk-management/disputes-api/dispute-notifications/
_DISPUTE: Final = {
    "NOTIFICATION_OF_CHARGEBACK": "Dispute Opened",
    "DISPUTE_OPENED_WITH_CHARGEBACK": "Dispute Opened",
    "INFORMATION_SUPPLIED": "Dispute Updated",
    "DISPUTE_DEFENSE_PERIOD_ENDED": "Dispute Updated",
    "CHARGEBACK": "Dispute Funds Withdrawn",
    "CHARGEBACK_REVERSED": "Dispute Funds Reinstated",
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": "Dispute Closed",
    "SECOND_CHARGEBACK": "Dispute Closed",
    "PREARBITRATION_LOST": "Dispute Closed",
    "PREARBITRATION_WON": "Dispute Closed",
}
_OUTCOME: Final = {
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": "won",
    "SECOND_CHARGEBACK": "lost",
    "PREARBITRATION_LOST": "lost",
    "PREARBITRATION_WON": "won",
}
_DECIDED: Final = {"Won": "won", "Lost": "lost", "Accepted": "lost", "Expired": "lost"}


@adyen.on(*_DISPUTE)
def dispute(event: Event) -> Iterator[Message]:
    """All events of a dispute share its reference. `disputeStatus` is its state, and its outcome once decided."""
    status = _additional(event, "disputeStatus")
    yield track(
        _DISPUTE[event.type],
        {
            **_payment(event),
            "dispute_id": event.body.id("pspReference"),
            "status": status or None,
            "outcome": _OUTCOME.get(event.type) or _DECIDED.get(status),
            "reason": event.body.opt.text("reason") or None,
            "reason_code": _additional(event, "chargebackReasonCode") or None,
            "evidence_due_by": _time(_additional(event, "defensePeriodEndsAt")),
        },
    )


def _time(text: str) -> datetime | None:
    """Return a time of `additionalData`, which is not signed; None if it is unreadable."""
    try:
        return from_iso(text)
    except ValueError:
        return None


@adyen.on("RECURRING_CONTRACT")
def method_saved(event: Event) -> Iterator[Message]:
    method = event.body.opt.text("paymentMethod")
    yield track("Payment Method Saved", {"payment_method_id": event.body.id("pspReference"), "payment_method": method})


_ORDER: Final = ("order_id", "payment_id", "merchant_reference")


def _payment(event: Event) -> dict[str, Any]:
    """Use the first payment's reference as order id: a refund may have its own `merchantReference`."""
    body = event.body
    payment_id = body.opt.id("originalReference") or body.id("pspReference")
    return {
        "order_id": payment_id,
        "payment_id": payment_id,
        "merchant_reference": body.opt.id("merchantReference"),
        "amount": _amount(event),
        **body.select("amount.currency:text", payment_method="paymentMethod:text"),
    }


def _amount(event: Event) -> Decimal | None:
    value, code = event.body.opt.integer("amount.value"), event.body.opt.text("amount.currency")
    return (
        None
        if value is None or code is None
        else from_minor(value, code, decimals=_EXPONENTS.get(code, exponent(code)))
    )


adyen.ignore(
    "REPORT_AVAILABLE", "PAYOUT_*", "PAIDOUT_*", because="the merchant's own reports and payouts, not a customer event"
)
adyen.ignore(
    "TECHNICAL_CANCEL",
    "REFUND_WITH_DATA",
    "VOID_PENDING_REFUND",
    because="CANCELLATION or REFUND reports it",
)
adyen.ignore(
    "*.*", because="a webhook of the Balance Platform or Management API: the merchant's own accounts and transfers"
)
adyen.ignore("ORDER_OPENED", "ORDER_CLOSED", because="an order paid in several payments; each payment reports its part")
adyen.ignore(
    "REQUEST_FOR_INFORMATION",
    "ISSUER_COMMENTS",
    "MANUAL_REVIEW_*",
    "OFFER_CLOSED",
    "PENDING",
    because="an intermediate step; the final event reports the result",
)
adyen.ignore(
    "AUTHORISATION_ADJUSTMENT",
    "HANDLED_EXTERNALLY",
    "POSTPONED_REFUND",
    because="neither Segment's spec nor our vocabulary has an event for it",
)
