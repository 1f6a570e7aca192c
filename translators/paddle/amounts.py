"""Paddle's amounts: minor units, written as text. https://developer.paddle.com/api-reference/about/data-types"""

from __future__ import annotations

from decimal import Decimal

from translators.kit import Payload, from_minor


def amount(body: Payload, path: str, code: str | None) -> Decimal | None:
    """Return the amount at a path (`"5315"` is 53.15 USD), None if it or the currency is missing."""
    minor = body.opt.decimal(path)
    return None if minor is None or code is None else from_minor(int(minor), code)


def unit_price(item: Payload) -> Decimal | None:
    """Return the price of one of an item, in the currency of that price."""
    unit = item.maybe("price.unit_price")
    return amount(unit, "amount", unit.opt.text("currency_code"))
