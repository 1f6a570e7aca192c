"""Send one batch, record the result of each message, and settle the events that are finished."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from webhooks.deliver.context import DeliveryContext
from webhooks.deliver.held_keys import WriteKeyStatus
from webhooks.deliver.in_flight import Batch, InFlightEvent
from webhooks.deliver.leases import LeaseTracker
from webhooks.segment import Client, Postponed, RefusedMessage, Result, backoff

log: Final = logging.getLogger("webhooks.deliver")


class Sender:
    """Safe to share between the threads of all queues. If `stop` is set, a batch that has to wait is not sent."""

    def __init__(self, context: DeliveryContext, leases: LeaseTracker, *, stop: threading.Event) -> None:
        self._context = context
        self._leases = leases
        self._stop = stop
        self._lock = threading.Lock()
        self.key_status: Final = WriteKeyStatus(context)

    def send(self, client: Client, batch: Batch) -> None:
        """Send the messages whose events this worker still holds, and settle the events that are finished.

        After a bug of ours the events return to the journal: a claim that stays open is renewed, and never tried again.
        """
        active = [item for item in batch if self._leases.is_open(item.in_flight.claim)]
        if not active:
            return
        try:
            self._send(client, active)
        except Exception as error:
            log.exception("a batch was not settled", extra={"write_key": client.fingerprint})
            claims = [item.in_flight.claim for item in active if self._leases.is_open(item.in_flight.claim)]
            pause = max([1.0, *(backoff(claim.attempts, self._context.chance) for claim in claims)])
            delay = timedelta(seconds=pause)  # the bug may come again with each batch
            self._leases.release(claims, f"the worker failed: {error!r}", delay=delay, attempt=True)

    def _send(self, client: Client, active: Batch) -> None:
        tracer = self._context.tracer
        began = time.time_ns()
        with tracer.deliver(item.in_flight.claim.event for item in active) as span:
            results = self._results(client, active)
            span.set_attributes({"segue.messages": len(active), "segue.write_key": client.fingerprint})
        _log_failures(client, results)
        now = self._context.clock()
        chance = self._context.chance()
        finished = self._record(active, results)
        settled = [in_flight.settlement(now, lambda: chance) for in_flight in finished]
        for in_flight, settlement in zip(finished, settled, strict=True):
            if in_flight.postponed:
                self._context.count_retry(in_flight.claim, in_flight.postponed[0].retry_reason)
            tracer.settle(in_flight.claim.event, settlement.state.value, began=began, batch=span)
        self._leases.settle(settled)
        self.key_status.report(client)

    def _results(self, client: Client, active: Batch) -> Sequence[Result]:
        """Send a batch and return the result of each message. Never raise."""
        self._context.meter.batch.observe(len(active))
        retries = max(item.in_flight.claim.attempts for item in active)
        try:
            return client.send([item.message for item in active], retries=retries, stop=self._stop)
        except Exception as error:
            log.exception("a batch failed", extra={"write_key": client.fingerprint})
            return [Postponed(f"the worker failed: {error!r}")] * len(active)

    def _record(self, active: Batch, results: Sequence[Result]) -> list[InFlightEvent]:
        """Record the results. Return the events with no unfinished message; another batch may have the rest."""
        finished: list[InFlightEvent] = []
        with self._lock:
            for item, result in zip(active, results, strict=True):
                item.in_flight.record(item.message.id, result)
                item.in_flight.unfinished -= 1
                if not item.in_flight.unfinished:
                    finished.append(item.in_flight)
        return finished


def _log_failures(client: Client, results: Sequence[Result]) -> None:
    """Log one line for each kind of failure in a batch. The breaker keeps these lines few."""
    postponed = [result.reason for result in results if isinstance(result, Postponed) and result.counted]
    refused = [result.reason for result in results if isinstance(result, RefusedMessage)]
    for message, reasons in (("postponed, nothing is lost", postponed), ("refused, kept as dead letters", refused)):
        if reasons:
            fields = {"write_key": client.fingerprint, "messages": len(reasons), "reason": reasons[0][:300]}
            log.warning(message, extra=fields)
