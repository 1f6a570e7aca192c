"""Payments, refunds and disputes.

By default no payment carries `revenue`: paid Checkout sessions (Order Completed) and paid invoices do. With
`revenue_from = payments` every captured payment is the order, and sessions and invoices carry none. There is a choice
because since Basil (2025-03-31) a payment does not say whether it belongs to an invoice, and it never named a session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.stripe.money import amount, code, net, priced
from translators.stripe.source import changed, event_object, previous, stripe

_INTENT: Final = {
    "payment_intent.created": "Payment Started",
    "payment_intent.processing": "Payment Processing",
    "payment_intent.requires_action": "Payment Action Required",
    "payment_intent.partially_funded": "Payment Partially Funded",
    "payment_intent.amount_capturable_updated": "Payment Authorized",
    "payment_intent.canceled": "Payment Cancelled",
}


@stripe.on(*_INTENT)
def payment(event: Event) -> Iterator[Message]:
    intent = event_object(event)
    yield track(_INTENT[event.type], {**_intent(intent), "reason": intent.text("cancellation_reason", None)})


@stripe.on("payment_intent.succeeded")
def payment_succeeded(event: Event) -> Iterator[Message]:
    intent = event_object(event)
    properties = _intent(intent)
    received = amount(intent, "amount_received")
    if event.option("revenue_from") == "payments":
        money = {
            "total": received if received is not None else properties["amount"],
            "shipping": amount(intent, "amount_details.shipping.amount"),
            "tax": amount(intent, "amount_details.tax.total_tax_amount"),
        }
        yield track(
            "Order Completed",
            {
                **money,
                "order_id": intent.id("id"),
                "payment_intent_id": intent.id("id"),
                "invoice_id": properties["invoice_id"],
                "revenue": net(money),
                "currency": properties["currency"],
            },
        )
    yield track("Payment Succeeded", {**properties, "amount_received": received})


@stripe.on("payment_intent.payment_failed")
def payment_failed(event: Event) -> Iterator[Message]:
    intent = event_object(event)
    error = intent.maybe("last_payment_error")
    yield track(
        "Payment Failed",
        {
            **_intent(intent),
            "error_code": error.text("code", None),
            "decline_code": error.text("decline_code", None),
            "payment_method": error.text("payment_method.type", None),
        },
    )


def _intent(intent: Payload) -> dict[str, Any]:
    return {
        "payment_intent_id": intent.id("id"),
        "charge_id": intent.id("latest_charge", None),
        "invoice_id": intent.id("invoice", None),
        "status": intent.text("status", None),
        "amount": amount(intent, "amount"),
        "currency": code(intent),
    }


_CHARGE: Final = {
    "charge.succeeded": "Payment Succeeded",
    "charge.failed": "Payment Failed",
    "charge.pending": "Payment Processing",
}


@stripe.on(*_CHARGE)
def charge(event: Event) -> Iterator[Message]:
    charge = event_object(event)
    if charge.get("payment_intent") is not None:
        raise Skip("its payment_intent event reports the same payment")
    name = _CHARGE[event.type]
    if event.type == "charge.succeeded":
        if charge.get("captured") is False:
            name = "Payment Authorized"
        elif event.option("revenue_from") == "payments":
            yield _charge_order(charge)
    yield track(name, {**_charge(charge), "error_code": charge.text("failure_code", None)})


@stripe.on("charge.captured")
def charge_captured(event: Event) -> Iterator[Message]:
    charge = event_object(event)
    if charge.get("payment_intent") is None and event.option("revenue_from") == "payments":
        yield _charge_order(charge)
    yield track("Payment Captured", {**_charge(charge), "amount_captured": amount(charge, "amount_captured")})


def _charge_order(charge: Payload) -> Message:
    """Report a charge without a payment intent (before 2019). Only the captured amount was paid."""
    paid = amount(charge, "amount_captured") if charge.get("amount_captured") is not None else amount(charge, "amount")
    return track(
        "Order Completed",
        {
            "order_id": charge.id("id"),
            "charge_id": charge.id("id"),
            "invoice_id": charge.id("invoice", None),
            "total": paid,
            "revenue": paid,
            "currency": code(charge),
        },
    )


@stripe.on("charge.expired")
def charge_expired(event: Event) -> Iterator[Message]:
    yield track("Payment Authorization Expired", _charge(event_object(event)))


def _charge(charge: Payload) -> dict[str, Any]:
    return {
        "charge_id": charge.id("id"),
        "payment_intent_id": charge.id("payment_intent", None),
        "invoice_id": charge.id("invoice", None),
        "status": charge.text("status", None),
        "payment_method": charge.text("payment_method_details.type", None),
        "card_brand": charge.text("payment_method_details.card.brand", None),
        "amount": amount(charge, "amount"),
        "currency": code(charge),
    }


@stripe.on("charge.refunded")
def refunded(event: Event) -> Iterator[Message]:
    """Report the amount of this refund: `amount_refunded` less its previous value."""
    charge, before = event_object(event), previous(event)
    if charge.get("captured") is False:
        raise Skip("an authorisation was released; nothing was captured, so nothing was refunded")
    if before.get("captured") is False:
        raise Skip("a part was captured and the rest released; charge.captured reports it")
    difference = {
        "now": charge.integer("amount_refunded", 0) - before.integer("amount_refunded", 0),
        "currency": charge.get("currency"),
    }
    yield track(
        "Order Refunded",
        {
            "order_id": charge.id("payment_intent", None) or charge.id("id"),
            "charge_id": charge.id("id"),
            "invoice_id": charge.id("invoice", None),
            "refund_id": charge.id("refunds.data.0", None),
            "reason": charge.text("refunds.data.0.reason", None),
            "total": amount(Payload(difference, charge.path), "now"),
            "total_refunded": amount(charge, "amount_refunded"),
            "fully_refunded": charge.flag("refunded", None),
            "currency": code(charge),
        },
    )


@stripe.on("refund.failed")
def refund_failed(event: Event) -> Iterator[Message]:
    refund = event_object(event)
    yield track(
        "Refund Failed",
        {
            **priced(refund, amount="amount"),
            "order_id": refund.id("payment_intent", None) or refund.id("charge", None),
            "refund_id": refund.id("id"),
            "charge_id": refund.id("charge", None),
            "payment_intent_id": refund.id("payment_intent", None),
            "reason": refund.text("failure_reason", None),
        },
    )


_DISPUTE: Final = {
    "charge.dispute.created": "Dispute Opened",
    "charge.dispute.updated": "Dispute Updated",
    "charge.dispute.closed": "Dispute Closed",
    "charge.dispute.funds_withdrawn": "Dispute Funds Withdrawn",
    "charge.dispute.funds_reinstated": "Dispute Funds Reinstated",
}


@stripe.on(*_DISPUTE)
def dispute(event: Event) -> Iterator[Message]:
    dispute = event_object(event)
    status = dispute.text("status", None)
    closed = event.type == "charge.dispute.closed"
    yield track(
        _DISPUTE[event.type],
        {
            **priced(dispute, amount="amount"),
            "order_id": dispute.id("payment_intent", None) or dispute.id("charge", None),
            "dispute_id": dispute.id("id"),
            "charge_id": dispute.id("charge", None),
            "payment_intent_id": dispute.id("payment_intent", None),
            "reason": dispute.text("reason", None),
            "status": status,
            "outcome": status if closed else None,
            "previous_status": previous(event).text("status", None) if changed(event, "status") else None,
            "evidence_due_by": dispute.seconds("evidence_details.due_by", None),
        },
    )


@stripe.on("radar.early_fraud_warning.created")
def fraud_warning(event: Event) -> Iterator[Message]:
    warning = event_object(event)
    yield track(
        "Fraud Warning Received",
        {
            "charge_id": warning.id("charge", None),
            "payment_intent_id": warning.id("payment_intent", None),
            "fraud_type": warning.text("fraud_type", None),
            "actionable": warning.flag("actionable", None),
        },
    )
