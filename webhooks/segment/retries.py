"""What an answer means, as data, and how long to wait.

accepted  Segment has the messages
retry     it may take them later: wait and send the same bytes again, for as long as it needs
split     it refuses these bytes as they are: halve the batch until the message at fault stands alone
config    it refuses us (key, address, protocol): hold the write key, alarm, probe, lose nothing

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
    """What to do with a batch that was answered."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    SPLIT = "split"
    CONFIG = "config"


class RetryReason(StrEnum):
    """Why something is sent later, in one word for counting."""

    UNREACHABLE = "unreachable"  # no whole answer came
    SERVER = "server"  # an answer of class retry that names no time
    THROTTLED = "throttled"  # one that does, or 429
    HELD = "held"  # Segment refuses us until the configuration is mended
    OPEN = "open"  # not sent: the breaker waits, or another request is finding out
    STOPPING = "stopping"  # the worker is shutting down
    CROWDED = "crowded"  # as many batches are under way as may be
    NO_ENDPOINT = "no_endpoint"  # its endpoint is not configured any more
    LOCKED = "locked"  # its body is encrypted under a key that is not configured
    FAILED = "failed"  # a bug of ours


STATUSES: Final[Mapping[int, Meaning]] = {
    400: Meaning.SPLIT,  # bad JSON or too large; which message, Segment does not say
    401: Meaning.CONFIG,
    403: Meaning.CONFIG,
    404: Meaning.CONFIG,  # the base URL is wrong
    407: Meaning.CONFIG,  # a proxy wants credentials
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
    """The exact status first, then its family; what is unknown holds the key, since that loses nothing."""
    return STATUSES.get(status) or FAMILIES.get(status // 100, Meaning.CONFIG)


def backoff(attempts: int, chance: Callable[[], float]) -> float:
    """Seconds until the next try: full jitter under 0.5 s doubled per attempt, 60 s at most. `chance` is in [0, 1)."""
    return chance() * min(CAP, BASE * 2.0 ** min(attempts, 16))


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds that the server asks for, 300 at most: `Retry-After` in either form, else `X-RateLimit-Reset`."""
    for name in ("Retry-After", "X-RateLimit-Reset"):
        seconds = _seconds(headers.get(name, "").strip(), now)
        if seconds is not None and seconds > 0:
            return min(seconds, RETRY_AFTER_CAP)
    return None


def _seconds(value: str, now: datetime) -> float | None:
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
