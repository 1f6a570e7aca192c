"""Exact money: minor units to a Decimal by the currency's exponent (ISO 4217), never through a binary float."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

# https://docs.stripe.com/currencies#zero-decimal agrees with ISO 4217, except if a provider's own table says otherwise.
ZERO_DECIMAL: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THREE_DECIMAL: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
FOUR_DECIMAL: Final = frozenset(["CLF", "UYW"])


def exponent(currency: str) -> int:
    """Return how many decimals the currency has: 0 for JPY, 3 for KWD, 2 for one that no list names."""
    code = currency.upper()
    if code in ZERO_DECIMAL:
        return 0
    if code in THREE_DECIMAL:
        return 3
    if code in FOUR_DECIMAL:
        return 4
    return 2


def from_minor(amount: int, currency: str, *, decimals: int | None = None) -> Decimal:
    """Return `Decimal("19.99")` for `from_minor(1999, "usd")`. `decimals` is the provider's own exponent, if any."""
    places = exponent(currency) if decimals is None else decimals
    return Decimal(amount).scaleb(-places)


_ROUNDING: Final = Context(prec=1000, rounding=ROUND_HALF_EVEN)  # every amount that a payload may hold, times another


def share(amount: Decimal, part: Decimal, whole: Decimal, currency: str) -> Decimal:
    """Return `amount * part / whole`, rounded to the currency's unit, half to even."""
    exact = _ROUNDING.divide(_ROUNDING.multiply(amount, part), whole)
    return exact.quantize(Decimal(1).scaleb(-exponent(currency)), context=_ROUNDING)
