"""Invoices and credit notes. `invoice.paid` alone carries the revenue of an invoice.

With `revenue_from = payments` its payments carry it instead, and `invoice.paid` only what was paid outside Stripe.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.kit import Event, Message, Payload, track
from translators.stripe.money import amount, discounted, each_of, priced, shipping_cost, summed, unit_price
from translators.stripe.source import own_time, stripe, thing_of

_PAYMENT: Final = "payments.data.0.payment"  # since Basil, and only where the payments were expanded
_NAMES: Final = {
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


@stripe.on(*_NAMES)
def invoice(event: Event) -> Iterator[Message]:
    yield track(_NAMES[event.type], describe(thing_of(event)))


@stripe.on("invoice.finalization_failed")
def invoice_finalization_failed(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track("Invoice Finalization Failed", describe(told), reason=told.text("last_finalization_error.code", None))


@stripe.on("invoice.paid")
def invoice_paid(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        "Invoice Paid",
        describe(told),
        revenue=_outside_stripe(told) if event.option("revenue_from") == "payments" else _net(told),
        paid_out_of_band=told.flag("paid_out_of_band", None),
        products=[_line(line) for line in _lines(told)],
        at=own_time(event, told.seconds("status_transitions.paid_at", None)),
    )


@stripe.on("invoice.payment_failed")
def invoice_payment_failed(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        "Invoice Payment Failed",
        describe(told),
        next_payment_attempt=told.seconds("next_payment_attempt", None),
    )


def describe(told: Payload) -> dict[str, Any]:
    """The properties that every event of an invoice carries. An upcoming invoice has no id yet."""
    return {
        "invoice_id": told.id("id", None),
        "invoice_number": told.text("number", None),
        "status": told.text("status", None),
        "billing_reason": told.text("billing_reason", None),
        "subscription_id": subscription_of(told),
        "payment_intent_id": told.id("payment_intent", None) or told.id(f"{_PAYMENT}.payment_intent", None),
        "charge_id": told.id("charge", None) or told.id(f"{_PAYMENT}.charge", None),
        "attempt_count": told.integer("attempt_count", None),
        "due_date": told.seconds("due_date", None),
        "subtotal": _subtotal(told),
        "tax": _tax(told),
        "shipping": shipping_cost(told),
        "discount": summed(told, "total_discount_amounts"),
        **priced(
            told,
            total="total",
            amount_due="amount_due",
            amount_paid="amount_paid",
            amount_remaining="amount_remaining",
        ),
    }


def subscription_of(told: Payload) -> str | None:
    """Basil (2025-03-31) moved an invoice's subscription under `parent`."""
    return told.id("subscription", None) or told.id("parent.subscription_details.subscription", None)


def _tax(told: Payload) -> Decimal | None:
    """What the invoice calls its tax; since Basil the difference of its totals, which its taxes add up to."""
    if told.get("tax") is not None:
        return amount(told, "tax")
    total, untaxed = amount(told, "total"), amount(told, "total_excluding_tax")
    if total is not None and untaxed is not None:
        return total - untaxed
    taxes = (summed(told, name) for name in ("total_taxes", "total_tax_amounts", "tax_amounts"))
    return next((tax for tax in taxes if tax is not None), None)


def _net(told: Payload) -> Decimal | None:
    """Segment's subtotal and revenue: with discounts, without tax (on top or included) and shipping."""
    total = amount(told, "total")
    return None if total is None else total - (_tax(told) or Decimal(0)) - (shipping_cost(told) or Decimal(0))


def _subtotal(told: Payload) -> Decimal | None:
    if _tax(told) is not None:
        return _net(told)
    return discounted(told, "subtotal", {"discount": summed(told, "total_discount_amounts")})


def _outside_stripe(told: Payload) -> Decimal | None:
    """What no payment event will tell, such as a bank transfer that the merchant marked as paid."""
    outside, total = amount(told, "amount_paid_off_stripe"), amount(told, "total")
    if told.get("paid_out_of_band") is True or (outside and total is not None and outside >= total):
        return _net(told)
    return outside or None


def _lines(told: Payload) -> Iterator[Payload]:
    lines = told.maybe("lines")
    return lines.each("data") if isinstance(lines.value, dict) else iter(())


def _line(line: Payload) -> dict[str, Any]:
    """A line as one of the spec's products; Basil moved its price under `pricing`."""
    quantity = line.integer("quantity", None)
    price = each_of(line, "amount", quantity)
    names = ("pricing.unit_amount_decimal", "price.unit_amount_decimal", "plan.amount_decimal")
    return {
        "product_id": _first(line, "pricing.price_details.product", "price.product", "plan.product"),
        "sku": _first(line, "pricing.price_details.price", "price", "plan"),
        "name": line.text("description", None) or line.text("plan.name", None),
        "quantity": quantity,
        "price": price if price is not None else unit_price(line, *names),
        "total": amount(line, "amount"),
    }


def _first(line: Payload, *paths: str) -> str | None:
    return next((found for path in paths if (found := line.id(path, None))), None)


_CREDIT: Final = {
    "credit_note.created": "Credit Note Created",
    "credit_note.updated": "Credit Note Updated",
    "credit_note.voided": "Credit Note Voided",
}


@stripe.on(*_CREDIT)
def credit_note(event: Event) -> Iterator[Message]:
    note = thing_of(event)
    yield track(
        _CREDIT[event.type],
        priced(note, total="total"),
        subtotal=_subtotal(note),
        tax=_tax(note),
        shipping=shipping_cost(note),
        credit_note_id=note.id("id"),
        credit_note_number=note.text("number", None),
        invoice_id=note.id("invoice", None),
        reason=note.text("reason", None),
    )
