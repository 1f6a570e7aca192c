"""The worker: claim, translate, deliver, settle. Whatever happens to it, an event is pending until it is settled."""

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
"""Seconds between looks at an empty journal, at most."""
SETBACK: Final = 10.0
"""Seconds to rest after failures in a row, at most."""
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
        self._ledger = LeaseTracker(journal, worker=self.name, lease=settings.lease, clock=clock, meter=self._meter)
        self._housekeeping = Housekeeping(
            journal, retention or RetentionSettings(), worker=self.name, facts=self._facts, clock=clock
        )
        self._lanes: dict[str, WriteKeyQueue] = {}
        self._holds = WriteKeyStatus(journal, worker=self.name, clock=clock)
        self._unknown: set[str] = set()
        self._lock = threading.Lock()
        self._nudge = threading.Event()
        self._stop = threading.Event()
        self._began = clock()
        self._failures = 0
        self._crowded = False

    @property
    def counts(self) -> Mapping[str, int]:
        """Events by what became of them since the worker began."""
        return dict(self._ledger.counts)

    def wake(self) -> None:
        """Look at the journal now: something was appended, or `stop` was set."""
        self._nudge.set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; then finish what is under way within the grace, and hand back the rest."""
        self._stop = stop
        log.info("worker started", extra={"worker": self.name})
        pause = poll = self._settings.poll.total_seconds()
        unwatch = self._journal.watch(self.wake)
        with self._ledger.beating():
            while not stop.is_set():
                self._nudge.clear()
                claimed = self._cycle()
                if claimed:
                    pause = poll
                if claimed < self._settings.batch:
                    self._rest(max(pause, self._setback()))
                    pause = min(max(pause * 2, poll), max(poll, IDLE))
            self._wind_down()
        unwatch()
        log.info("worker stopped", extra={"worker": self.name, **self.counts})

    def run_once(self) -> int:
        """Claim once, deliver and settle; returns how many events were claimed. Errors of the journal are raised."""
        with self._ledger.beating():
            claimed = self._turn()
            self._finish(None)
            self._ledger.flush()
        return claimed

    def close(self) -> None:
        """End the threads that send."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()

    def _cycle(self) -> int:
        """One turn of `run`, which survives everything. Returns how many events were claimed."""
        try:
            self._ledger.flush()
            self._housekeeping.tend()
            claimed = self._turn()
        except JournalUnavailable as error:
            self._failures += 1
            log.error("the journal is away", extra={"reason": error.message, "hint": error.hint})
            return 0
        except Exception:
            self._failures += 1
            log.exception("a cycle failed")
            return 0
        self._failures = 0
        return claimed

    def _setback(self) -> float:
        """Seconds to rest after failures in a row."""
        return max(0.1, min(SETBACK, backoff(self._failures, self._chance))) if self._failures else 0.0

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            if self._nudge.wait(min(left, 0.25)):
                return

    def _turn(self) -> int:
        self._crowded = not self._open_for_work()
        if self._crowded:
            return 0
        claims = self._ledger.take(self._settings.batch)
        try:
            self._dispatch(claims)
        except Exception as error:
            held = [claim for claim in claims if self._ledger.holds(claim)]
            for claim in held:
                self._put_off(claim, RetryReason.FAILED)
            self._ledger.give_back(
                held,
                f"the worker failed: {error!r}",
                delay=timedelta(seconds=max(1.0, backoff(self._failures, self._chance))),
                attempt=True,
            )
            raise
        return len(claims)

    def _open_for_work(self) -> bool:
        """Whether some write key could send what would be claimed."""
        keys = {endpoint.write_key for endpoint in self._endpoints.values()} or {""}
        lanes = [self._lane(key) for key in keys]
        return any(lane.has_room and not lane.client.breaker.wait() for lane in lanes)

    def _lane(self, write_key: str) -> WriteKeyQueue:
        client = self._clients.of(write_key)
        if client.fingerprint not in self._lanes:
            self._lanes[client.fingerprint] = WriteKeyQueue(
                client, self._clients.settings.in_flight, self._send, self._sent
            )
        return self._lanes[client.fingerprint]

    def _dispatch(self, claims: list[Claim]) -> None:
        settled: list[Settlement] = []
        loads: dict[str, list[InFlightMessage]] = {}
        for claim in claims:
            if claim.locked:
                settled.append(self._without_key(claim))
                continue
            endpoint = self._endpoints.get(claim.event.source)
            if endpoint is None:
                settled.append(self._without_endpoint(claim))
                continue
            lane = self._lane(endpoint.write_key)
            settlement = self._blocked(claim, lane) or self._prepare(
                claim, endpoint, loads.setdefault(lane.client.fingerprint, [])
            )
            if settlement:
                settled.append(settlement)
        self._ledger.settle(settled)
        for key, load in loads.items():
            for batch in cut(load):
                self._lanes[key].put(batch)

    def _without_key(self, claim: Claim) -> Settlement:
        if claim.locked not in self._unknown:
            self._unknown.add(claim.locked)
            log.error("events wait for their key", extra={"endpoint": claim.event.source, "reason": claim.locked})
        return self._later(claim, claim.locked, LOCKED, RetryReason.LOCKED)

    def _without_endpoint(self, claim: Claim) -> Settlement:
        name = claim.event.source
        if name not in self._unknown:
            self._unknown.add(name)
            log.warning("events wait for an endpoint that is not configured", extra={"endpoint": name})
        reason = f"no endpoint {name!r} is configured: configure it again, and the event is delivered"
        return self._later(claim, reason, NO_ENDPOINT, RetryReason.NO_ENDPOINT)

    def _blocked(self, claim: Claim, lane: WriteKeyQueue) -> Settlement | None:
        wait = lane.client.breaker.wait()
        if wait:
            breaker = lane.client.breaker
            return self._later(claim, breaker.reason, timedelta(seconds=wait), breaker.setback)
        if lane.has_room:
            return None
        return self._later(claim, "many batches are under way", CROWDED, RetryReason.CROWDED)

    def _later(self, claim: Claim, reason: str, delay: timedelta, why: RetryReason) -> Settlement:
        self._put_off(claim, why)
        due_at = self._clock() + delay
        return Settlement(claim=claim, state=State.PENDING, reason=reason, due_at=due_at, attempt=False)

    def _put_off(self, claim: Claim, why: RetryReason) -> None:
        self._meter.retried.labels(claim.event.source, why.value).inc()

    def _prepare(self, claim: Claim, endpoint: Endpoint, load: list[InFlightMessage]) -> Settlement | None:
        """Translate an event and put its messages on the load; the settlement where nothing is to be sent."""
        with self._tracer.translate(claim.event) as span:
            prepared = prepare(claim.event, endpoint, namespace=self._namespace, edition=claim.edition)
            outcome = type(prepared.outcome).__name__.lower()
            span.tell({"segue.outcome": outcome, "segue.messages": len(prepared.messages)})
            if prepared.state is State.DEAD:
                span.fail(outcome)
        self._meter.translated.labels(claim.event.source, outcome).inc()
        if prepared.state is not State.PENDING:
            return Settlement(claim=claim, state=prepared.state, reason=prepared.reason)
        parcel = InFlightEvent(claim, out=len(prepared.messages))
        for message_id, fault in prepared.refused:
            parcel.note(message_id, RefusedMessage(fault))
        load.extend(InFlightMessage(parcel, message) for message in prepared.messages)
        return None

    def _send(self, client: Client, batch: Batch) -> None:
        """In a lane's thread: send a batch, and settle the events that have no message out any more."""
        mine = [item for item in batch if self._ledger.holds(item.parcel.claim)]
        if not mine:
            return
        began = time.time_ns()
        with self._tracer.deliver(item.parcel.claim.event for item in mine) as span:
            results = self._results(client, mine)
            span.tell({"segue.messages": len(mine), "segue.write_key": client.fingerprint})
        self._tell(client, results)
        now = self._clock()
        done: list[InFlightEvent] = []
        chance = self._chance()
        with self._lock:
            for item, result in zip(mine, results, strict=True):
                item.parcel.note(item.message.id, result)
                item.parcel.out -= 1
                if not item.parcel.out:
                    done.append(item.parcel)
        settled = [parcel.settlement(now, lambda: chance) for parcel in done]
        for parcel, settlement in zip(done, settled, strict=True):
            if parcel.later:
                self._put_off(parcel.claim, parcel.later[0].why)
            self._tracer.settle(parcel.claim.event, settlement.state.value, began=began, batch=span)
        self._ledger.settle(settled)
        self._holds.report(client)

    def _results(self, client: Client, mine: Batch) -> Sequence[AcceptedMessage | RefusedMessage | Postponed]:
        """What became of each message, whatever happens."""
        self._meter.batch.observe(len(mine))
        retries = max(item.parcel.claim.attempts for item in mine)
        try:
            return client.send([item.message for item in mine], retries=retries, stop=self._stop)
        except Exception as error:
            log.exception("a batch failed", extra={"write_key": client.fingerprint})
            return [Postponed(f"the worker failed: {error!r}")] * len(mine)

    def _tell(self, client: Client, results: Sequence[AcceptedMessage | RefusedMessage | Postponed]) -> None:
        """One line for what of a batch went wrong, by kind; the breaker keeps them few."""
        put_off = [result.reason for result in results if isinstance(result, Postponed) and result.counted]
        refused = [result.reason for result in results if isinstance(result, RefusedMessage)]
        for message, reasons in (("put off, nothing is lost", put_off), ("refused, kept as dead letters", refused)):
            if reasons:
                told = {"write_key": client.fingerprint, "messages": len(reasons), "reason": reasons[0][:300]}
                log.warning(message, extra=told)

    def _sent(self) -> None:
        """In a lane's thread: there is room again, and perhaps somebody waits for it."""
        if self._crowded:
            self._nudge.set()

    def _finish(self, deadline: float | None) -> None:
        """Wait until no batch is out, or for the deadline."""
        self._crowded = True
        while any(lane.busy for lane in self._lanes.values()):
            if deadline is not None and time.monotonic() >= deadline:
                return
            self._nudge.wait(0.05)
            self._nudge.clear()

    def _wind_down(self) -> None:
        grace = self._settings.grace.total_seconds()
        self._finish(time.monotonic() + max(0.0, grace - min(2.0, grace / 5)))
        try:
            self._ledger.give_back_all("the worker shut down")
            self._housekeeping.note()
        except Exception as error:  # noqa: BLE001 - the leases run out by themselves
            log.warning("not all was handed back; the leases will run out", extra={"reason": repr(error)})
        self.close()

    def _facts(self) -> dict[str, Any]:
        return {
            **self.counts,
            "began_at": self._began.isoformat(),
            "open": len(self._ledger),
            "batches": sum(lane.busy for lane in self._lanes.values()),
            "keys": {name: lane.client.breaker.state.value for name, lane in self._lanes.items()},
            "failing": {
                name: {"seconds": round(seconds, 1), "reason": lane.client.breaker.last_failure}
                for name, lane in self._lanes.items()
                if (seconds := lane.client.breaker.failing_for)
            },
        }
