"""Stripe's amounts: minor units, with exponents of Stripe's own. https://docs.stripe.com/currencies"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from translators.kit import Payload, exponent

# ISK and UGX have no minor unit, yet Stripe takes and gives them in hundredths; MGA the other way round.
_OWN: Final = {"ISK": 2, "UGX": 2, "MGA": 0, "IQD": 2, "LYD": 2, "UYI": 2, "CLF": 2, "UYW": 2}


def amount(body: Payload, path: str, *, currency: str = "currency") -> Decimal | None:
    """The exact money at a path, None where it is missing."""
    code = body.text(currency, "").upper()
    return body.money(path, currency, decimals=_OWN.get(code, exponent(code)))


def code(body: Payload, *, currency: str = "currency") -> str | None:
    """The ISO code in capitals, as Segment writes it."""
    return body.text(currency, "").upper() or None


def priced(body: Payload, **paths: str) -> dict[str, Any]:
    """Several amounts by name, and their currency."""
    return {name: amount(body, path) for name, path in paths.items()} | {"currency": code(body)}
