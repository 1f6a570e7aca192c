"""Prices and taxes, and the properties of a subscription and a trial."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from translators.kit import Malformed, Payload, share


def price(purchase: Payload) -> Decimal | None:
    """Return the price with tax, in the currency that was paid. RevenueCat's `price` is converted to USD."""
    return purchase.opt.decimal("price_in_purchased_currency")


def tax(purchase: Payload) -> Decimal | None:
    """Return the tax: `tax_percentage` is its part of the price (0.1667); rounded to the currency's unit.

    The store's commission is a cost of the merchant, not a tax, and stays in the revenue.
    """
    paid, part, code = price(purchase), purchase.opt.decimal("tax_percentage"), purchase.opt.text("currency")
    if paid is None or part is None or code is None:
        return None
    if not 0 <= part <= 1:
        raise Malformed(f"{purchase.path}.tax_percentage", "is not between 0 and 1")
    return share(paid, part, Decimal(1), code)


def describe(purchase: Payload) -> dict[str, Any]:
    """Return the properties of every subscription event."""
    return {
        **purchase.select(
            subscription_id="original_transaction_id:id", plan_id="product_id:id", period_type="period_type:text"
        ),
        "amount": price(purchase) or None,
        **purchase.select("currency:text", "store:text", expires_at="expiration_at_ms:millis"),
    }


def trial(purchase: Payload) -> dict[str, Any]:
    """Describe a trial, whose period is the event's."""
    return purchase.select(
        subscription_id="original_transaction_id:id",
        trial_plan_name="product_id:id",
        trial_start_date="purchased_at_ms:millis",
        trial_end_date="expiration_at_ms:millis",
    )
