"""Shopify orders: tax, test orders and pending refunds."""

import copy
from decimal import Decimal
from typing import Any

from support.outcomes import golden_body, outcome_of, properties
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
