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
from translators.stripe.source import REVENUE_FROM, changed, event_object, previous, stripe

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
    yield track(_INTENT[event.type], {**_intent(intent), "reason": intent.opt.text("cancellation_reason")})


@stripe.on("payment_intent.succeeded")
def payment_succeeded(event: Event) -> Iterator[Message]:
    intent = event_object(event)
    properties = _intent(intent)
    received = amount(intent, "amount_received")
    if REVENUE_FROM.of(event) == "payments":
        money = {
            "total": received if received is not None else properties.get("amount"),
            "shipping": amount(intent, "amount_details.shipping.amount"),
            "tax": amount(intent, "amount_details.tax.total_tax_amount"),
        }
        yield track(
            "Order Completed",
            {
                **money,
                "order_id": intent.id("id"),
                "payment_intent_id": intent.id("id"),
                "invoice_id": properties.get("invoice_id"),
                "revenue": net(money),
                "currency": properties.get("currency"),
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
            **error.select(
                error_code="code:text", decline_code="decline_code:text", payment_method="payment_method.type:text"
            ),
        },
    )


def _intent(intent: Payload) -> dict[str, Any]:
    return {
        "payment_intent_id": intent.id("id"),
        **intent.select(charge_id="latest_charge:id", invoice_id="invoice:id", status="status:text"),
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
        elif REVENUE_FROM.of(event) == "payments":
            yield _charge_order(charge)
    yield track(name, {**_charge(charge), "error_code": charge.opt.text("failure_code")})


@stripe.on("charge.captured")
def charge_captured(event: Event) -> Iterator[Message]:
    charge = event_object(event)
    if charge.get("payment_intent") is None and REVENUE_FROM.of(event) == "payments":
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
            "invoice_id": charge.opt.id("invoice"),
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
        **charge.select(
            payment_intent_id="payment_intent:id",
            invoice_id="invoice:id",
            status="status:text",
            payment_method="payment_method_details.type:text",
            card_brand="payment_method_details.card.brand:text",
        ),
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
            "order_id": charge.opt.id("payment_intent") or charge.id("id"),
            "charge_id": charge.id("id"),
            **charge.select(
                invoice_id="invoice:id", refund_id="refunds.data.0:id", reason="refunds.data.0.reason:text"
            ),
            "total": amount(Payload(difference, charge.path), "now"),
            "total_refunded": amount(charge, "amount_refunded"),
            "fully_refunded": charge.opt.flag("refunded"),
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
            "order_id": refund.opt.id("payment_intent") or refund.opt.id("charge"),
            "refund_id": refund.id("id"),
            **refund.select(charge_id="charge:id", payment_intent_id="payment_intent:id", reason="failure_reason:text"),
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
    status = dispute.opt.text("status")
    closed = event.type == "charge.dispute.closed"
    yield track(
        _DISPUTE[event.type],
        {
            **priced(dispute, amount="amount"),
            "order_id": dispute.opt.id("payment_intent") or dispute.opt.id("charge"),
            "dispute_id": dispute.id("id"),
            **dispute.select(charge_id="charge:id", payment_intent_id="payment_intent:id", reason="reason:text"),
            "status": status,
            "outcome": status if closed else None,
            "previous_status": previous(event).opt.text("status") if changed(event, "status") else None,
            "evidence_due_by": dispute.opt.seconds("evidence_details.due_by"),
        },
    )


@stripe.on("radar.early_fraud_warning.created")
def fraud_warning(event: Event) -> Iterator[Message]:
    warning = event_object(event)
    yield track(
        "Fraud Warning Received",
        warning.select(
            charge_id="charge:id",
            payment_intent_id="payment_intent:id",
            fraud_type="fraud_type:text",
            actionable="actionable:flag",
        ),
    )
