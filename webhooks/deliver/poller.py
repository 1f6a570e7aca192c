"""The worker's loop: when to claim, how long to pause, what to do after a failure, and how to end."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from webhooks.deliver.context import DeliveryContext
from webhooks.deliver.dispatcher import Dispatcher
from webhooks.deliver.housekeeping import Housekeeping
from webhooks.deliver.leases import LeaseTracker
from webhooks.deliver.signals import WorkerSignals
from webhooks.deliver.write_key_queue import WriteKeyQueues
from webhooks.errors import JournalUnavailable
from webhooks.journal import Claim
from webhooks.segment import RetryReason, backoff
from webhooks.settings import WorkerSettings

log: Final = logging.getLogger("webhooks.deliver")
IDLE: Final = 1.0
"""The most seconds between two polls of an empty journal."""
LINGER: Final = 0.02
"""Seconds from a claim of a few events to the next, so that the events that arrive meanwhile share a batch."""
LONGEST_LINGER: Final = 0.1
"""The same after a claim that was nearly full: under load, batches stay full."""
FAILURE_PAUSE: Final = 10.0
"""The most seconds to pause after failures in a row."""


@dataclass(slots=True, kw_only=True)
class Poller:
    """Claim events and hand them to the dispatcher. `failures` is the number of failed cycles in a row."""

    context: DeliveryContext
    settings: WorkerSettings
    signals: WorkerSignals
    leases: LeaseTracker
    queues: WriteKeyQueues
    dispatcher: Dispatcher
    housekeeping: Housekeeping
    failures: int = field(default=0, init=False)

    def run(self) -> None:
        """Deliver until `stop` is set. Then finish open batches within the grace period, and release the rest."""
        stop = self.signals.stop
        pause = poll = self.settings.poll.total_seconds()
        unwatch = self.context.journal.watch(self.signals.wake)
        with self.leases.renewing():
            while not stop.is_set():
                self.signals.clear()
                claimed = self._cycle()
                if claimed:
                    pause = poll
                    stop.wait(self.linger(claimed))
                else:
                    if not stop.is_set():  # after `clear`, so that no call of `wake` is missed
                        self.signals.wait(max(pause, self.failure_pause()))
                    pause = min(max(pause * 2, poll), max(poll, IDLE))
            self._wind_down()
        unwatch()

    def run_once(self) -> int:
        """Claim once, deliver and settle. Return the number of events claimed. Errors of the journal are raised."""
        with self.leases.renewing():
            claimed = self.claim_and_dispatch()
            self.finish(None)
            self.leases.flush()
        return claimed

    def claim_and_dispatch(self) -> int:
        """Claim events and dispatch them, if any write key can send. Return the number of events claimed."""
        self.signals.needs_capacity = True  # before the check: a batch that ends after it must not go unnoticed
        if not self.dispatcher.can_send:
            return 0
        self.signals.needs_capacity = False
        claims = self.leases.claim(self.settings.batch)
        try:
            self.dispatcher.dispatch(claims)
        except Exception as error:
            self._release(claims, error)
            raise
        return len(claims)

    def finish(self, deadline: float | None) -> None:
        """Wait until no batch is in progress, or until the deadline."""
        self.signals.needs_capacity = True
        while self.queues.busy:
            if deadline is not None and time.monotonic() >= deadline:
                return
            self.signals.wait(0.05)
            self.signals.clear()

    def linger(self, claimed: int) -> float:
        """Return the seconds from a claim to the next one: none after a full batch, since more may be waiting."""
        filled = claimed / self.settings.batch
        return LINGER + (LONGEST_LINGER - LINGER) * filled if filled < 1 else 0.0

    def failure_pause(self) -> float:
        """Return the seconds to pause after failures in a row."""
        return max(0.1, min(FAILURE_PAUSE, backoff(self.failures, self.context.chance))) if self.failures else 0.0

    def _cycle(self) -> int:
        """Run one cycle, which survives every error. Return the number of events claimed."""
        try:
            self.leases.flush()
            self.housekeeping.run_due()
            claimed = self.claim_and_dispatch()
        except JournalUnavailable as error:
            self.failures += 1
            log.error("the journal is unavailable", extra={"reason": error.message, "hint": error.hint})
            return 0
        except Exception:
            self.failures += 1
            log.exception("a cycle failed")
            return 0
        self.failures = 0
        return claimed

    def _release(self, claims: list[Claim], error: Exception) -> None:
        """Return the claims that were neither settled nor lost to the journal, after a bug in the dispatch."""
        unsettled = [claim for claim in claims if self.leases.is_open(claim)]
        for claim in unsettled:
            self.context.count_retry(claim, RetryReason.FAILED)
        delay = timedelta(seconds=max(1.0, backoff(self.failures, self.context.chance)))
        self.leases.release(unsettled, f"the worker failed: {error!r}", delay=delay, attempt=True)

    def _wind_down(self) -> None:
        grace = self.settings.grace.total_seconds()
        self.finish(time.monotonic() + max(0.0, grace - min(2.0, grace / 5)))
        try:
            self.leases.release_all("the worker shut down")
            self.housekeeping.write_heartbeat()
        except Exception as error:  # noqa: BLE001 - the leases expire by themselves
            log.warning("not every event was released; the leases will expire", extra={"reason": repr(error)})
        self.queues.close()
