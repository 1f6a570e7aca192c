"""A circuit breaker for one write key. It also handles a server's Retry-After, and a key that Segment refuses.

closed ──5 failures in a row──▶ open ──wait──▶ one small probe ──accepted──▶ closed
   │ └──Retry-After──▶ paused ──wait──▶ closed          └──failed──▶ open, for longer
   └──401, 403 and similar──▶ held ──60 s──▶ one small probe
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from webhooks.segment.retries import BASE, RetryReason, backoff

THRESHOLD: Final = 5
"""Failures in a row that open the breaker."""
HOLD: Final = 60.0
"""Seconds between probes of a held write key."""
PROBING: Final = 0.25
"""Seconds to wait while another thread's probe is in progress."""


class Admission(StrEnum):
    """What may be sent now."""

    ALL = "all"
    PROBE = "probe"
    NONE = "none"


class BreakerState(StrEnum):
    """The state of the breaker."""

    CLOSED = "closed"
    PAUSED = "paused"
    OPEN = "open"
    HELD = "held"


class Breaker:
    """Safe to share between threads. After `PROBE`, report the outcome or call `release`. `tick` is monotonic."""

    def __init__(
        self, *, tick: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        self._tick = tick
        self._chance = chance
        self._lock = threading.Lock()
        self._until = 0.0
        self._failures = 0
        self._failing_since = 0.0
        self._probing = False
        self.state = BreakerState.CLOSED
        self.reason = ""
        self.last_failure = ""

    @property
    def failing_for(self) -> float:
        """Return the seconds since the first of the failures in a row; 0 after a success."""
        with self._lock:
            return self._tick() - self._failing_since if self._failures else 0.0

    @property
    def held(self) -> str:
        """Return why the write key is held; empty if it is not."""
        return self.reason if self.state is BreakerState.HELD else ""

    @property
    def retry_reason(self) -> RetryReason:
        """Return the reason to count for events that may not be sent now."""
        reasons = {BreakerState.HELD: RetryReason.HELD, BreakerState.PAUSED: RetryReason.THROTTLED}
        return reasons.get(self.state, RetryReason.OPEN)

    def admit(self) -> Admission:
        """Return what may be sent now. Call it before each batch."""
        with self._lock:
            if self._until > self._tick() or self._probing:
                return Admission.NONE
            if self.state in {BreakerState.CLOSED, BreakerState.PAUSED}:
                self.state = BreakerState.CLOSED
                return Admission.ALL
            self._probing = True
            return Admission.PROBE

    def wait(self) -> float:
        """Return the seconds until `admit` may allow a batch; 0 is now."""
        with self._lock:
            return max(0.0, self._until - self._tick(), PROBING if self._probing else 0.0)

    def succeed(self) -> None:
        """Record that a batch was accepted: close the breaker."""
        with self._lock:
            self._set(BreakerState.CLOSED, 0.0, "")
            self._failures = 0

    def fail(self, reason: str) -> None:
        """Record that the server did not answer, or answered with a failure of its own."""
        with self._lock:
            if not self._failures:
                self._failing_since = self._tick()
            self._failures += 1
            self.last_failure = reason
            if self._failures < THRESHOLD and self.state is not BreakerState.HELD:
                return
            wait = max(BASE, backoff(self._failures - THRESHOLD, self._chance))
            held = self.state is BreakerState.HELD
            self._set(self.state if held else BreakerState.OPEN, self._tick() + wait, self.reason if held else reason)

    def pause(self, seconds: float, reason: str) -> None:
        """Record that the server asked to wait for some seconds."""
        with self._lock:
            closed = self.state in {BreakerState.CLOSED, BreakerState.PAUSED}
            until = max(self._until, self._tick() + seconds)
            self._set(BreakerState.PAUSED if closed else self.state, until, reason if closed else self.reason)

    def hold(self, reason: str) -> None:
        """Record that the server refuses this write key until the configuration is fixed."""
        with self._lock:
            self._set(BreakerState.HELD, self._tick() + HOLD, reason)

    def release(self) -> None:
        """Record that an admitted probe was not sent."""
        with self._lock:
            self._probing = False

    def _set(self, state: BreakerState, until: float, reason: str) -> None:
        self.state, self._until, self.reason, self._probing = state, until, reason, False
