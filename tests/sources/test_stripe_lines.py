"""Invoice lines of Stripe with a fractional quantity."""

from decimal import Decimal
from typing import Any

import pytest

from support.outcomes import golden_body, messages_of
from translators.stripe import stripe


@pytest.mark.parametrize(
    ("exact", "amount", "quantity", "price"),
    [("1.5", 15000, "1.5", "100.00"), ("2", 15000, "2", "75.00"), ("0.333333333333", 5000, "0.333333333333", "150.00")],
)
def test_stripe_line_has_the_exact_fractional_quantity_and_price(
    exact: str, amount: int, quantity: str, price: str
) -> None:
    """`quantity` is truncated beside `quantity_decimal`, so it alone would give a wrong unit price."""
    body = golden_body(stripe, "invoice.paid")
    line = body["data"]["object"]["lines"]["data"][0]
    line.update(amount=amount, quantity=int(Decimal(exact)), quantity_decimal=exact, currency="eur")
    line["pricing"] = {"unit_amount_decimal": "15000"}
    for name in ("price", "plan"):
        line.pop(name, None)
    product = messages_of(stripe, body)[-1]["properties"]["products"][0]
    assert (product["quantity"], product["price"]) == (Decimal(quantity), Decimal(price))


def test_stripe_line_of_a_checkout_has_its_amount_or_its_price() -> None:
    body = golden_body(stripe, "checkout.session.completed__guest_with_line_items")
    line = body["data"]["object"]["line_items"]["data"][0]
    line["amount_subtotal"] = 3000

    def price() -> Any:
        return messages_of(stripe, body)[-1]["properties"]["products"][0]["price"]

    assert price() == Decimal("15.00")
    line["amount_subtotal"] = None
    assert price() == Decimal("25.00")
