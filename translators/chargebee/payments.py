"""Payments, each with its share of the invoice's revenue, and refunds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.chargebee.source import chargebee
from translators.kit import Event, Message, Payload, from_minor, track


@chargebee.on("payment_succeeded")
def paid(event: Event) -> Iterator[Message]:
    """Complete the order with the payment after which nothing is due; earlier payments are partial."""
    content = event.body.object("content")
    payment, invoice = content.object("transaction"), content.maybe("invoice")
    code, paid_at = payment.opt.text("currency_code"), payment.opt.seconds("date")
    amount, revenue = _shares(payment, invoice)
    total, net = (None if value is None or code is None else from_minor(value, code) for value in (amount, revenue))
    yield track(
        "Order Completed" if _completes(payment, invoice) else "Invoice Partially Paid",
        {
            "order_id": invoice.opt.id("id") or payment.id("id"),
            "payment_id": payment.id("id"),
            "invoice_id": invoice.opt.id("id"),
            "subscription_id": payment.opt.id("subscription_id"),
            "total": total,
            "tax": total - net if total is not None and net is not None and invoice.get("tax") is not None else None,
            "revenue": net,
            "currency": code,
            "invoice_total": invoice.opt.money("total", code=code),
            "amount_due": invoice.opt.money("amount_due", code=code),
            **payment.select("payment_method:text"),
        },
        occurred_at=paid_at if paid_at and paid_at <= event.occurred_at else None,
    )


def _completes(payment: Payload, invoice: Payload) -> bool:
    """Return whether nothing of the invoice is still due. If the invoice does not say, return whether this payment is
    more than half of it, since only one payment can be.
    """
    total, due, status = invoice.opt.integer("total"), invoice.opt.integer("amount_due"), invoice.get("status")
    if due is not None or status is not None:
        return due == 0 or status == "paid"
    return total is None or 2 * payment.integer("amount", 0) > total


def _shares(payment: Payload, invoice: Payload) -> tuple[int | None, int | None]:
    """Return the payment's amount and its share of the invoice without tax.

    The shares add up exactly: each part takes the rest that rounding the earlier parts has left.
    """
    amount, total = payment.opt.integer("amount"), invoice.opt.integer("total")
    if amount is None or not total or total < 0:
        return amount, amount
    links = list(payment.each("linked_invoices"))
    of_several = len(links) > 1  # each has its own tax; only this invoice's tax is known
    if len(links) == 1 and links[0].get("invoice_id") == invoice.get("id"):
        amount = links[0].integer("applied_amount", amount)  # the excess stays on the account
    after = None if of_several else invoice.opt.integer("amount_paid")
    before = after - amount if after is not None and after >= amount else 0
    net = total - invoice.integer("tax", 0)
    return amount, _rounded((before + amount) * net, total) - _rounded(before * net, total)


def _rounded(value: int, divisor: int) -> int:
    return (2 * value + divisor) // (2 * divisor)


@chargebee.tracks({"payment_failed": "Payment Failed"})
def payment_failed(event: Event) -> dict[str, Any]:
    payment = event.body.object("content.transaction")
    return {
        "payment_id": payment.id("id"),
        "invoice_id": event.body.opt.id("content.invoice.id"),
        "subscription_id": payment.opt.id("subscription_id"),
        "amount": payment.opt.money("amount", "currency_code"),
        **payment.select(currency="currency_code:text", error_code="error_code:text"),
    }


@chargebee.tracks({"payment_refunded": "Order Refunded"})
def refunded(event: Event) -> dict[str, Any]:
    content = event.body.object("content")
    refund = content.object("transaction")
    order_id = content.first(
        "invoice.id:id",
        "credit_note.reference_invoice_id:id",
        "transaction.linked_credit_notes.0.cn_reference_invoice_id:id",
        "transaction.reference_transaction_id:id",
    )
    return {
        "order_id": order_id or refund.id("id"),
        "payment_id": refund.opt.id("reference_transaction_id"),
        "refund_id": refund.id("id"),
        "total": refund.opt.money("amount", "currency_code"),
        **refund.select(currency="currency_code:text"),
    }
