"""Stripe's amounts: minor units by Stripe's own table, which is not quite ISO 4217. https://docs.stripe.com/currencies

ISK and UGX lost their minor unit and stay in hundredths (5 ISK is 500); MGA comes whole though ISO gives it two
decimals; HUF and TWD are in hundredths like most.
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


def code(body: Payload, *, currency: str = "currency") -> str | None:
    """The ISO code in capitals, as Segment writes it."""
    return body.text(currency, "").upper() or None


def amount(body: Payload, path: str) -> Decimal | None:
    """The exact money at a path, None where the amount or the currency is missing."""
    minor, currency = body.integer(path, None), code(body)
    return None if minor is None or currency is None else from_minor(minor, currency, decimals=_decimals(currency))


def priced(body: Payload, **paths: str) -> dict[str, Any]:
    """Several amounts by name, and their currency."""
    return {name: amount(body, path) for name, path in paths.items()} | {"currency": code(body)}


def summed(body: Payload, path: str) -> Decimal | None:
    """The sum of a list of `{amount}` in the body's own currency, None where there is no list."""
    currency = code(body)
    if currency is None or not isinstance(body.get(path), list):
        return None
    minor = sum(each.integer("amount", 0) for each in body.each(path))
    return from_minor(minor, currency, decimals=_decimals(currency))


def unit_price(price: Payload, *names: str) -> Decimal | None:
    """What one costs: the first of the names that holds an amount; a `..._decimal` may hold a part of a minor unit."""
    currency = code(price)
    minor = next((told for name in names if (told := price.decimal(name, None)) is not None), None)
    return None if minor is None or currency is None else minor.scaleb(-_decimals(currency))


def each_of(line: Payload, path: str, quantity: int | None) -> Decimal | None:
    """The price of one in a line of several, None where the amount does not divide into whole minor units."""
    minor, currency = line.integer(path, None), code(line)
    if minor is None or currency is None or not quantity or minor % quantity:
        return None
    return from_minor(minor // quantity, currency, decimals=_decimals(currency))


def net(money: Mapping[str, Any]) -> Decimal | None:
    """Segment's subtotal and revenue of a `total`: with discounts, without `shipping` and `tax`."""
    total: Decimal | None = money["total"]
    return None if total is None else total - (money["shipping"] or 0) - (money["tax"] or 0)


def checkout_amounts(told: Payload) -> dict[str, Any]:
    """A session's or quote's amounts. `amount_subtotal` is before discounts and holds the tax that prices include."""
    money = priced(
        told, total="amount_total", discount="total_details.amount_discount",
        shipping="total_details.amount_shipping", tax="total_details.amount_tax",
    )  # fmt: skip
    if (shipping := shipping_cost(told)) is not None:
        money["shipping"] = shipping
    return {**money, "subtotal": net(money) if money["tax"] is not None else discounted(told, "amount_subtotal", money)}


def discounted(told: Payload, path: str, money: Mapping[str, Any]) -> Decimal | None:
    """Stripe's own subtotal less the discounts, for what does not say its tax."""
    subtotal = amount(told, path)
    return None if subtotal is None else subtotal - (money["discount"] or 0)


def shipping_cost(told: Payload) -> Decimal | None:
    """What shipping costs without its tax, be that on top of the rate or inside it; None if it is not broken down."""
    whole, tax = amount(told, "shipping_cost.amount_total"), amount(told, "shipping_cost.amount_tax")
    if whole is None:
        return amount(told, "shipping_cost.amount_subtotal")
    return whole - (tax or 0)


def _decimals(currency: str) -> int:
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
