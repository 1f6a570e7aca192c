"""What is done with each refusal of a delivery: one line in the log, a count by cause, and when it last happened.

A delivery that is refused although it is rightly signed is an event that is being lost: it is counted by itself, and
`segue alerts` shows it. Only what the provider sends again by itself until it is accepted is not.
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
MOST_LINES: Final = 20
WINDOW: Final = 60.0
"""Seconds in which so many lines are written of each endpoint and cause; then how many were left out."""
_LOSES: Final = frozenset({Signature.RIGHT, Signature.NOT_CHECKED})
_SENT_AGAIN: Final = frozenset(
    {"journal_unavailable", "certificate_unavailable", "not_configured", "too_slow", "cut_short", "replayed"}
)


@dataclass(slots=True)
class _Window:
    """The lines written of one endpoint and cause since `began`, and what was left out."""

    began: float
    lines: int = 0
    left_out: int = 0


class Refusals:
    """One for each process. `sources` names each endpoint's source. Safe to share between threads."""

    def __init__(
        self, meter: Meter, sources: Mapping[str, str] | None = None, *, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._meter = meter
        self._sources = sources or {}
        self._tick = tick
        self._windows: dict[tuple[str, str], _Window] = {}
        self._lock = threading.Lock()

    def count(self, endpoint: str, rejected: Rejected, *, now: datetime) -> None:
        """Count one. `endpoint` is a name that is configured or installed, or `unknown`."""
        error = rejected.error
        self._meter.rejected.labels(endpoint, error).inc()
        self._meter.last_rejected.labels(endpoint, error).set(now.timestamp())
        if loses_an_event(rejected):
            self._meter.signed_rejected.labels(endpoint, error, rejected.signature).inc()
            self._meter.last_signed_rejected.labels(endpoint, error, rejected.signature).set(now.timestamp())

    def record(self, endpoint: str, rejected: Rejected, *, method: str, now: datetime) -> None:
        """Count one and log it, unless too many of its kind were logged in this minute."""
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
            shown = window.lines < MOST_LINES
            window.lines += shown
            window.left_out += not shown
        _summarise(endpoint, error, ended)
        if shown:
            log.warning("rejected", extra=fields)

    def flush(self, *, at_end: bool = False) -> None:
        """Write how many lines were left out of the windows that are over; of all, at the process's end."""
        with self._lock:
            ended = [(key, self._ended(key, at_end=at_end)) for key in list(self._windows)]
        for (endpoint, error), left_out in ended:
            _summarise(endpoint, error, left_out)

    def _ended(self, key: tuple[str, str], *, at_end: bool = False) -> int:
        """End the window if its time is over; how many lines were left out of it."""
        window = self._windows.get(key)
        if window is None or (self._tick() - window.began < WINDOW and not at_end):
            return 0
        del self._windows[key]
        return window.left_out


def loses_an_event(rejected: Rejected) -> bool:
    """Whether an event is lost by it: rightly signed, as far as could be checked, and not sent again by itself."""
    return rejected.signature in _LOSES and rejected.error not in _SENT_AGAIN


def _summarise(endpoint: str, error: str, left_out: int) -> None:
    if left_out:
        fields = {"endpoint": endpoint, "error": error, "left_out": left_out, "seconds": WINDOW}
        log.warning("more were rejected", extra=fields)
