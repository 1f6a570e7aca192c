"""Invoices and credit notes. `invoice.paid` is the one event that carries the revenue of an invoice."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.kit import Event, Message, Payload, track
from translators.stripe.money import amount, priced
from translators.stripe.source import no_later, stripe, thing_of

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
        revenue=_without_tax(told),
        paid_out_of_band=told.flag("paid_out_of_band", None),
        products=[_line(line) for line in _lines(told)],
        at=no_later(event, told.seconds("status_transitions.paid_at", None)),
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
    money = priced(told, subtotal="subtotal", total="total", amount_due="amount_due", amount_paid="amount_paid",
                   amount_remaining="amount_remaining") if told.get("currency") else {}  # fmt: skip
    return {
        "invoice_id": told.id("id", None),
        "invoice_number": told.text("number", None),
        "status": told.text("status", None),
        "billing_reason": told.text("billing_reason", None),
        "subscription_id": subscription_of(told),
        "attempt_count": told.integer("attempt_count", None),
        "due_date": told.seconds("due_date", None),
        "tax": _tax(told),
        "discount": _discount(told),
        **money,
    }


def subscription_of(told: Payload) -> str | None:
    """Basil (2025-03-31) moved an invoice's subscription under `parent`."""
    return told.id("subscription", None) or told.id("parent.subscription_details.subscription", None)


def _tax(told: Payload) -> Decimal | None:
    if told.get("currency") is None:
        return None
    if told.get("tax") is not None:
        return amount(told, "tax")
    for name in ("total_taxes", "total_tax_amounts"):
        if isinstance(told.get(name), list):
            return _sum(told, name)
    return None


def _discount(told: Payload) -> Decimal | None:
    return _sum(told, "total_discount_amounts") if told.get("currency") else None


def _sum(told: Payload, name: str) -> Decimal | None:
    """The amounts of a list of `{amount}`, in the invoice's currency."""
    if not isinstance(told.get(name), list):
        return None
    parts = [each.integer("amount", 0) for each in told.each(name)]
    return amount(Payload({"sum": sum(parts), "currency": told.text("currency")}), "sum")


def _without_tax(told: Payload) -> Decimal | None:
    """Segment's revenue excludes tax and includes discounts."""
    if told.get("currency") is None:
        return None
    exact = amount(told, "total_excluding_tax")
    if exact is not None:
        return exact
    total = amount(told, "total")
    return None if total is None else total - (_tax(told) or Decimal(0))


def _lines(told: Payload) -> Iterator[Payload]:
    lines = told.maybe("lines")
    return lines.each("data") if isinstance(lines.value, dict) else iter(())


def _line(line: Payload) -> dict[str, Any]:
    """A line as one of the spec's products; Basil moved its price under `pricing`."""
    price = line.maybe("price") if isinstance(line.get("price"), dict) else Payload({})
    plan = line.maybe("plan") if isinstance(line.get("plan"), dict) else Payload({})
    quantity = line.integer("quantity", None)
    total = amount(line, "amount") if line.get("currency") else None
    return {
        "product_id": line.id("pricing.price_details.product", None)
        or price.id("product", None)
        or plan.id("product", None),
        "sku": line.id("pricing.price_details.price", None) or price.id("id", None) or plan.id("id", None),
        "name": line.text("description", None) or plan.text("name", None),
        "quantity": quantity,
        "price": total / quantity if total is not None and quantity and total % quantity == 0 else None,
        "total": total,
    }


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
        priced(note, total="total", subtotal="subtotal") if note.get("currency") else {},
        credit_note_id=note.id("id"),
        credit_note_number=note.text("number", None),
        invoice_id=note.id("invoice", None),
        reason=note.text("reason", None),
    )
