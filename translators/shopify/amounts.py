"""An order's amounts as Segment defines them, and a refund's in the shop's own currency.

Every amount of an order is in the shop's currency (`currency`); the buyer may have paid in another one. If the shop's
prices include the tax, so do `subtotal_price` and the shipping; Segment's subtotal, revenue and shipping do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.kit import Payload, share

_ZERO: Final = Decimal(0)
_SHOP: Final = "shop_money"
_BUYER: Final = "presentment_money"


def order_amounts(body: Payload) -> dict[str, Any]:
    """Return amounts with subtotal + tax + shipping + tip + duties == total: https://segment.com/docs/connections/spec/ecommerce/v2/."""
    subtotal, shipping = body.opt.decimal("subtotal_price"), _shipping(body)
    if body.flag("taxes_included", False):
        goods_tax, shipping_tax = _inclusive_taxes(body)
        subtotal = None if subtotal is None else subtotal - goods_tax
        shipping = None if shipping is None else shipping - shipping_tax
    return {
        "subtotal": subtotal,
        "total": body.opt.decimal("total_price"),
        "shipping": shipping,
        "tax": body.opt.decimal("total_tax"),
        "tip": body.decimal("total_tip_received", _ZERO) or None,
        "duties": body.decimal("original_total_duties_set.shop_money.amount", _ZERO) or None,
        **body.select(discount="total_discounts:decimal", currency="currency:text"),
    }


def _shipping(body: Payload) -> Decimal | None:
    """Return the shipping after discounts, as in the total; `total_shipping_price_set` is before discounts."""
    if not isinstance(body.get("shipping_lines"), list) or not body.get("shipping_lines"):
        return body.opt.decimal("total_shipping_price_set.shop_money.amount")
    return sum((_discounted(line) for line in body.each("shipping_lines")), _ZERO)


def _discounted(line: Payload) -> Decimal:
    discounts = (allocation.decimal("amount", _ZERO) for allocation in _members(line, "discount_allocations"))
    return line.decimal("price", _ZERO) - sum(discounts, _ZERO)


def _inclusive_taxes(body: Payload) -> tuple[Decimal, Decimal]:
    """Return the tax in the goods' prices and in the shipping. Tax that no line names is the rest of the total."""
    total = body.decimal("total_tax", _ZERO)
    goods, shipping = _line_taxes(body, "line_items"), _line_taxes(body, "shipping_lines")
    if goods is None:
        return total - (shipping or _ZERO), shipping or _ZERO
    if shipping is None:
        return goods, total - goods if _shipping(body) else _ZERO
    return goods, shipping


def _line_taxes(body: Payload, name: str) -> Decimal | None:
    lines = [line for line in _members(body, name) if isinstance(line.get("tax_lines"), list)]
    if not lines:
        return None
    return sum((tax.decimal("price", _ZERO) for line in lines for tax in line.each("tax_lines")), _ZERO)


def _members(body: Payload, name: str) -> Iterator[Payload]:
    return body.each(name) if isinstance(body.get(name), list) else iter(())


def refund_amounts(body: Payload, transactions: list[Payload]) -> dict[str, Any]:
    """Return the refunded amount in the shop's currency, as on the order, and in the buyer's if it differs."""
    paid = sum((transaction.decimal("amount", _ZERO) for transaction in transactions), _ZERO)
    currency = transactions[0].opt.text("currency")
    pairs = list(_both_currencies(body, transactions))
    shop = next((pair[_SHOP].opt.text("currency_code") for pair in pairs), None)
    if shop is None or currency is None or currency == shop:
        return {"total": paid, "currency": currency}
    converted = _in_shop_money(paid, pairs, shop)
    if converted is None:
        return {"total": paid, "currency": currency}
    return {"total": converted, "currency": shop, "presentment_total": paid, "presentment_currency": currency}


def _both_currencies(body: Payload, transactions: list[Payload]) -> Iterator[dict[str, Payload]]:
    """Yield each `..._set` of the refund with an amount in both currencies, those of the transactions first."""
    for transaction in transactions:
        yield from _sets(transaction, "amount_set")
    for line in _members(body, "refund_line_items"):
        yield from _sets(line, "subtotal_set", "total_tax_set")
    for adjustment in _members(body, "order_adjustments"):
        yield from _sets(adjustment, "amount_set", "tax_amount_set")


def _sets(holder: Payload, *names: str) -> Iterator[dict[str, Payload]]:
    for name in names:
        money = holder.maybe(name)
        if _SHOP in money and _BUYER in money:
            yield {_SHOP: money.object(_SHOP), _BUYER: money.object(_BUYER)}


def _in_shop_money(paid: Decimal, pairs: list[dict[str, Payload]], shop: str) -> Decimal | None:
    """Convert by the refund's amounts in both currencies: exact if they equal the payment, else at their rate."""
    of_shop = of_buyer = _ZERO
    for pair in pairs:
        of_shop += abs(pair[_SHOP].decimal("amount", _ZERO))
        of_buyer += abs(pair[_BUYER].decimal("amount", _ZERO))
        if of_buyer == paid:
            return of_shop
    if not of_buyer:
        return None
    return share(paid, of_shop, of_buyer, shop)
