"""Payments, refunds and disputes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.square.source import amount, event_object, square

_LONGEST_DELAY: Final = timedelta(days=8)
_UNPAID: Final = {"APPROVED": "Payment Authorized", "FAILED": "Payment Failed", "CANCELED": "Payment Cancelled"}


@square.on("payment.created", "payment.updated")
def payment(event: Event) -> Iterator[Message]:
    payment = event_object(event)
    status, properties = payment.text("status", ""), _payment(payment)
    if status == "COMPLETED":
        if _is_later_detail(event, payment):
            raise Skip("a later detail of a payment that was completed before")
        yield track("Order Completed", _order(payment))
    elif status in _UNPAID:
        yield track(_UNPAID[status], properties)
    else:
        raise Skip("the payment is still pending")


def _is_later_detail(event: Event, payment: Payload) -> bool:
    """Return whether the payment has a refund (which has its own event) or is older than any that waits for capture.

    https://developer.squareup.com/docs/payments-api/take-payments/card-payments/delayed-capture: seven days at most
    """
    created_at = payment.opt.utc("created_at")
    return bool(payment.get("refund_ids")) or (
        created_at is not None and event.occurred_at - created_at > _LONGEST_DELAY
    )


def _order(payment: Payload) -> dict[str, Any]:
    """Use the payment's id as order id: Square creates another order for each refund.

    https://developer.squareup.com/docs/refunds-api/webhooks
    """
    return {
        "order_id": payment.id("id"),
        **payment.select(square_order_id="order_id:id", payment_id="id:id"),
        "total": amount(payment, "total_money"),
        "revenue": amount(payment, "amount_money"),
        "tip": amount(payment, "tip_money"),
        **payment.select("amount_money.currency:text", payment_method="source_type:text"),
    }


def _payment(payment: Payload) -> dict[str, Any]:
    return {
        "payment_id": payment.id("id"),
        **payment.select(order_id="id:id", square_order_id="order_id:id"),
        "amount": amount(payment, "amount_money"),
        **payment.select("amount_money.currency:text", payment_method="source_type:text", status="status:text"),
    }


@square.on("refund.created", "refund.updated")
def refund(event: Event) -> Iterator[Message]:
    refund = event_object(event)
    status = refund.text("status", "")
    properties = {
        **refund.select(order_id="payment_id:id", payment_id="payment_id:id"),
        "refund_id": refund.id("id"),
        "total": amount(refund, "amount_money"),
        **refund.select("amount_money.currency:text", "reason:text"),
    }
    if status == "COMPLETED":
        yield track("Order Refunded", properties)
    elif status in {"FAILED", "REJECTED"}:
        yield track("Refund Failed", properties)
    else:
        raise Skip("the refund is still pending")


_DISPUTE: Final = {"dispute.created": "Dispute Opened", "dispute.state.updated": "Dispute Updated"}


@square.on(*_DISPUTE)
def dispute(event: Event) -> Iterator[Message]:
    dispute = event_object(event)
    state = dispute.opt.text("state")
    closed = state in {"WON", "LOST", "ACCEPTED"}
    yield track(
        "Dispute Closed" if closed else _DISPUTE[event.type],
        {
            "dispute_id": dispute.opt.id("dispute_id") or dispute.id("id"),
            **dispute.select(order_id="disputed_payment.payment_id:id", payment_id="disputed_payment.payment_id:id"),
            "amount": amount(dispute, "amount_money"),
            **dispute.select("amount_money.currency:text", "reason:text"),
            "status": state,
            "outcome": dispute.opt.lower("state") if closed else None,
        },
    )
