"""Invoices and credit notes."""

from __future__ import annotations

from typing import Any

from translators.chargebee.source import chargebee
from translators.kit import Event


@chargebee.tracks({"invoice_generated": "Invoice Created", "payment_due_reminder": "Invoice Due Soon"})
def invoice(event: Event) -> dict[str, Any]:
    invoice = event.body.object("content.invoice")
    return {
        "invoice_id": invoice.id("id"),
        **invoice.select("subscription_id:id", "status:text"),
        **{name: invoice.opt.money(name, "currency_code") for name in ("total", "tax", "amount_due")},
        **invoice.select(currency="currency_code:text", due_date="due_date:seconds"),
    }


@chargebee.tracks({"credit_note_created": "Credit Note Created"})
def credit_note(event: Event) -> dict[str, Any]:
    note = event.body.object("content.credit_note")
    return {
        "credit_note_id": note.id("id"),
        **note.select(invoice_id="reference_invoice_id:id"),
        "total": note.opt.money("total", "currency_code"),
        **note.select(currency="currency_code:text", reason="reason_code:text"),
    }
