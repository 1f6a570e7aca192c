"""Subscriptions and invoices."""

from __future__ import annotations

from typing import Any

from translators.kit import Event, Payload
from translators.paypal.amounts import money
from translators.paypal.source import paypal, time


@paypal.tracks(
    {
        "BILLING.SUBSCRIPTION.ACTIVATED": "Subscription Started",
        "BILLING.SUBSCRIPTION.UPDATED": "Subscription Updated",
        "BILLING.SUBSCRIPTION.RE-ACTIVATED": "Subscription Resumed",
        "BILLING.SUBSCRIPTION.SUSPENDED": "Subscription Paused",
        "BILLING.SUBSCRIPTION.CANCELLED": "Subscription Cancelled",
        "BILLING.SUBSCRIPTION.EXPIRED": "Subscription Cancelled",
        "BILLING.SUBSCRIPTION.PAYMENT.FAILED": "Subscription Past Due",
    }
)
def subscription(event: Event) -> dict[str, Any]:
    resource = event.body.object("resource")
    last = _last_payment(event, resource)
    next_time, next_date = "billing_info.next_billing_time", "agreement_details.next_billing_date"
    return {
        "subscription_id": resource.id("id"),
        "status": resource.first("status", "state"),
        **resource.select("plan_id:id", "quantity:decimal"),
        "amount": last.opt.decimal("value") or None,
        "currency": last.first("currency_code", "currency"),
        "next_billed_at": time(resource, next_time) or time(resource, next_date),
    }


def _last_payment(event: Event, resource: Payload) -> Payload:
    """Return the last payment, or the last failed one. Version 1 keeps it in `agreement_details`."""
    if event.type == "BILLING.SUBSCRIPTION.PAYMENT.FAILED" and "billing_info.last_failed_payment.amount" in resource:
        return resource.object("billing_info.last_failed_payment.amount")
    last = resource.maybe("billing_info.last_payment.amount")
    return last or resource.maybe("agreement_details.last_payment_amount")


@paypal.tracks({"INVOICING.INVOICE.PAID": "Invoice Paid", "INVOICING.INVOICE.CANCELLED": "Invoice Voided"})
def invoice(event: Event) -> dict[str, Any]:
    resource = event.body.object("resource")
    invoice = resource.maybe("invoice") or resource
    total = money(invoice.maybe("amount") or invoice.maybe("total_amount"))
    return {"invoice_id": invoice.id("id"), "total": total["amount"], "currency": total["currency"]}
