"""A table of what each HTTP status means, and how long to wait before a retry.

accepted  Segment has the messages
retry     Segment may accept them later: wait and send the same bytes again, without a limit
split     Segment refuses these bytes: halve the batch until the message at fault is alone
config    Segment refuses the configuration (key, address, protocol): hold the write key, alert, probe; nothing is lost

Segment documents 400 and 429; the rest follows the rule its client libraries agreed on in 2026:
https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#errors
https://github.com/segmentio/analytics-python/pull/520
https://github.com/segmentio/analytics-react-native/pull/1294
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final


class Meaning(StrEnum):
    """What to do with a batch, by the status of its response."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    SPLIT = "split"
    CONFIG = "config"


class RetryReason(StrEnum):
    """Why an event is sent later, as one word for the metrics."""

    UNREACHABLE = "unreachable"  # no complete response arrived
    SERVER = "server"  # a response of meaning `retry` without Retry-After
    THROTTLED = "throttled"  # a response with Retry-After, or 429
    HELD = "held"  # Segment refuses the write key until the configuration is fixed
    OPEN = "open"  # not sent: the breaker is open, or another request is the probe
    STOPPING = "stopping"  # the worker is shutting down
    CROWDED = "crowded"  # the most batches allowed are already in progress
    NO_ENDPOINT = "no_endpoint"  # its endpoint is no longer configured
    LOCKED = "locked"  # its body is encrypted under a key that is not configured
    FAILED = "failed"  # a bug in Segue


STATUSES: Final[Mapping[int, Meaning]] = {
    400: Meaning.SPLIT,  # bad JSON or too large; Segment does not name the message
    401: Meaning.CONFIG,
    403: Meaning.CONFIG,
    404: Meaning.CONFIG,  # the base URL is wrong
    407: Meaning.CONFIG,  # a proxy requires credentials
    408: Meaning.RETRY,
    410: Meaning.RETRY,
    413: Meaning.SPLIT,
    422: Meaning.SPLIT,
    425: Meaning.RETRY,  # a gateway that asks for the request again
    429: Meaning.RETRY,
    460: Meaning.RETRY,
    501: Meaning.CONFIG,
    505: Meaning.CONFIG,
}
FAMILIES: Final[Mapping[int, Meaning]] = {
    2: Meaning.ACCEPTED,
    3: Meaning.CONFIG,  # never followed: a redirect would carry the write key to another host
    4: Meaning.CONFIG,
    5: Meaning.RETRY,
}
BASE: Final = 0.5
CAP: Final = 60.0
RETRY_AFTER_CAP: Final = 300.0


def meaning(status: int) -> Meaning:
    """Return the meaning of a status: of the exact status, else of its family. An unknown one is `config`: no loss."""
    return STATUSES.get(status) or FAMILIES.get(status // 100, Meaning.CONFIG)


def backoff(attempts: int, chance: Callable[[], float]) -> float:
    """Return the seconds to the next attempt: full jitter, 0.5 s doubled per attempt, 60 s at most. `chance()` < 1."""
    return chance() * min(CAP, BASE * 2.0 ** min(attempts, 16))


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return the seconds that the server asks for, at most 300: by `Retry-After`, else `X-RateLimit-Reset`."""
    for name in ("Retry-After", "X-RateLimit-Reset"):
        seconds = _seconds(headers.get(name, "").strip(), now)
        if seconds is not None and seconds > 0:
            return min(seconds, RETRY_AFTER_CAP)
    return None


def _seconds(value: str, now: datetime) -> float | None:
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
