"""Payments, refunds and disputes.

By default no payment carries `revenue`: paid Checkout sessions (Order Completed) and paid invoices do. With
`revenue_from = payments` every captured payment is the order, and sessions and invoices carry none. There is a choice
because since Basil (2025-03-31) a payment does not say whether it belongs to an invoice, and it never named a session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.stripe.money import amount, code, minor_amount, net, priced
from translators.stripe.source import REVENUE_FROM, event_object, previous, stripe


@stripe.tracks(
    {
        "payment_intent.created": "Payment Started",
        "payment_intent.processing": "Payment Processing",
        "payment_intent.requires_action": "Payment Action Required",
        "payment_intent.partially_funded": "Payment Partially Funded",
        "payment_intent.amount_capturable_updated": "Payment Authorized",
        "payment_intent.canceled": "Payment Cancelled",
    }
)
def payment(event: Event) -> dict[str, Any]:
    intent = event_object(event)
    return {**_intent(intent), **intent.select(reason="cancellation_reason:text")}


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
                **intent.select(payment_intent_id="id:id", invoice_id="invoice:id"),
                "revenue": net(money),
                "currency": properties.get("currency"),
            },
        )
    yield track("Payment Succeeded", {**properties, "amount_received": received})


@stripe.tracks({"payment_intent.payment_failed": "Payment Failed"})
def payment_failed(event: Event) -> dict[str, Any]:
    intent = event_object(event)
    return {
        **_intent(intent),
        **intent.maybe("last_payment_error").select(
            error_code="code:text", decline_code="decline_code:text", payment_method="payment_method.type:text"
        ),
    }


def _intent(intent: Payload) -> dict[str, Any]:
    return {
        "payment_intent_id": intent.id("id"),
        **intent.select(charge_id="latest_charge:id", invoice_id="invoice:id", status="status:text"),
        **priced(intent, amount="amount"),
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
    yield track(name, {**_charge(charge), **charge.select(error_code="failure_code:text")})


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
            **charge.select(charge_id="id:id", invoice_id="invoice:id"),
            "total": paid,
            "revenue": paid,
            "currency": code(charge),
        },
    )


@stripe.tracks({"charge.expired": "Payment Authorization Expired"})
def charge_expired(event: Event) -> dict[str, Any]:
    return _charge(event_object(event))


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
        **priced(charge, amount="amount"),
    }


@stripe.on("charge.refunded")
def refunded(event: Event) -> Iterator[Message]:
    """Report the amount of this refund: `amount_refunded` less its previous value."""
    charge, before = event_object(event), previous(event)
    if charge.get("captured") is False:
        raise Skip("an authorisation was released; nothing was captured, so nothing was refunded")
    if before.get("captured") is False:
        raise Skip("a part was captured and the rest released; charge.captured reports it")
    refunded = charge.integer("amount_refunded", 0) - before.integer("amount_refunded", 0)
    yield track(
        "Order Refunded",
        {
            "order_id": charge.opt.id("payment_intent") or charge.id("id"),
            "charge_id": charge.id("id"),
            **charge.select(
                invoice_id="invoice:id", refund_id="refunds.data.0:id", reason="refunds.data.0.reason:text"
            ),
            "total": minor_amount(refunded, code(charge)),
            "total_refunded": amount(charge, "amount_refunded"),
            "fully_refunded": charge.opt.flag("refunded"),
            "currency": code(charge),
        },
    )


@stripe.tracks({"refund.failed": "Refund Failed"})
def refund_failed(event: Event) -> dict[str, Any]:
    refund = event_object(event)
    return {
        **priced(refund, amount="amount"),
        "order_id": refund.first("payment_intent:id", "charge:id"),
        "refund_id": refund.id("id"),
        **refund.select(charge_id="charge:id", payment_intent_id="payment_intent:id", reason="failure_reason:text"),
    }


@stripe.tracks(
    {
        "charge.dispute.created": "Dispute Opened",
        "charge.dispute.updated": "Dispute Updated",
        "charge.dispute.closed": "Dispute Closed",
        "charge.dispute.funds_withdrawn": "Dispute Funds Withdrawn",
        "charge.dispute.funds_reinstated": "Dispute Funds Reinstated",
    }
)
def dispute(event: Event) -> dict[str, Any]:
    dispute = event_object(event)
    status = dispute.opt.text("status")
    return {
        **priced(dispute, amount="amount"),
        "order_id": dispute.first("payment_intent:id", "charge:id"),
        "dispute_id": dispute.id("id"),
        **dispute.select(charge_id="charge:id", payment_intent_id="payment_intent:id", reason="reason:text"),
        "status": status,
        "outcome": status if event.type == "charge.dispute.closed" else None,
        "previous_status": previous(event).opt.text("status"),
        **dispute.select(evidence_due_by="evidence_details.due_by:seconds"),
    }


@stripe.tracks({"radar.early_fraud_warning.created": "Fraud Warning Received"})
def fraud_warning(event: Event) -> dict[str, Any]:
    return event_object(event).select(
        charge_id="charge:id",
        payment_intent_id="payment_intent:id",
        fraud_type="fraud_type:text",
        actionable="actionable:flag",
    )
