"""Parse times and durations of the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from webhooks.cli.output import fail

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN: Final = re.compile(r"([+-]?)(\d{1,6})([smhdw])")


def parse_time(text: str, now: datetime, *, option: str) -> datetime:
    """Return `now`, `2h` (ago), `-10m`, `+10m` (ahead), unix seconds, or ISO 8601 (UTC without a zone) as aware UTC."""
    if text == "now":
        return now
    try:
        if match := _SPAN.fullmatch(text):
            seconds = int(match[2]) * _UNITS[match[3]]
            return now + timedelta(seconds=seconds if match[1] == "+" else -seconds)
        if text.isascii() and text.isdigit() and len(text) > 8:
            return datetime.fromtimestamp(int(text), UTC)
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise fail(
            f"{option} {text!r} is not a time.", "Give 2h (ago), 3d, now, unix seconds or 2026-03-31T12:00:00Z."
        ) from None


def span(text: str, *, option: str) -> timedelta:
    """Return the duration of `90s`, `30m`, `2h`, `3d` or `2w`."""
    match = _SPAN.fullmatch(text)
    if not match or match[1]:
        raise fail(f"{option} {text!r} is not a duration.", "Give one such as 90s, 30m, 72h, 30d or 2w.")
    return timedelta(seconds=int(match[2]) * _UNITS[match[3]])


def format_seconds(seconds: float) -> str:
    """Return a duration such as `42 s`, `7 min`, `3 h` or `12 d`."""
    for size, unit in ((2 * 86400, "d"), (2 * 3600, "h"), (2 * 60, "min")):
        if seconds >= size:
            return f"{seconds / (size / 2):.0f} {unit}"
    return f"{seconds:.0f} s"
