"""Record each refused delivery: one log line, a counter by cause, and the time of the last one.

If a delivery has a valid signature and is refused, its event is lost. Such refusals have a counter of their own, and
`segue alerts` shows them. Causes that the provider retries until the delivery is accepted are not counted there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from webhooks.errors import Rejected
from webhooks.monitoring.metrics import Meter
from webhooks.signatures import Signature

log: Final = logging.getLogger("webhooks.web.handler")
MAX_LINES: Final = 20
WINDOW: Final = 60.0
"""Seconds in which at most `MAX_LINES` lines are written for each endpoint and cause; the rest is counted."""
_VALID_OR_UNKNOWN: Final = frozenset({Signature.RIGHT, Signature.NOT_CHECKED})
_RETRIED: Final = frozenset(
    {"journal_unavailable", "certificate_unavailable", "not_configured", "too_slow", "cut_short", "replayed"}
)


@dataclass(slots=True)
class _Window:
    """The number of lines written for one endpoint and cause since `began`, and the number left out."""

    began: float
    lines: int = 0
    left_out: int = 0


class Refusals:
    """The refusals of one process. `sources` maps an endpoint's name to its source's. Thread-safe."""

    def __init__(
        self, meter: Meter, sources: Mapping[str, str] | None = None, *, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._meter = meter
        self._sources = sources or {}
        self._tick = tick
        self._windows: dict[tuple[str, str], _Window] = {}
        self._lock = threading.Lock()

    def count(self, endpoint: str, rejected: Rejected, *, now: datetime) -> None:
        """Count a refusal. `endpoint` is the name of a configured endpoint or an installed source, or `unknown`."""
        error = rejected.error
        self._meter.rejected.labels(endpoint, error).inc()
        self._meter.last_rejected.labels(endpoint, error).set(now.timestamp())
        if loses_an_event(rejected):
            self._meter.signed_rejected.labels(endpoint, error, rejected.signature).inc()
            self._meter.last_signed_rejected.labels(endpoint, error, rejected.signature).set(now.timestamp())

    def record(self, endpoint: str, rejected: Rejected, *, method: str, now: datetime) -> None:
        """Count a refusal, and log it unless its endpoint and cause have reached the limit of this minute."""
        error = rejected.error
        self.count(endpoint, rejected, now=now)
        fields = {
            "source": self._sources.get(endpoint, endpoint), "endpoint": endpoint, "method": method,
            "status": rejected.status, "error": error, "reason": rejected.reason,
            "signature": rejected.signature or "not_checked",
            **({"detail": rejected.detail} if rejected.detail else {}),
        }  # fmt: skip
        with self._lock:
            ended = self._ended((endpoint, error))
            window = self._windows.setdefault((endpoint, error), _Window(self._tick()))
            shown = window.lines < MAX_LINES
            window.lines += shown
            window.left_out += not shown
        _summarise(endpoint, error, ended)
        if shown:
            log.warning("rejected", extra=fields)

    def flush(self, *, at_end: bool = False) -> None:
        """Log how many lines were left out of each window that is over; with `at_end`, of every window."""
        with self._lock:
            ended = [(key, self._ended(key, at_end=at_end)) for key in list(self._windows)]
        for (endpoint, error), left_out in ended:
            _summarise(endpoint, error, left_out)

    def _ended(self, key: tuple[str, str], *, at_end: bool = False) -> int:
        """Close the window if its time is over, and return how many lines were left out of it."""
        window = self._windows.get(key)
        if window is None or (self._tick() - window.began < WINDOW and not at_end):
            return 0
        del self._windows[key]
        return window.left_out


def loses_an_event(rejected: Rejected) -> bool:
    """Return whether an event is lost: its signature is valid or was not checked, and the provider does not retry."""
    return rejected.signature in _VALID_OR_UNKNOWN and rejected.error not in _RETRIED


def _summarise(endpoint: str, error: str, left_out: int) -> None:
    if left_out:
        fields = {"endpoint": endpoint, "error": error, "left_out": left_out, "seconds": WINDOW}
        log.warning("more rejections", extra=fields)
