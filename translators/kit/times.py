"""Providers' times to aware UTC. A function raises `ValueError` for what it cannot read; none uses our own clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION: Final = re.compile(r"(\.\d{6})\d+")
_WITH_MICROSECONDS: Final = len("2026-03-31T12:00:00.000000")
_LATEST: Final = Decimal(253402300800)  # year 10000: datetime ends before it
_LATEST_SECOND: Final = int(_LATEST)
_MAGNITUDE_MS: Final = Decimal(100_000_000_000)


def from_seconds(value: int | Decimal | str) -> datetime:
    """Read unix seconds, whole or with a fraction (`1234567890.123456`), to the microsecond."""
    if type(value) is int and 0 <= value < _LATEST_SECOND:
        return EPOCH + timedelta(seconds=value)
    seconds = Decimal(value)
    if not seconds.is_finite() or not 0 <= seconds < _LATEST:
        raise ValueError(f"{value} is out of range for unix seconds")
    return EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def from_millis(value: int | Decimal | str) -> datetime:
    """Read unix milliseconds."""
    if type(value) is int and 0 <= value < _LATEST_SECOND * 1000:
        return EPOCH + timedelta(milliseconds=value)
    return from_seconds(Decimal(value) / 1000)


def from_unix(value: int | Decimal | str) -> datetime:
    """Read seconds or milliseconds, by the magnitude, for providers that document one and send the other."""
    number = Decimal(value)
    return from_millis(number) if number > _MAGNITUDE_MS else from_seconds(number)


def from_iso(text: str, *, naive_is_utc: bool = False) -> datetime:
    """Read ISO 8601 / RFC 3339, to the microsecond. Raise `ValueError` without a zone, unless `naive_is_utc`."""
    text = text.strip()
    parsed = datetime.fromisoformat(_FRACTION.sub(r"\1", text) if len(text) > _WITH_MICROSECONDS else text)
    if parsed.tzinfo is None:
        if not naive_is_utc:
            raise ValueError(f"{text} has no time zone")
        return parsed.replace(tzinfo=UTC)
    return _to_utc(parsed)


def from_rfc2822(text: str) -> datetime:
    """Read `Tue, 31 Mar 2026 12:00:00 +0000`, as e-mail and Twilio write it."""
    parsed = parsedate_to_datetime(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return _to_utc(parsed)


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment} is before year 1 or after 9999 in UTC") from None


def is_unset(moment: datetime) -> bool:
    """Return whether a time means "none": the first day of 1970 or year 1, which programs write for no value."""
    return moment < EPOCH + timedelta(days=1) and (moment >= EPOCH or moment.year == 1)


def to_iso(moment: datetime) -> str:
    """Return the form Segment takes: `2026-03-31T12:00:00.000Z`, with microseconds only if there are any."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    spec = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.isoformat(timespec=spec)[:-6] + "Z"
