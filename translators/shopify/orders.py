"""Orders, refunds, checkouts and disputes. `orders/paid` alone carries the revenue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.shopify.amounts import order_amounts, refund_amounts
from translators.shopify.source import shopify


@shopify.tracks({"orders/paid": "Order Completed"})
def order_paid(event: Event) -> dict[str, Any]:
    order = _order(event.body)
    return {**order, "revenue": order["subtotal"], "products": _products(event.body)}


@shopify.tracks(
    {
        "orders/updated": "Order Updated",
        "orders/cancelled": "Order Cancelled",
        "orders/fulfilled": "Order Fulfilled",
        "orders/partially_fulfilled": "Order Partially Fulfilled",
    }
)
def order(event: Event) -> dict[str, Any]:
    return {**_order(event.body), **event.body.select(reason="cancel_reason:text")}


@shopify.tracks({"orders/edited": "Order Updated"})
def order_edited(event: Event) -> dict[str, Any]:
    """Report the edit: the body has the order's id and the added and removed quantities, not the order."""
    edit = event.body.object("order_edit")
    return {
        "order_id": edit.id("order_id"),
        "order_edit_id": edit.opt.id("id"),
        "quantity_added": _quantity(edit, "line_items.additions"),
        "quantity_removed": _quantity(edit, "line_items.removals"),
    }


def _quantity(edit: Payload, path: str) -> int | None:
    lines = edit.get(path)
    return sum(line.integer("delta", 0) for line in edit.each(path)) if isinstance(lines, list) else None


@shopify.on("refunds/create")
def refunded(event: Event) -> Iterator[Message]:
    body = event.body
    transactions = [transaction for transaction in body.each("transactions") if transaction.get("kind") == "refund"]
    successful = [transaction for transaction in transactions if transaction.text("status", "success") == "success"]
    if not transactions:
        raise Skip("no money was refunded: a line of an unpaid order was removed, or goods were restocked")
    if not successful:
        raise Skip("no money was refunded: its transactions are pending or failed")
    products = [line.select("line_item.product_id:id", "quantity:decimal") for line in body.each("refund_line_items")]
    yield track(
        "Order Refunded",
        {
            **refund_amounts(body, successful),
            "order_id": body.id("order_id"),
            "refund_id": body.id("id"),
            "products": products,
        },
    )


@shopify.tracks({"checkouts/create": "Checkout Started"})
def checkout_started(event: Event) -> dict[str, Any]:
    """Report the checkout. The order has no id yet; both have `checkout_id`, `checkout_token` and `cart_token`."""
    checkout = event.body.select(
        checkout_id="id:id",
        checkout_token="token:id",
        cart_token="cart_token:id",
        value="total_price:decimal",
        discount="total_discounts:decimal",
        tax="total_tax:decimal",
        currency="currency:text",
    )
    return {**checkout, "products": _products(event.body)}


def _order(body: Payload) -> dict[str, Any]:
    """Describe an order. https://segment.com/docs/connections/spec/ecommerce/v2/#order-completed"""
    return {
        "order_id": body.id("id"),
        **body.select(
            "order_number:id",
            "checkout_id:id",
            "checkout_token:id",
            "cart_token:id",
            affiliation="source_name:text",
            status="financial_status:text",
        ),
        **order_amounts(body),
        **body.select(coupon="discount_codes.0.code:text"),
    }


def _products(body: Payload) -> list[dict[str, Any]]:
    return [
        line.select(
            "product_id:id",
            "sku:text",
            name="title:text",
            brand="vendor:text",
            variant="variant_title:text",
            quantity="quantity:decimal",
            price="price:decimal",
        )
        for line in body.each("line_items")
    ]


# https://shopify.dev/docs/api/admin-rest/latest/resources/dispute
_DECIDED: Final = {"accepted", "charge_refunded", "lost", "won"}


@shopify.on("disputes/create", "disputes/update")
def dispute(event: Event) -> Iterator[Message]:
    body = event.body
    status = body.opt.text("status")
    name = "Dispute Opened" if event.type == "disputes/create" else "Dispute Updated"
    if event.type == "disputes/update" and status in _DECIDED:
        name = "Dispute Closed"
    yield track(
        name,
        {
            "dispute_id": body.id("id"),
            **body.select("order_id:id", "amount:decimal", "currency:text", "reason:text"),
            "status": status,
            "outcome": status if name == "Dispute Closed" else None,
        },
    )
