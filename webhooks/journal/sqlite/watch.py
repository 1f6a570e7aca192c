"""Notice events that another process has stored in a SQLite file, which sends no notifications."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from webhooks.errors import JournalError

log: Final = logging.getLogger("webhooks.journal")
INTERVAL: Final = 0.005
"""Seconds between two looks. One takes 17 microseconds; an idle worker uses 1 % of a core in all."""
UNAVAILABLE: Final = 1.0
"""Seconds until the next look at a journal that cannot be read."""


class AppendWatch:
    """A thread that calls `wake` whenever the last assigned seq has changed.

    `end` returns that seq. Settling changes the file too, but not the seq, so a worker's own writes do not wake it.
    """

    def __init__(self, end: Callable[[], str], wake: Callable[[], None]) -> None:
        self._end = end
        self._wake = wake
        self._last = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def look(self) -> float:
        """Wake the worker if events were stored since the last call; return the seconds until the next one."""
        try:
            end = self._end()
        except JournalError as error:
            log.debug("not watched: the journal is unavailable", extra={"reason": error.message})
            return UNAVAILABLE
        if end != self._last:
            self._last = end
            self._wake()
        return INTERVAL

    def _run(self) -> None:
        while not self._stop.wait(self.look()):
            pass
