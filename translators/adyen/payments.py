"""Authorisations, captures, cancellations and refunds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.adyen.source import REVENUE_FROM, additional, adyen
from translators.kit import Event, Message, Skip, track

# https://docs.adyen.com/development-resources/currency-codes/ has other exponents than ISO 4217 for these.
_EXPONENTS: Final = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}
_ORDER: Final = ("order_id", "payment_id", "merchant_reference")


@adyen.on("AUTHORISATION")
def authorised(event: Event) -> Iterator[Message]:
    payment = describe(event)
    if not _succeeded(event):
        yield track("Payment Failed", {**payment, "reason": event.body.first("reason")})
    elif payment["amount"] == 0:
        raise Skip("a zero-value authorisation: Adyen checks a payment method before it is saved")
    elif REVENUE_FROM.of(event) == "authorisation":
        yield _order(payment)
    else:
        yield track("Payment Authorized", payment)


@adyen.on("CAPTURE")
def captured(event: Event) -> Iterator[Message]:
    payment = describe(event)
    if not _succeeded(event):
        raise Skip("the capture failed; CAPTURE_FAILED reports the reason")
    if REVENUE_FROM.of(event) == "capture":
        yield _order(payment)
    else:
        yield track("Payment Captured", {**payment, "capture_id": event.body.id("pspReference")})


def _order(payment: dict[str, Any]) -> Message:
    money = {"total": payment["amount"], "revenue": payment["amount"], "currency": payment.get("currency")}
    return track("Order Completed", {**money, **{name: payment[name] for name in _ORDER}})


@adyen.on("CANCEL_OR_REFUND")
def reversed_(event: Event) -> Iterator[Message]:
    """Translate the result of a reversal, for which Adyen chose cancellation or refund: https://docs.adyen.com/online-payments/reversal/"""
    action = additional(event, "modification.action")
    if action == "refund":
        yield from refunded(event)
    elif action == "cancel":
        yield from cancelled(event)
    else:
        raise Skip("the reversal does not say whether it was a cancellation or a refund")


@adyen.on("CANCELLATION")
def cancelled(event: Event) -> Iterator[Message]:
    if not _succeeded(event):
        raise Skip("the payment could not be cancelled")
    yield track("Payment Cancelled", describe(event))


@adyen.on("REFUND")
def refunded(event: Event) -> Iterator[Message]:
    if not _succeeded(event):
        yield track("Refund Failed", refund_failed(event))
        return
    payment = describe(event)
    yield track(
        "Order Refunded",
        {
            **{name: payment[name] for name in _ORDER},
            "refund_id": event.body.id("pspReference"),
            "total": payment["amount"],
            "currency": payment.get("currency"),
        },
    )


@adyen.tracks({"REFUND_FAILED": "Refund Failed", "REFUNDED_REVERSED": "Refund Failed"})
def refund_failed(event: Event) -> dict[str, Any]:
    """Name the refund, so that whoever counts refunds can subtract the failed one."""
    body = event.body
    return {**describe(event), "refund_id": body.id("pspReference"), "reason": body.first("reason")}


@adyen.tracks({"EXPIRE": "Payment Authorization Expired", "CAPTURE_FAILED": "Payment Failed"})
def unpaid(event: Event) -> dict[str, Any]:
    return {**describe(event), "reason": event.body.first("reason")}


@adyen.tracks({"RECURRING_CONTRACT": "Payment Method Saved"})
def method_saved(event: Event) -> dict[str, Any]:
    body = event.body
    return {"payment_method_id": body.id("pspReference"), **body.select(payment_method="paymentMethod:text")}


def describe(event: Event) -> dict[str, Any]:
    """Use the first payment's reference as order id: a refund may have its own `merchantReference`."""
    body = event.body
    payment_id = body.opt.id("originalReference") or body.id("pspReference")
    code = body.text("amount.currency", "")
    return {
        "order_id": payment_id,
        "payment_id": payment_id,
        "merchant_reference": body.opt.id("merchantReference"),
        "amount": body.opt.money("amount.value", code=code, decimals=_EXPONENTS.get(code)),
        **body.select("amount.currency:text", payment_method="paymentMethod:text"),
    }


def _succeeded(event: Event) -> bool:
    return event.body.text("success", "") == "true"
