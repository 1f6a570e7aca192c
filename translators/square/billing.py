"""Invoices and subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from translators.kit import Event, Message, Payload, track
from translators.square.source import amount, event_object, square

_INVOICE: Final = {
    "invoice.created": "Invoice Created",
    "invoice.published": "Invoice Sent",
    "invoice.payment_made": "Invoice Paid",
    "invoice.canceled": "Invoice Voided",
    "invoice.scheduled_charge_failed": "Invoice Payment Failed",
}


@square.on(*_INVOICE)
def invoice(event: Event) -> Iterator[Message]:
    """Sum the payment requests: an invoice may be due in several (a deposit, instalments)."""
    invoice = event_object(event)
    requests = list(invoice.each("payment_requests"))
    is_partial = event.type == "invoice.payment_made" and invoice.get("status") == "PARTIALLY_PAID"
    yield track(
        "Invoice Partially Paid" if is_partial else _INVOICE[event.type],
        {
            "invoice_id": invoice.id("id"),
            **invoice.select("invoice_number:text", square_order_id="order_id:id", status="status:text"),
            "total": _sum(requests, "computed_amount_money"),
            "amount_paid": _sum(requests, "total_completed_amount_money"),
            **invoice.select("payment_requests.0.computed_amount_money.currency:text"),
        },
    )


def _sum(requests: list[Payload], path: str) -> Decimal | None:
    amounts = [money for request in requests if (money := amount(request, path)) is not None]
    return sum(amounts, Decimal(0)) if amounts else None


_SUBSCRIPTION: Final = {"subscription.created": "Subscription Started", "subscription.updated": "Subscription Updated"}
_STATUS: Final = {"CANCELED": "Subscription Cancelled", "PAUSED": "Subscription Paused"}


@square.on(*_SUBSCRIPTION)
def subscription(event: Event) -> Iterator[Message]:
    subscription = event_object(event)
    yield track(
        _STATUS.get(subscription.text("status", ""), _SUBSCRIPTION[event.type]),
        {
            "subscription_id": subscription.id("id"),
            **subscription.select("status:text"),
            "plan_id": subscription.first("plan_variation_id:id", "plan_id:id"),
        },
    )
