"""Payments, refunds and disputes.

By default no payment carries `revenue`: a paid Checkout session does (Order Completed), and `invoice.paid` for what an
invoice bills. With `revenue_from = payments` every captured payment is the order, and neither of those is: a payment
does not tell since Basil (2025-03-31) whether it belongs to an invoice, and never whether to a session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.stripe.money import amount, code, net, priced
from translators.stripe.source import changed, previous, stripe, thing_of

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
    intent = thing_of(event)
    yield track(_INTENT[event.type], _intent(intent), reason=intent.text("cancellation_reason", None))


@stripe.on("payment_intent.succeeded")
def payment_succeeded(event: Event) -> Iterator[Message]:
    intent = thing_of(event)
    told = _intent(intent)
    received = amount(intent, "amount_received")
    if event.option("revenue_from") == "payments":
        money = {
            "total": received if received is not None else told["amount"],
            "shipping": amount(intent, "amount_details.shipping.amount"),
            "tax": amount(intent, "amount_details.tax.total_tax_amount"),
        }
        yield track(
            "Order Completed",
            money,
            order_id=intent.id("id"),
            payment_intent_id=intent.id("id"),
            invoice_id=told["invoice_id"],
            revenue=net(money),
            currency=told["currency"],
        )
    yield track("Payment Succeeded", told, amount_received=received)


@stripe.on("payment_intent.payment_failed")
def payment_failed(event: Event) -> Iterator[Message]:
    intent = thing_of(event)
    error = intent.maybe("last_payment_error")
    yield track(
        "Payment Failed",
        _intent(intent),
        error_code=error.text("code", None),
        decline_code=error.text("decline_code", None),
        payment_method=error.text("payment_method.type", None),
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
    told = thing_of(event)
    if told.get("payment_intent") is not None:
        raise Skip("its payment_intent event tells the same payment")
    name = _CHARGE[event.type]
    if event.type == "charge.succeeded":
        if told.get("captured") is False:
            name = "Payment Authorized"
        elif event.option("revenue_from") == "payments":
            yield _charge_order(told)
    yield track(name, _charge(told), error_code=told.text("failure_code", None))


@stripe.on("charge.captured")
def charge_captured(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    if told.get("payment_intent") is None and event.option("revenue_from") == "payments":
        yield _charge_order(told)
    yield track("Payment Captured", _charge(told), amount_captured=amount(told, "amount_captured"))


def _charge_order(told: Payload) -> Message:
    """A charge made without a payment intent, the way of before 2019. What was not captured was never paid."""
    paid = amount(told, "amount_captured") if told.get("amount_captured") is not None else amount(told, "amount")
    return track(
        "Order Completed",
        order_id=told.id("id"),
        charge_id=told.id("id"),
        invoice_id=told.id("invoice", None),
        total=paid,
        revenue=paid,
        currency=code(told),
    )


@stripe.on("charge.expired")
def charge_expired(event: Event) -> Iterator[Message]:
    yield track("Payment Authorization Expired", _charge(thing_of(event)))


def _charge(told: Payload) -> dict[str, Any]:
    return {
        "charge_id": told.id("id"),
        "payment_intent_id": told.id("payment_intent", None),
        "invoice_id": told.id("invoice", None),
        "status": told.text("status", None),
        "payment_method": told.text("payment_method_details.type", None),
        "card_brand": told.text("payment_method_details.card.brand", None),
        "amount": amount(told, "amount"),
        "currency": code(told),
    }


@stripe.on("charge.refunded")
def refunded(event: Event) -> Iterator[Message]:
    """The amount of *this* refund: what is refunded now less what was before."""
    told, before = thing_of(event), previous(event)
    if told.get("captured") is False:
        raise Skip("an authorisation was released: nothing had been captured, so nothing came back")
    if before.get("captured") is False:
        raise Skip("a part was captured and the rest released; charge.captured tells it")
    step = {
        "now": told.integer("amount_refunded", 0) - before.integer("amount_refunded", 0),
        "currency": told.get("currency"),
    }
    yield track(
        "Order Refunded",
        order_id=told.id("payment_intent", None) or told.id("id"),
        charge_id=told.id("id"),
        invoice_id=told.id("invoice", None),
        refund_id=told.id("refunds.data.0", None),
        reason=told.text("refunds.data.0.reason", None),
        total=amount(Payload(step, told.path), "now"),
        total_refunded=amount(told, "amount_refunded"),
        fully_refunded=told.flag("refunded", None),
        currency=code(told),
    )


@stripe.on("refund.failed")
def refund_failed(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        "Refund Failed",
        priced(told, amount="amount"),
        order_id=told.id("payment_intent", None) or told.id("charge", None),
        refund_id=told.id("id"),
        charge_id=told.id("charge", None),
        payment_intent_id=told.id("payment_intent", None),
        reason=told.text("failure_reason", None),
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
    told = thing_of(event)
    status = told.text("status", None)
    closed = event.type == "charge.dispute.closed"
    yield track(
        _DISPUTE[event.type],
        priced(told, amount="amount"),
        order_id=told.id("payment_intent", None) or told.id("charge", None),
        dispute_id=told.id("id"),
        charge_id=told.id("charge", None),
        payment_intent_id=told.id("payment_intent", None),
        reason=told.text("reason", None),
        status=status,
        outcome=status if closed else None,
        previous_status=previous(event).text("status", None) if changed(event, "status") else None,
        evidence_due_by=told.seconds("evidence_details.due_by", None),
    )


@stripe.on("radar.early_fraud_warning.created")
def fraud_warning(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        "Fraud Warning Received",
        charge_id=told.id("charge", None),
        payment_intent_id=told.id("payment_intent", None),
        fraud_type=told.text("fraud_type", None),
        actionable=told.flag("actionable", None),
    )
