"""The merchant's own events: payouts, the catalogue, and thin events about accounts.

They concern no customer: their person is the merchant's account, with one stable anonymousId.
"""

from __future__ import annotations

from typing import Any

from translators.kit import Event
from translators.stripe.money import code, priced, unit_price
from translators.stripe.source import event_object, stripe


@stripe.tracks(
    {
        "payout.created": "Payout Created",
        "payout.paid": "Payout Paid",
        "payout.failed": "Payout Failed",
        "payout.canceled": "Payout Cancelled",
    }
)
def payout(event: Event) -> dict[str, Any]:
    payout = event_object(event)
    return {
        **priced(payout, amount="amount"),
        "payout_id": payout.id("id"),
        **payout.select("status:text", "arrival_date:seconds", error_code="failure_code:text"),
    }


@stripe.tracks(
    {
        "product.created": "Catalog Product Created",
        "product.updated": "Catalog Product Updated",
        "product.deleted": "Catalog Product Deleted",
    }
)
def product(event: Event) -> dict[str, Any]:
    product = event_object(event)
    return {"product_id": product.id("id"), **product.select("name:text", "active:flag")}


@stripe.tracks(
    {
        "price.created": "Catalog Price Created",
        "price.updated": "Catalog Price Updated",
        "price.deleted": "Catalog Price Deleted",
    }
)
def price(event: Event) -> dict[str, Any]:
    price = event_object(event)
    return {
        "price_id": price.id("id"),
        **price.select(product_id="product:id", name="nickname:text", active="active:flag"),
        "price": unit_price(price, "unit_amount", "unit_amount_decimal"),
        "currency": code(price),
        **price.select(plan_interval="recurring.interval:text"),
    }


@stripe.tracks({"v1.customer.created": "Customer Created", "v1.customer.deleted": "Customer Deleted"})
def thin_customer(event: Event) -> dict[str, Any]:
    """Translate a thin event, which holds only the customer's id. https://docs.stripe.com/event-destinations"""
    return {"customer_id": event.body.id("related_object.id")}


@stripe.tracks({"v2.core.account.created": "Account Created", "v2.core.account.closed": "Account Deleted"})
def thin_account(event: Event) -> dict[str, Any]:
    return {"account_id": event.body.id("related_object.id")}


@stripe.tracks(
    {
        "v1.billing.meter.error_report_triggered": "Meter Errors Reported",
        "v1.billing.meter.no_meter_found": "Meter Errors Reported",
    }
)
def meter_errors(event: Event) -> dict[str, Any]:
    return event.body.select(
        meter_id="related_object.id:id",
        error_count="data.reason.error_count:integer",
        summary="data.developer_message_summary:text",
    )
