"""Captures and sales, authorisations, refunds and disputes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, track
from translators.paypal.amounts import money, order_amounts
from translators.paypal.source import disputed_payment, paypal, refunded_payment


@paypal.on("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.SALE.COMPLETED")
def paid(event: Event) -> Iterator[Message]:
    """Use the payment's id as order id, because a refund or dispute names only the payment."""
    resource = event.body.object("resource")
    yield track(
        "Order Completed",
        {
            **order_amounts(resource),
            "order_id": resource.id("id"),
            **resource.select(payment_id="id:id", checkout_id="supplementary_data.related_ids.order_id:id"),
            "invoice_id": resource.first("invoice_id:id", "invoice_number:id"),
            **resource.select(subscription_id="billing_agreement_id:id"),
            "currency": money(resource.maybe("amount"))["currency"],
        },
    )


@paypal.tracks(
    {
        "PAYMENT.CAPTURE.DENIED": "Payment Failed",
        "PAYMENT.CAPTURE.DECLINED": "Payment Failed",
        "PAYMENT.SALE.DENIED": "Payment Failed",
        "PAYMENT.CAPTURE.PENDING": "Payment Processing",
        "PAYMENT.SALE.PENDING": "Payment Processing",
        "PAYMENT.AUTHORIZATION.CREATED": "Payment Authorized",
        "PAYMENT.AUTHORIZATION.VOIDED": "Payment Cancelled",
    }
)
def payment(event: Event) -> dict[str, Any]:
    resource = event.body.object("resource")
    reason = resource.first("status_details.reason", "reason_code")
    return {**money(resource.maybe("amount")), "payment_id": resource.id("id"), "reason": reason}


@paypal.on("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.SALE.REFUNDED", "PAYMENT.CAPTURE.REVERSED", "PAYMENT.SALE.REVERSED")
def refunded(event: Event) -> Iterator[Message]:
    """The resource is the refund; the link `up` leads to its capture."""
    resource = event.body.object("resource")
    refund, payment_id = money(resource.maybe("amount")), refunded_payment(resource)
    yield track(
        "Order Refunded",
        {
            "order_id": payment_id or resource.id("id"),
            "payment_id": payment_id,
            "refund_id": resource.id("id"),
            "total": None if refund["amount"] is None else abs(refund["amount"]),
            "currency": refund["currency"],
            "reversed": "REVERSED" in event.type,
        },
    )


@paypal.tracks({"PAYMENT.REFUND.FAILED": "Refund Failed"})
def refund_failed(event: Event) -> dict[str, Any]:
    resource = event.body.object("resource")
    payment_id, refund_id = refunded_payment(resource), resource.id("id")
    ids = {"order_id": payment_id, "payment_id": payment_id, "refund_id": refund_id}
    return {**money(resource.maybe("amount")), **ids}


@paypal.tracks(
    {
        "CUSTOMER.DISPUTE.CREATED": "Dispute Opened",
        "CUSTOMER.DISPUTE.UPDATED": "Dispute Updated",
        "CUSTOMER.DISPUTE.RESOLVED": "Dispute Closed",
    }
)
def dispute(event: Event) -> dict[str, Any]:
    resource = event.body.object("resource")
    payment_id = disputed_payment(resource)
    return {
        "dispute_id": resource.id("dispute_id"),
        "order_id": payment_id,
        "payment_id": payment_id,
        **resource.select(
            "reason:text",
            "status:text",
            outcome="dispute_outcome.outcome_code:text",
            amount="dispute_amount.value:decimal",
            currency="dispute_amount.currency_code:text",
        ),
    }
