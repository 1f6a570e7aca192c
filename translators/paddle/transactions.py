"""Transactions: orders and overdue invoices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, Payload, Skip, track
from translators.paddle.amounts import amount, unit_price
from translators.paddle.source import paddle


@paddle.on("transaction.completed")
def completed(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    if data.get("origin") == "subscription_payment_method_change":
        raise Skip("a zero-value transaction: the customer changed the payment method")
    order = _order(data)
    products = [_product(item) for item in data.each("items")]
    yield track("Order Completed", {**order, "revenue": order["subtotal"], "products": products})


@paddle.tracks({"transaction.past_due": "Invoice Overdue", "transaction.canceled": "Order Cancelled"})
def unpaid(event: Event) -> dict[str, Any]:
    return _order(event.body.object("data"))


@paddle.tracks({"transaction.payment_failed": "Payment Failed"})
def payment_failed(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    return {**_order(data), **data.select("payments.0.error_code:text")}


def _order(data: Payload) -> dict[str, Any]:
    """Describe an order; its subtotal is with discounts and without tax."""
    code = data.first("currency_code", "details.totals.currency_code")
    totals = data.maybe("details.totals")
    total, tax = amount(totals, "total", code), amount(totals, "tax", code)
    return {
        "order_id": data.id("id"),
        **data.select("subscription_id:id", "invoice_id:id", "origin:text", "status:text"),
        "subtotal": total if total is None or tax is None else total - tax,
        "discount": amount(totals, "discount", code),
        "tax": tax,
        "total": total,
        "currency": code,
    }


def _product(item: Payload) -> dict[str, Any]:
    return {
        **item.select("price.product_id:id", sku="price.id:id", name="price.name:text", quantity="quantity:decimal"),
        "price": unit_price(item),
    }
