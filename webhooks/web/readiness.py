"""Readiness: this process may receive webhooks only if the journal can store durably now."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from webhooks.errors import JournalUnavailable
from webhooks.journal.protocol import Store

log: Final = logging.getLogger("webhooks.web.readiness")


class Readiness:
    """Check the journal at most once in `every` seconds, because each check costs a sync.

    A change is logged with its reason, which may hold a path, host or user.
    """

    def __init__(self, journal: Store, *, every: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._checked_at: float | None = None
        self._fault: JournalUnavailable | None = None

    def fault(self) -> JournalUnavailable | None:
        """Return why this process is not ready, or None."""
        with self._lock:
            if self._checked_at is None or self._clock() - self._checked_at >= self._every:
                before = self._fault
                try:
                    self._journal.check()
                    self._fault = None
                except JournalUnavailable as error:
                    self._fault = error
                self._checked_at = self._clock()
                _log_change(before, self._fault)
            return self._fault


def _log_change(before: JournalUnavailable | None, after: JournalUnavailable | None) -> None:
    if after is not None and (before is None or before.message != after.message):
        log.error("not ready", extra={"reason": after.message, "hint": after.hint})
    elif after is None and before is not None:
        log.info("ready again")
