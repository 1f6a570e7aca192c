"""Shopify orders: tax, test orders and pending refunds."""

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from support.outcomes import delivery_of, golden_body, outcome_of, properties
from support.unreadable import problem
from translators.shopify import shopify
from webhooks.translation.translate import Ignored


def _shopify(case: str, **changes: Any) -> Any:
    return {**golden_body(shopify, case), **changes}


def test_shopify_shipping_tax_is_not_subtracted_from_the_goods() -> None:
    """With tax included the subtotal contains the goods' tax only, `total_tax` the shipping's too."""
    case = "orders.paid__guest_with_tax_included"
    body = _shopify(case, subtotal_price="119.00", total_tax="20.90", total_price="130.90", taxes_included=True)
    body["line_items"] = [{"title": "A", "quantity": 1, "price": "119.00", "tax_lines": [{"price": "19.00"}]}]
    assert properties(outcome_of(shopify, body, case=case))["revenue"] == Decimal("100.00")
    body["line_items"][0].pop("tax_lines")
    assert properties(outcome_of(shopify, body, case=case))["revenue"] == Decimal("98.10"), "the order's total tax"


def test_shopify_test_order_is_skipped_unless_environment_is_both() -> None:
    body = _shopify("orders.paid", test=True)
    assert isinstance(outcome_of(shopify, body, case="orders.paid"), Ignored)
    both = outcome_of(shopify, body, case="orders.paid", environment="both")
    assert both.messages[0]["context"]["webhook"]["test"] is True


def test_shopify_pending_refund_is_ignored() -> None:
    body = copy.deepcopy(golden_body(shopify, "refunds.create"))
    for transaction in body["transactions"]:
        transaction["status"] = "pending"
    assert isinstance(outcome_of(shopify, body, case="refunds.create"), Ignored)


def _refund(**changes: Any) -> list[str]:
    body = _shopify("refunds.create__buyer_in_another_currency", **changes)
    sent = properties(outcome_of(shopify, body, case="refunds.create__buyer_in_another_currency"))
    return [sent["total"], sent["currency"], sent.get("presentment_total"), sent.get("presentment_currency")]


def test_shopify_refund_is_converted_by_an_adjustment_in_both_currencies() -> None:
    def both(shop: str, buyer: str) -> dict[str, Any]:
        return {"shop_money": {"amount": shop, "currency_code": "EUR"},
                "presentment_money": {"amount": buyer, "currency_code": "USD"}}  # fmt: skip

    paid = [{"id": 1, "kind": "refund", "status": "success", "amount": "22.00", "currency": "USD"}]
    adjusted = [{"id": 2, "amount_set": both("-10.00", "-11.00"), "tax_amount_set": both("0.00", "0.00")}]
    assert _refund(transactions=paid, refund_line_items=[], order_adjustments=adjusted) == [
        Decimal("20.00"), "EUR", Decimal("22.00"), "USD",
    ]  # fmt: skip
    nothing = [{"id": 2, "amount_set": both("0.00", "0.00")}]
    unknown = _refund(transactions=paid, refund_line_items=[], order_adjustments=nothing)
    assert unknown == [Decimal("22.00"), "USD", None, None]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"x-shopify-topic": ""}, "header X-Shopify-Topic is missing"),
        ({"x-shopify-triggered-at": "soon"}, "header X-Shopify-Triggered-At is not an ISO 8601 time"),
    ],
)
def test_shopify_header_that_is_missing_or_no_time_is_named(headers: dict[str, str], reason: str) -> None:
    sent = delivery_of(shopify, _shopify("orders.paid"), case="orders.paid")
    assert reason in problem(shopify, replace(sent, headers={**sent.headers, **headers}))
