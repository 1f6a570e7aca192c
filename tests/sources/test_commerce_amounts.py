"""Amounts of all commerce sources add up."""

from decimal import Decimal

import pytest

from support.outcomes import GOLDEN, golden_body, named, outcome_of
from translators.kit import Source
from translators.paddle import paddle
from translators.shopify import shopify
from webhooks.sources import plugins
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import find_goldens, outcomes
from webhooks.translation.translate import Translated

COMMERCE = ("adyen", "chargebee", "paddle", "paypal", "recurly", "revenuecat", "shopify", "square", "stripe")


SOURCES = plugins.load().sources


@pytest.mark.parametrize("name", COMMERCE)
def test_revenue_tax_and_shipping_of_every_golden_add_up_to_the_total(name: str) -> None:
    """If a message has total and revenue, its other amounts are the difference; the subtotal is the revenue."""
    source, checked = SOURCES[name], 0
    for case in find_goldens(GOLDEN / name):
        delivery = case.delivery(source)
        if SourceRuntime(source).handshake(delivery):
            continue
        for _, outcome in outcomes(source, delivery):
            for message in outcome.messages if isinstance(outcome, Translated) else []:
                amounts = message.get("properties") or {}
                if message.get("event") == "Invoice Paid" and delivery.options.get("revenue_from") == "payments":
                    continue  # the revenue is only the part that no payment reports
                if "total" in amounts and "revenue" in amounts:
                    parts = ("revenue", "tax", "shipping", "tip", "duties")
                    assert sum(amounts.get(part, 0) for part in parts) == amounts["total"], case.name
                    assert amounts.get("subtotal", amounts["revenue"]) == amounts["revenue"], case.name
                    checked += 1
    assert checked or name == "recurly"  # its webhooks have no amounts


@pytest.mark.parametrize("name", COMMERCE)
def test_refund_is_never_negative_and_has_an_order_id(name: str) -> None:
    source = SOURCES[name]
    for case in find_goldens(GOLDEN / name):
        delivery = case.delivery(source)
        if SourceRuntime(source).handshake(delivery):
            continue
        for _, outcome in outcomes(source, delivery):
            for message in outcome.messages if isinstance(outcome, Translated) else []:
                if message.get("event") in {"Order Refunded", "Refund Failed"}:
                    amounts = message["properties"]
                    assert amounts["order_id"], case.name
                    assert amounts.get("total", amounts.get("amount", 0)) >= 0, case.name


@pytest.mark.parametrize(
    ("source", "case", "lines"),
    [(shopify, "orders.paid", "line_items"), (paddle, "transaction.completed", "data.items")],
    ids=named,
)
def test_fractional_quantity_is_accepted(source: Source, case: str, lines: str) -> None:
    body = golden_body(source, case)
    items = body
    for member in lines.split("."):
        items = items[member]
    items[0]["quantity"] = 1.5
    outcome = outcome_of(source, body, case=case)
    assert isinstance(outcome, Translated)
    assert outcome.messages[-1]["properties"]["products"][0]["quantity"] == Decimal("1.5")
