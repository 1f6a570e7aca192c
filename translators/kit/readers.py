"""Read a parsed member as a type: each function returns None for a value of another type, or raises `ValueError`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from translators.kit import times

MAX_DIGITS: Final = 400


def as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def as_flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def as_list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def as_container(value: Any) -> dict[str, Any] | list[Any] | None:
    return value if isinstance(value, dict | list) else None


def as_id(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def as_int(value: Any) -> int | None:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        if value.adjusted() > MAX_DIGITS:
            raise ValueError("too many digits")
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    if isinstance(value, str) and "_" in value:  # Python's own writing
        raise ValueError("holds an underscore")
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise ValueError("not finite or too many digits")
    return number


def clock(read: Callable[[int | Decimal | str], datetime]) -> Callable[[Any], datetime | None]:
    def of(value: Any) -> datetime | None:
        return read(value) if isinstance(value, int | Decimal | str) and not isinstance(value, bool) else None

    return of


def as_when(value: Any) -> datetime | None:
    if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
        return times.from_iso(value)
    return clock(times.from_unix)(value)
