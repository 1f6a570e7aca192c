"""The merchant's own events: payouts, the catalogue, and thin events about accounts.

They concern no customer: their person is the merchant's account, with one stable anonymousId.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from translators.kit import Event, Message, track
from translators.stripe.money import code, priced, unit_price
from translators.stripe.source import event_object, stripe

_PAYOUT: Final = {
    "payout.created": "Payout Created",
    "payout.paid": "Payout Paid",
    "payout.failed": "Payout Failed",
    "payout.canceled": "Payout Cancelled",
}


@stripe.on(*_PAYOUT)
def payout(event: Event) -> Iterator[Message]:
    payout = event_object(event)
    yield track(
        _PAYOUT[event.type],
        {
            **priced(payout, amount="amount"),
            "payout_id": payout.id("id"),
            **payout.select("status:text", "arrival_date:seconds", error_code="failure_code:text"),
        },
    )


_CATALOGUE: Final = {
    "product.created": "Catalog Product Created",
    "product.updated": "Catalog Product Updated",
    "product.deleted": "Catalog Product Deleted",
    "price.created": "Catalog Price Created",
    "price.updated": "Catalog Price Updated",
    "price.deleted": "Catalog Price Deleted",
}


@stripe.on("product.created", "product.updated", "product.deleted")
def product(event: Event) -> Iterator[Message]:
    product = event_object(event)
    yield track(
        _CATALOGUE[event.type],
        {"product_id": product.id("id"), **product.select("name:text", "active:flag")},
    )


@stripe.on("price.created", "price.updated", "price.deleted")
def price(event: Event) -> Iterator[Message]:
    price = event_object(event)
    yield track(
        _CATALOGUE[event.type],
        {
            "price_id": price.id("id"),
            **price.select(product_id="product:id", name="nickname:text", active="active:flag"),
            "price": unit_price(price, "unit_amount", "unit_amount_decimal"),
            "currency": code(price),
            "plan_interval": price.opt.text("recurring.interval"),
        },
    )


@stripe.on("v1.customer.created", "v1.customer.deleted")
def thin_customer(event: Event) -> Iterator[Message]:
    """Translate a thin event, which holds only the customer's id. https://docs.stripe.com/event-destinations"""
    name = "Customer Created" if event.type.endswith("created") else "Customer Deleted"
    yield track(name, {"customer_id": event.body.id("related_object.id")})


@stripe.on("v2.core.account.created", "v2.core.account.closed")
def thin_account(event: Event) -> Iterator[Message]:
    name = "Account Created" if event.type.endswith("created") else "Account Deleted"
    yield track(name, {"account_id": event.body.id("related_object.id")})


@stripe.on("v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found")
def meter_errors(event: Event) -> Iterator[Message]:
    yield track(
        "Meter Errors Reported",
        event.body.select(
            meter_id="related_object.id:id",
            error_count="data.reason.error_count:integer",
            summary="data.developer_message_summary:text",
        ),
    )
