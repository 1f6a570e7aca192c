"""Stripe's amounts: minor units by Stripe's own table, which differs from ISO 4217. https://docs.stripe.com/currencies

ISK and UGX have no minor unit any more but stay in hundredths (5 ISK is 500). MGA is whole although ISO gives it two
decimals. HUF and TWD are in hundredths like most.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from translators.kit import Payload, from_minor

_WHOLE: Final = {
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
}  # fmt: skip
_THOUSANDTHS: Final = {"BHD", "JOD", "KWD", "OMR", "TND"}


def code(body: Payload) -> str | None:
    """Return the ISO currency code in capitals, as Segment expects it."""
    return body.opt.upper("currency")


def amount(body: Payload, path: str) -> Decimal | None:
    """Return the exact amount at a path, None if the amount or the currency is missing."""
    return minor_amount(body.opt.integer(path), code(body))


def minor_amount(minor: int | None, currency: str | None) -> Decimal | None:
    """Return minor units as an exact amount, None if they or the currency are missing."""
    return None if minor is None or currency is None else from_minor(minor, currency, decimals=_decimals(currency))


def priced(body: Payload, **paths: str) -> dict[str, Any]:
    """Return several amounts by name, and their currency."""
    return {name: amount(body, path) for name, path in paths.items()} | {"currency": code(body)}


def summed(body: Payload, path: str) -> Decimal | None:
    """Return the sum of a list of `{amount}` in the body's currency, None if there is no list."""
    if not isinstance(body.get(path), list):
        return None
    return minor_amount(sum(entry.integer("amount", 0) for entry in body.each(path)), code(body))


def unit_price(price: Payload, *names: str) -> Decimal | None:
    """Return the price of one: the first of the names with an amount. `..._decimal` may be a fraction of a cent."""
    currency = code(price)
    minor = next((value for name in names if (value := price.opt.decimal(name)) is not None), None)
    return None if minor is None or currency is None else minor.scaleb(-_decimals(currency))


def quantity_of(line: Payload) -> int | Decimal | None:
    """Return the quantity. A fraction is in `quantity_decimal`; `quantity` is only its whole part.

    https://docs.stripe.com/changelog/dahlia/2026-03-25/invoice-items-decimal-quantity
    """
    exact = line.opt.decimal("quantity_decimal")
    if exact is None:
        return line.opt.integer("quantity")
    return int(exact) if exact == exact.to_integral_value() else exact


def line_unit_price(line: Payload, path: str, quantity: int | Decimal | None) -> Decimal | None:
    """Return the price of one in a line, None if the amount does not divide into whole minor units."""
    minor = line.opt.integer(path)
    if minor is None or not quantity or minor % quantity:
        return None
    return minor_amount(int(minor // quantity), code(line))


def net(money: Mapping[str, Any]) -> Decimal | None:
    """Return Segment's subtotal and revenue: the `total`, with discounts, without `shipping` and `tax`."""
    total: Decimal | None = money.get("total")
    return None if total is None else total - (money.get("shipping") or 0) - (money.get("tax") or 0)


def checkout_amounts(body: Payload) -> dict[str, Any]:
    """Return a session's or quote's amounts. `amount_subtotal` is before discounts and contains included tax."""
    money = priced(
        body, total="amount_total", discount="total_details.amount_discount",
        shipping="total_details.amount_shipping", tax="total_details.amount_tax",
    )  # fmt: skip
    if (shipping := shipping_cost(body)) is not None:
        money["shipping"] = shipping
    return {
        **money,
        "subtotal": net(money) if money.get("tax") is not None else discounted(body, "amount_subtotal", money),
    }


def discounted(body: Payload, path: str, money: Mapping[str, Any]) -> Decimal | None:
    """Return Stripe's own subtotal less the discounts, for an object without its tax."""
    subtotal = amount(body, path)
    return None if subtotal is None else subtotal - (money.get("discount") or 0)


def shipping_cost(body: Payload) -> Decimal | None:
    """Return the shipping without its tax (added or included), None if Stripe does not break it down."""
    total, tax = amount(body, "shipping_cost.amount_total"), amount(body, "shipping_cost.amount_tax")
    if total is None:
        return amount(body, "shipping_cost.amount_subtotal")
    return total - (tax or 0)


def _decimals(currency: str) -> int:
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
