"""A token bucket that limits the messages per second of one write key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Limiter:
    """Allow `rate` messages a second, with a burst of one second's worth; 0 is no limit. `tick` is a monotonic clock.

    Segment asks for at most 1,000 a second per workspace: https://segment.com/docs/connections/rate-limits/
    """

    def __init__(self, rate: float, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._tick = tick
        self._lock = threading.Lock()
        self._tokens = rate
        self._at = tick()

    def reserve(self, count: int) -> float:
        """Reserve `count` messages, on credit if too few are available. Return the seconds to wait before sending."""
        if not self._rate:
            return 0.0
        with self._lock:
            now = self._tick()
            self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate) - count
            self._at = now
            return max(0.0, -self._tokens / self._rate)

    def give_back(self, count: int) -> None:
        """Release a reservation that was not used."""
        with self._lock:
            self._tokens += count
