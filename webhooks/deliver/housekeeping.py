"""What a worker does besides delivering: prune old events, and write its heartbeat."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from webhooks.deliver.context import DeliveryContext
from webhooks.deliver.leases import LeaseTracker
from webhooks.deliver.write_key_queue import WriteKeyQueues
from webhooks.journal import State
from webhooks.journal.notes import WORKERS, Heartbeat
from webhooks.settings import RetentionSettings

log: Final = logging.getLogger("webhooks.deliver")
PRUNE_EVERY: Final = 300.0
HEARTBEAT_EVERY: Final = 10.0
_LIMIT: Final = 5000


class Housekeeping:
    """The jobs of one worker. `tick` is a monotonic clock."""

    def __init__(
        self,
        context: DeliveryContext,
        retention: RetentionSettings,
        *,
        leases: LeaseTracker,
        queues: WriteKeyQueues,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._leases = leases
        self._queues = queues
        self._ages: dict[State, timedelta] = {
            State.DELIVERED: retention.delivered,
            State.IGNORED: retention.ignored,
            State.UNSUPPORTED: retention.unsupported,
            State.DEAD: retention.dead,
            State.DROPPED: retention.dropped,
        }
        self._started_at = context.clock()
        self._tick = tick
        self._heartbeat_at = self._prune_at = tick()

    def run_due(self) -> None:
        """Run the jobs that are due."""
        now = self._tick()
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + HEARTBEAT_EVERY
            self.write_heartbeat()
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            pruned = self._context.journal.prune(self._ages, now=self._context.clock(), limit=_LIMIT)
            if pruned:
                log.info("pruned", extra={"events": pruned})
            if pruned >= _LIMIT:
                self._prune_at = now  # there are more: prune again in the next cycle

    def write_heartbeat(self) -> None:
        """Write the worker's note."""
        note = WORKERS.of(self._context.worker)
        note.write(self._context.journal, self.heartbeat(), now=self._context.clock())

    def heartbeat(self) -> Heartbeat:
        """Return the content of the note: events by outcome, open claims and batches, and the write keys."""
        return Heartbeat(
            **self._leases.counts,
            began_at=self._started_at.isoformat(),
            open=len(self._leases),
            batches=self._queues.busy,
            keys=self._queues.states(),
            failing=self._queues.failures(),
        )
