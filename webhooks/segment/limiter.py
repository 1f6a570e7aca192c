"""A token bucket: so many messages a second, over one write key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Limiter:
    """`rate` messages a second, with one second's worth in store; 0 is no limit. `tick` is a monotonic clock.

    Segment asks for no more than 1,000 a second and workspace: https://segment.com/docs/connections/rate-limits/
    """

    def __init__(self, rate: float, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._tick = tick
        self._lock = threading.Lock()
        self._tokens = rate
        self._at = tick()

    def reserve(self, count: int) -> float:
        """Take `count`, on credit where there are too few; returns the seconds to wait before sending them."""
        if not self._rate:
            return 0.0
        with self._lock:
            now = self._tick()
            self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate) - count
            self._at = now
            return max(0.0, -self._tokens / self._rate)

    def give_back(self, count: int) -> None:
        """Return what was reserved and not sent."""
        with self._lock:
            self._tokens += count
