"""The merchant's own affairs: payouts, the catalogue, and thin events about accounts.

They concern no customer: the person is the merchant's account, one stable anonymousId for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from translators.kit import Event, Message, track
from translators.stripe.money import code, priced, unit_price
from translators.stripe.source import stripe, thing_of

_PAYOUT: Final = {
    "payout.created": "Payout Created",
    "payout.paid": "Payout Paid",
    "payout.failed": "Payout Failed",
    "payout.canceled": "Payout Cancelled",
}


@stripe.on(*_PAYOUT)
def payout(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        _PAYOUT[event.type],
        priced(told, amount="amount"),
        payout_id=told.id("id"),
        status=told.text("status", None),
        arrival_date=told.seconds("arrival_date", None),
        error_code=told.text("failure_code", None),
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
    told = thing_of(event)
    yield track(
        _CATALOGUE[event.type],
        product_id=told.id("id"),
        name=told.text("name", None),
        active=told.flag("active", None),
    )


@stripe.on("price.created", "price.updated", "price.deleted")
def price(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        _CATALOGUE[event.type],
        price_id=told.id("id"),
        product_id=told.id("product", None),
        name=told.text("nickname", None),
        active=told.flag("active", None),
        price=unit_price(told, "unit_amount", "unit_amount_decimal"),
        currency=code(told),
        plan_interval=told.text("recurring.interval", None),
    )


@stripe.on("v1.customer.created", "v1.customer.deleted")
def thin_customer(event: Event) -> Iterator[Message]:
    """A thin event names its customer and holds nothing more. https://docs.stripe.com/event-destinations"""
    name = "Customer Created" if event.type.endswith("created") else "Customer Deleted"
    yield track(name, customer_id=event.body.id("related_object.id"))


@stripe.on("v2.core.account.created", "v2.core.account.closed")
def thin_account(event: Event) -> Iterator[Message]:
    name = "Account Created" if event.type.endswith("created") else "Account Deleted"
    yield track(name, account_id=event.body.id("related_object.id"))


@stripe.on("v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found")
def meter_errors(event: Event) -> Iterator[Message]:
    yield track(
        "Meter Errors Reported",
        meter_id=event.body.id("related_object.id", None),
        error_count=event.body.integer("data.reason.error_count", None),
        summary=event.body.text("data.developer_message_summary", None),
    )
