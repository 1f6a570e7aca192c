"""Whether this process may be sent webhooks: the journal must be able to store durably now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from webhooks.errors import JournalUnavailable
from webhooks.journal import Journal


class Readiness:
    """Asks the journal at most once in `every` seconds, however often it is asked itself: each proof costs a sync."""

    def __init__(self, journal: Journal, *, every: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: float | None = None
        self._fault: JournalUnavailable | None = None

    def fault(self) -> JournalUnavailable | None:
        """Why not, or None."""
        with self._lock:
            if self._asked is None or self._clock() - self._asked >= self._every:
                try:
                    self._journal.check()
                    self._fault = None
                except JournalUnavailable as error:
                    self._fault = error
                self._asked = self._clock()
            return self._fault
