"""Amounts as text in major units. REST version 2 has `value` and `currency_code`, version 1 `total` and `currency`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from translators.kit import Payload


def money(body: Payload) -> dict[str, Any]:
    """Return the `amount` and `currency` of PayPal's Money."""
    value: Decimal | None = body.opt.decimal("value")
    return {
        "amount": body.opt.decimal("total") if value is None else value,
        "currency": body.first("currency_code", "currency"),
    }


def order_amounts(resource: Payload) -> dict[str, Decimal | None]:
    """Return amounts with subtotal + tax + shipping == total, from `details` (version 1) or `breakdown` (version 2)."""
    total: Decimal | None = money(resource.maybe("amount"))["amount"]
    details, breakdown = resource.maybe("amount.details"), resource.maybe("amount.breakdown")
    tax = details.opt.decimal("tax") if details else breakdown.opt.decimal("tax_total.value")
    shipping = details.opt.decimal("shipping") if details else breakdown.opt.decimal("shipping.value")
    discount = details.opt.decimal("shipping_discount") or breakdown.opt.decimal("shipping_discount.value")
    if shipping is not None and discount is not None:
        shipping -= abs(discount)
    net = None if total is None else total - (tax or Decimal(0)) - (shipping or Decimal(0))
    is_broken_down = tax is not None or shipping is not None
    return {
        "total": total,
        "revenue": net,
        "subtotal": net if is_broken_down else None,
        "tax": tax,
        "shipping": shipping,
    }
