"""What a worker does besides delivering: prune old events, and write its heartbeat."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from webhooks.journal import Journal, State
from webhooks.settings import RetentionSettings

log: Final = logging.getLogger("webhooks.deliver")
PRUNE_EVERY: Final = 300.0
NOTE_EVERY: Final = 10.0
_LIMIT: Final = 5000


class Housekeeping:
    """`facts` returns the content of the worker's note `worker:<name>`. `tick` is a monotonic clock."""

    def __init__(
        self,
        journal: Journal,
        retention: RetentionSettings,
        *,
        worker: str,
        facts: Callable[[], Mapping[str, Any]],
        clock: Callable[[], datetime],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._ages: dict[State, timedelta] = {
            State.DELIVERED: retention.delivered,
            State.IGNORED: retention.ignored,
            State.UNSUPPORTED: retention.unsupported,
            State.DEAD: retention.dead,
            State.DROPPED: retention.dropped,
        }
        self._name = f"worker:{worker}"
        self._facts = facts
        self._clock = clock
        self._tick = tick
        self._note_at = self._prune_at = tick()

    def run_due(self) -> None:
        """Run the jobs that are due."""
        now = self._tick()
        if now >= self._note_at:
            self._note_at = now + NOTE_EVERY
            self.note()
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            pruned = self._journal.prune(self._ages, now=self._clock(), limit=_LIMIT)
            if pruned:
                log.info("pruned", extra={"events": pruned})
            if pruned >= _LIMIT:
                self._prune_at = now  # there are more: prune again in the next cycle

    def note(self) -> None:
        """Write the worker's heartbeat."""
        self._journal.note(self._name, self._facts(), now=self._clock())
