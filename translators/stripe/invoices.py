"""Invoices and credit notes. `invoice.paid` alone carries the revenue of an invoice.

With `revenue_from = payments` the payments carry it, and `invoice.paid` only the amount paid outside Stripe.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.kit import Event, Message, Payload, track
from translators.stripe.money import (
    amount,
    discounted,
    line_unit_price,
    priced,
    quantity_of,
    shipping_cost,
    summed,
    unit_price,
)
from translators.stripe.source import REVENUE_FROM, event_object, own_time, stripe

_PAYMENT: Final = "payments.data.0.payment"  # since Basil, and only if the payments were expanded


@stripe.tracks(
    {
        "invoice.created": "Invoice Created",
        "invoice.finalized": "Invoice Finalized",
        "invoice.sent": "Invoice Sent",
        "invoice.upcoming": "Invoice Upcoming",
        "invoice.will_be_due": "Invoice Due Soon",
        "invoice.overdue": "Invoice Overdue",
        "invoice.payment_action_required": "Invoice Payment Action Required",
        "invoice.payment_attempt_required": "Invoice Payment Attempt Required",
        "invoice.marked_uncollectible": "Invoice Marked Uncollectible",
        "invoice.voided": "Invoice Voided",
        "invoice.deleted": "Invoice Deleted",
        "invoice.overpaid": "Invoice Overpaid",
    }
)
def invoice(event: Event) -> dict[str, Any]:
    return describe(event_object(event))


@stripe.tracks({"invoice.finalization_failed": "Invoice Finalization Failed"})
def invoice_finalization_failed(event: Event) -> dict[str, Any]:
    invoice = event_object(event)
    return {**describe(invoice), **invoice.select(reason="last_finalization_error.code:text")}


@stripe.on("invoice.paid")
def invoice_paid(event: Event) -> Iterator[Message]:
    invoice = event_object(event)
    yield track(
        "Invoice Paid",
        {
            **describe(invoice),
            "revenue": _outside_stripe(invoice) if REVENUE_FROM.of(event) == "payments" else _net(invoice),
            "paid_out_of_band": invoice.opt.flag("paid_out_of_band"),
            "products": [_line(line) for line in _lines(invoice)],
        },
        occurred_at=own_time(event, invoice.opt.seconds("status_transitions.paid_at")),
    )


@stripe.tracks({"invoice.payment_failed": "Invoice Payment Failed"})
def invoice_payment_failed(event: Event) -> dict[str, Any]:
    invoice = event_object(event)
    return {**describe(invoice), **invoice.select("next_payment_attempt:seconds")}


def describe(invoice: Payload) -> dict[str, Any]:
    """Return the properties of every invoice event. An upcoming invoice has no id yet."""
    return {
        **invoice.select(
            invoice_id="id:id", invoice_number="number:text", status="status:text", billing_reason="billing_reason:text"
        ),
        # Basil (2025-03-31) moved it under `parent`
        "subscription_id": invoice.first("subscription:id", "parent.subscription_details.subscription:id"),
        "payment_intent_id": invoice.first("payment_intent:id", f"{_PAYMENT}.payment_intent:id"),
        "charge_id": invoice.first("charge:id", f"{_PAYMENT}.charge:id"),
        **invoice.select("attempt_count:integer", "due_date:seconds"),
        "subtotal": _subtotal(invoice),
        "tax": _tax(invoice),
        "shipping": shipping_cost(invoice),
        "discount": summed(invoice, "total_discount_amounts"),
        **priced(
            invoice,
            total="total",
            amount_due="amount_due",
            amount_paid="amount_paid",
            amount_remaining="amount_remaining",
        ),
    }


def _tax(document: Payload) -> Decimal | None:
    """Return an invoice's or credit note's tax; since Basil the difference of its totals, or the sum of its taxes."""
    if document.get("tax") is not None:
        return amount(document, "tax")
    total, untaxed = amount(document, "total"), amount(document, "total_excluding_tax")
    if total is not None and untaxed is not None:
        return total - untaxed
    taxes = (summed(document, name) for name in ("total_taxes", "total_tax_amounts", "tax_amounts"))
    return next((tax for tax in taxes if tax is not None), None)


def _net(document: Payload) -> Decimal | None:
    """Return Segment's subtotal and revenue: with discounts, without shipping and tax (added or included)."""
    total = amount(document, "total")
    return None if total is None else total - (_tax(document) or Decimal(0)) - (shipping_cost(document) or Decimal(0))


def _subtotal(document: Payload) -> Decimal | None:
    if _tax(document) is not None:
        return _net(document)
    return discounted(document, "subtotal", {"discount": summed(document, "total_discount_amounts")})


def _outside_stripe(invoice: Payload) -> Decimal | None:
    """Return the amount that no payment event reports, such as a bank transfer that the merchant marked as paid."""
    paid_outside, total = amount(invoice, "amount_paid_off_stripe"), amount(invoice, "total")
    if invoice.get("paid_out_of_band") is True or (paid_outside and total is not None and paid_outside >= total):
        return _net(invoice)
    return paid_outside or None


def _lines(invoice: Payload) -> Iterator[Payload]:
    lines = invoice.maybe("lines")
    return lines.each("data") if isinstance(lines.value, dict) else iter(())


def _line(line: Payload) -> dict[str, Any]:
    """Return a line as a product of the spec; Basil moved its price under `pricing`."""
    quantity = quantity_of(line)
    price = line_unit_price(line, "amount", quantity)
    names = ("pricing.unit_amount_decimal", "price.unit_amount_decimal", "plan.amount_decimal")
    return {
        "product_id": line.first("pricing.price_details.product:id", "price.product:id", "plan.product:id"),
        "sku": line.first("pricing.price_details.price:id", "price:id", "plan:id"),
        "name": line.first("description", "plan.name"),
        "quantity": quantity,
        "price": price if price is not None else unit_price(line, *names),
        "total": amount(line, "amount"),
    }


@stripe.tracks(
    {
        "credit_note.created": "Credit Note Created",
        "credit_note.updated": "Credit Note Updated",
        "credit_note.voided": "Credit Note Voided",
    }
)
def credit_note(event: Event) -> dict[str, Any]:
    note = event_object(event)
    return {
        **priced(note, total="total"),
        "subtotal": _subtotal(note),
        "tax": _tax(note),
        "shipping": shipping_cost(note),
        "credit_note_id": note.id("id"),
        **note.select(credit_note_number="number:text", invoice_id="invoice:id", reason="reason:text"),
    }
