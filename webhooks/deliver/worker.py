"""The worker: claim, translate, deliver, settle. An event is pending until it is settled, whatever happens."""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from webhooks.deliver.held_keys import WriteKeyStatus
from webhooks.deliver.housekeeping import Housekeeping
from webhooks.deliver.in_flight import InFlightEvent, InFlightMessage
from webhooks.deliver.leases import LeaseTracker
from webhooks.deliver.prepare import prepare
from webhooks.deliver.write_key_queue import Batch, WriteKeyQueue
from webhooks.errors import JournalUnavailable
from webhooks.journal import Claim, Journal, Settlement, State
from webhooks.monitoring.metrics import Meter
from webhooks.monitoring.tracing import Tracer
from webhooks.segment import AcceptedMessage, Client, Clients, Postponed, RefusedMessage, RetryReason, backoff, cut
from webhooks.settings import RetentionSettings, WorkerSettings
from webhooks.sources.endpoints import Endpoint

log: Final = logging.getLogger("webhooks.deliver")
IDLE: Final = 1.0
"""The most seconds between two polls of an empty journal."""
FAILURE_PAUSE: Final = 10.0
"""The most seconds to pause after failures in a row."""
NO_ENDPOINT: Final = timedelta(minutes=5)
LOCKED: Final = timedelta(minutes=5)
CROWDED: Final = timedelta(seconds=1)


class Worker:
    """One worker; several may share a journal. `clock` gives aware UTC."""

    def __init__(
        self,
        journal: Journal,
        endpoints: Mapping[str, Endpoint],
        clients: Clients,
        settings: WorkerSettings,
        *,
        namespace: str,
        retention: RetentionSettings | None = None,
        name: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
        meter: Meter | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self._journal = journal
        self._endpoints = endpoints
        self._clients = clients
        self._settings = settings
        self._namespace = namespace
        self._clock = clock
        self._chance = chance
        self._meter = meter or Meter()
        self._tracer = tracer or Tracer()
        self._leases = LeaseTracker(journal, worker=self.name, lease=settings.lease, clock=clock, meter=self._meter)
        self._housekeeping = Housekeeping(
            journal, retention or RetentionSettings(), worker=self.name, facts=self._facts, clock=clock
        )
        self._queues: dict[str, WriteKeyQueue] = {}
        self._key_status = WriteKeyStatus(journal, worker=self.name, clock=clock)
        self._unknown: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._started_at = clock()
        self._failures = 0
        self._crowded = False

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the events by outcome since the worker started."""
        return dict(self._leases.counts)

    def wake(self) -> None:
        """Poll the journal now: an event was appended, or `stop` was set."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set. Then finish open batches within the grace period, and release the rest."""
        self._stop = stop
        log.info("worker started", extra={"worker": self.name})
        pause = poll = self._settings.poll.total_seconds()
        unwatch = self._journal.watch(self.wake)
        with self._leases.renewing():
            while not stop.is_set():
                self._wake.clear()
                claimed = self._cycle()
                if claimed:
                    pause = poll
                if claimed < self._settings.batch:
                    self._pause(max(pause, self._failure_pause()))
                    pause = min(max(pause * 2, poll), max(poll, IDLE))
            self._wind_down()
        unwatch()
        log.info("worker stopped", extra={"worker": self.name, **self.counts})

    def run_once(self) -> int:
        """Claim once, deliver and settle. Return the number of events claimed. Errors of the journal are raised."""
        with self._leases.renewing():
            claimed = self._claim_and_dispatch()
            self._finish(None)
            self._leases.flush()
        return claimed

    def close(self) -> None:
        """End the sending threads."""
        for queue in self._queues.values():
            queue.close()
        self._queues.clear()

    def _cycle(self) -> int:
        """Run one cycle, which survives every error. Return the number of events claimed."""
        try:
            self._leases.flush()
            self._housekeeping.run_due()
            claimed = self._claim_and_dispatch()
        except JournalUnavailable as error:
            self._failures += 1
            log.error("the journal is unavailable", extra={"reason": error.message, "hint": error.hint})
            return 0
        except Exception:
            self._failures += 1
            log.exception("a cycle failed")
            return 0
        self._failures = 0
        return claimed

    def _failure_pause(self) -> float:
        """Return the seconds to pause after failures in a row."""
        return max(0.1, min(FAILURE_PAUSE, backoff(self._failures, self._chance))) if self._failures else 0.0

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            if self._wake.wait(min(left, 0.25)):
                return

    def _claim_and_dispatch(self) -> int:
        self._crowded = not self._open_for_work()
        if self._crowded:
            return 0
        claims = self._leases.claim(self._settings.batch)
        try:
            self._dispatch(claims)
        except Exception as error:
            unsettled = [claim for claim in claims if self._leases.is_open(claim)]
            for claim in unsettled:
                self._count_retry(claim, RetryReason.FAILED)
            self._leases.release(
                unsettled,
                f"the worker failed: {error!r}",
                delay=timedelta(seconds=max(1.0, backoff(self._failures, self._chance))),
                attempt=True,
            )
            raise
        return len(claims)

    def _open_for_work(self) -> bool:
        """Return whether at least one write key can send now."""
        keys = {endpoint.write_key for endpoint in self._endpoints.values()} or {""}
        queues = [self._queue(key) for key in keys]
        return any(queue.has_capacity and not queue.client.breaker.wait() for queue in queues)

    def _queue(self, write_key: str) -> WriteKeyQueue:
        client = self._clients.of(write_key)
        if client.fingerprint not in self._queues:
            self._queues[client.fingerprint] = WriteKeyQueue(
                client, self._clients.settings.in_flight, self._send, self._after_batch
            )
        return self._queues[client.fingerprint]

    def _dispatch(self, claims: list[Claim]) -> None:
        settled: list[Settlement] = []
        outgoing: dict[str, list[InFlightMessage]] = {}
        for claim in claims:
            if claim.locked:
                settled.append(self._without_key(claim))
                continue
            endpoint = self._endpoints.get(claim.event.source)
            if endpoint is None:
                settled.append(self._without_endpoint(claim))
                continue
            queue = self._queue(endpoint.write_key)
            settlement = self._blocked(claim, queue) or self._prepare(
                claim, endpoint, outgoing.setdefault(queue.client.fingerprint, [])
            )
            if settlement:
                settled.append(settlement)
        self._leases.settle(settled)
        for key, messages in outgoing.items():
            for batch in cut(messages):
                self._queues[key].put(batch)

    def _without_key(self, claim: Claim) -> Settlement:
        if claim.locked not in self._unknown:
            self._unknown.add(claim.locked)
            log.error(
                "events wait for their encryption key", extra={"endpoint": claim.event.source, "reason": claim.locked}
            )
        return self._postpone(claim, claim.locked, LOCKED, RetryReason.LOCKED)

    def _without_endpoint(self, claim: Claim) -> Settlement:
        name = claim.event.source
        if name not in self._unknown:
            self._unknown.add(name)
            log.warning("events wait for an endpoint that is not configured", extra={"endpoint": name})
        reason = f"no endpoint {name!r} is configured: configure it again to deliver the event"
        return self._postpone(claim, reason, NO_ENDPOINT, RetryReason.NO_ENDPOINT)

    def _blocked(self, claim: Claim, queue: WriteKeyQueue) -> Settlement | None:
        wait = queue.client.breaker.wait()
        if wait:
            breaker = queue.client.breaker
            return self._postpone(claim, breaker.reason, timedelta(seconds=wait), breaker.retry_reason)
        if queue.has_capacity:
            return None
        return self._postpone(claim, "the most batches allowed are already in progress", CROWDED, RetryReason.CROWDED)

    def _postpone(self, claim: Claim, reason: str, delay: timedelta, retry_reason: RetryReason) -> Settlement:
        self._count_retry(claim, retry_reason)
        due_at = self._clock() + delay
        return Settlement(claim=claim, state=State.PENDING, reason=reason, due_at=due_at, attempt=False)

    def _count_retry(self, claim: Claim, retry_reason: RetryReason) -> None:
        self._meter.retried.labels(claim.event.source, retry_reason.value).inc()

    def _prepare(self, claim: Claim, endpoint: Endpoint, messages: list[InFlightMessage]) -> Settlement | None:
        """Translate an event and add its messages to `messages`. Return the settlement if there is nothing to send."""
        with self._tracer.translate(claim.event) as span:
            prepared = prepare(
                claim.event, endpoint, namespace=self._namespace, replay_generation=claim.replay_generation
            )
            outcome = type(prepared.outcome).__name__.lower()
            span.set_attributes({"segue.outcome": outcome, "segue.messages": len(prepared.messages)})
            if prepared.state is State.DEAD:
                span.fail(outcome)
        self._meter.translated.labels(claim.event.source, outcome).inc()
        if prepared.state is not State.PENDING:
            return Settlement(claim=claim, state=prepared.state, reason=prepared.reason)
        in_flight = InFlightEvent(claim, unfinished=len(prepared.messages))
        for message_id, fault in prepared.refused:
            in_flight.record(message_id, RefusedMessage(fault))
        messages.extend(InFlightMessage(in_flight, message) for message in prepared.messages)
        return None

    def _send(self, client: Client, batch: Batch) -> None:
        """Send a batch, and settle the events whose messages are all finished. Runs in a queue's thread."""
        active = [item for item in batch if self._leases.is_open(item.in_flight.claim)]
        if not active:
            return
        began = time.time_ns()
        with self._tracer.deliver(item.in_flight.claim.event for item in active) as span:
            results = self._results(client, active)
            span.set_attributes({"segue.messages": len(active), "segue.write_key": client.fingerprint})
        self._log_failures(client, results)
        now = self._clock()
        done: list[InFlightEvent] = []
        chance = self._chance()
        with self._lock:
            for item, result in zip(active, results, strict=True):
                item.in_flight.record(item.message.id, result)
                item.in_flight.unfinished -= 1
                if not item.in_flight.unfinished:
                    done.append(item.in_flight)
        settled = [in_flight.settlement(now, lambda: chance) for in_flight in done]
        for in_flight, settlement in zip(done, settled, strict=True):
            if in_flight.postponed:
                self._count_retry(in_flight.claim, in_flight.postponed[0].retry_reason)
            self._tracer.settle(in_flight.claim.event, settlement.state.value, began=began, batch=span)
        self._leases.settle(settled)
        self._key_status.report(client)

    def _results(self, client: Client, active: Batch) -> Sequence[AcceptedMessage | RefusedMessage | Postponed]:
        """Send a batch and return the result of each message. Never raise."""
        self._meter.batch.observe(len(active))
        retries = max(item.in_flight.claim.attempts for item in active)
        try:
            return client.send([item.message for item in active], retries=retries, stop=self._stop)
        except Exception as error:
            log.exception("a batch failed", extra={"write_key": client.fingerprint})
            return [Postponed(f"the worker failed: {error!r}")] * len(active)

    def _log_failures(self, client: Client, results: Sequence[AcceptedMessage | RefusedMessage | Postponed]) -> None:
        """Log one line for each kind of failure in a batch. The breaker keeps these lines few."""
        postponed = [result.reason for result in results if isinstance(result, Postponed) and result.counted]
        refused = [result.reason for result in results if isinstance(result, RefusedMessage)]
        for message, reasons in (("postponed, nothing is lost", postponed), ("refused, kept as dead letters", refused)):
            if reasons:
                fields = {"write_key": client.fingerprint, "messages": len(reasons), "reason": reasons[0][:300]}
                log.warning(message, extra=fields)

    def _after_batch(self) -> None:
        """Wake the worker if it waits for capacity. Runs in a queue's thread."""
        if self._crowded:
            self._wake.set()

    def _finish(self, deadline: float | None) -> None:
        """Wait until no batch is in progress, or until the deadline."""
        self._crowded = True
        while any(queue.busy for queue in self._queues.values()):
            if deadline is not None and time.monotonic() >= deadline:
                return
            self._wake.wait(0.05)
            self._wake.clear()

    def _wind_down(self) -> None:
        grace = self._settings.grace.total_seconds()
        self._finish(time.monotonic() + max(0.0, grace - min(2.0, grace / 5)))
        try:
            self._leases.release_all("the worker shut down")
            self._housekeeping.note()
        except Exception as error:  # noqa: BLE001 - the leases expire by themselves
            log.warning("not every event was released; the leases will expire", extra={"reason": repr(error)})
        self.close()

    def _facts(self) -> dict[str, Any]:
        return {
            **self.counts,
            "began_at": self._started_at.isoformat(),
            "open": len(self._leases),
            "batches": sum(queue.busy for queue in self._queues.values()),
            "keys": {name: queue.client.breaker.state.value for name, queue in self._queues.items()},
            "failing": {
                name: {"seconds": round(seconds, 1), "reason": queue.client.breaker.last_failure}
                for name, queue in self._queues.items()
                if (seconds := queue.client.breaker.failing_for)
            },
        }
