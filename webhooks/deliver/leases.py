"""The claims of this worker: leased, renewed, settled once, and released at the end."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from webhooks.deliver.context import DeliveryContext
from webhooks.errors import JournalUnavailable
from webhooks.journal import Claim, Settlement, State, left_out_by
from webhooks.logs import events

log: Final = logging.getLogger("webhooks.deliver")

WARN_EVERY: Final = timedelta(hours=1)
_Key = tuple[int, str]


def _key(claim: Claim) -> _Key:
    return claim.seq, claim.lease


class LeaseTracker:
    """Safe to share between threads. `counts` has the events by outcome since the worker started."""

    def __init__(self, context: DeliveryContext, *, lease: timedelta) -> None:
        self._journal = context.journal
        self._meter = context.meter
        self._worker = context.worker
        self._clock = context.clock
        self._lease = lease
        self._open: dict[_Key, Claim] = {}
        self._unsettled: dict[_Key, Settlement] = {}
        self._warned: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self.counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def claim(self, limit: int) -> list[Claim]:
        """Claim due events, and return them in order of arrival."""
        claims = self._journal.claim(limit, worker=self._worker, now=self._clock(), lease=self._lease)
        with self._lock:
            self._open.update((_key(claim), claim) for claim in claims)
            self.counts["claimed"] += len(claims)
        return sorted(claims, key=lambda claim: claim.seq)

    def is_open(self, claim: Claim) -> bool:
        """Return whether the claim is still this worker's: not settled, not released, its lease not lost."""
        return _key(claim) in self._open

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """Settle claims. If the journal is unavailable, they are kept, with their leases, for `flush`."""
        with self._lock:
            for settlement in settlements:
                if self.is_open(settlement.claim):
                    self._unsettled.setdefault(_key(settlement.claim), settlement)
        try:
            self.flush()
        except JournalUnavailable as error:
            log.warning("not settled yet: the journal is unavailable", extra={"reason": error.message})

    def flush(self) -> None:
        """Write the settlements that `settle` could not. Raise `JournalUnavailable` if that fails again."""
        with self._flushing:
            with self._lock:
                waiting = list(self._unsettled.values())
            if not waiting:
                return
            now = self._clock()
            settled = self._journal.settle(waiting, now=now)
            with self._lock:
                for settlement in waiting:
                    self._unsettled.pop(_key(settlement.claim), None)
                    self._open.pop(_key(settlement.claim), None)
                    self.counts[_outcome(settlement) if settlement.claim.seq in settled else "lost"] += 1
        self._measure([settlement for settlement in waiting if settlement.claim.seq in settled], now)
        if len(settled) < len(waiting):
            self._meter.lost.inc(len(waiting) - len(settled))
            log.warning(
                "leases were lost before their events were settled", extra={"events": len(waiting) - len(settled)}
            )

    def _measure(self, settled: Sequence[Settlement], now: datetime) -> None:
        logged = events.isEnabledFor(logging.INFO)
        for settlement in settled:
            event = settlement.claim.event
            warn = settlement.state in {State.PENDING, State.DEAD} or self._needs_warning(settlement, now)
            if logged and (settlement.attempt or settlement.state is not State.PENDING):
                _log(settlement, warn=warn)
            elif warn and settlement.state is State.IGNORED:
                _log(settlement, warn=True)
            if settlement.state is State.DELIVERED:
                self._meter.delivered.labels(event.source).inc()
                self._meter.latency.labels(event.source).observe((now - event.received_at).total_seconds())
            elif settlement.state is State.DEAD:
                self._meter.dead.labels(event.source).inc()

    def _needs_warning(self, settlement: Settlement, now: datetime) -> bool:
        """Return whether to warn that a setting leaves an event out. It is true once an hour for each source."""
        if not left_out_by(settlement.state, settlement.reason):
            return False
        source = settlement.claim.event.source
        warned = self._warned.get(source)
        if warned is None or not timedelta() <= now - warned < WARN_EVERY:
            self._warned[source] = now
            return True
        return False

    def renew(self) -> None:
        """Renew every lease. A claim that another worker has by now is dropped without settling it."""
        with self._lock:
            claims = list(self._open.values())
        if not claims:
            return
        renewed = self._journal.renew(claims, now=self._clock(), lease=self._lease)
        lost = [claim for claim in claims if claim.seq not in renewed]
        with self._lock:
            lost = [claim for claim in lost if self._open.pop(_key(claim), None)]  # the others are settled by now
            for claim in lost:
                self._unsettled.pop(_key(claim), None)
            self.counts["lost"] += len(lost)
        if lost:
            self._meter.lost.inc(len(lost))
            log.warning("leases were lost", extra={"events": len(lost)})

    def release(
        self, claims: Sequence[Claim], reason: str, *, delay: timedelta = timedelta(), attempt: bool = False
    ) -> None:
        """Return claims to the journal; they can be claimed again after `delay`."""
        due_at = self._clock() + delay if delay else None
        self.settle(
            Settlement(claim=claim, state=State.PENDING, reason=reason, due_at=due_at, attempt=attempt)
            for claim in claims
        )

    def release_all(self, reason: str) -> None:
        """Return every open claim to the journal."""
        with self._lock:
            claims = list(self._open.values())
        self.release(claims, reason)

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Renew leases in the background, three times in the length of a lease."""
        done = threading.Event()

        def renew_until_done() -> None:
            while not done.wait(self._lease.total_seconds() / 3):
                try:
                    self.renew()
                except Exception as error:  # noqa: BLE001 - the thread must survive any error of a store
                    log.warning("leases not renewed", extra={"reason": repr(error)})

        thread = threading.Thread(target=renew_until_done, name="leases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _log(settlement: Settlement, *, warn: bool) -> None:
    event = settlement.claim.event
    message, detail = settlement.state.value, settlement.reason.strip().rpartition("\n")[2]
    if settlement.state is State.PENDING:
        message = "waiting"
    level = logging.WARNING if warn else logging.INFO
    fields = {"source": event.source, "type": event.type, "key": event.id, "detail": detail[:300]}
    events.log(level, message, extra=fields)


def _outcome(settlement: Settlement) -> str:
    if settlement.state is not State.PENDING:
        return settlement.state.value
    return "retried" if settlement.attempt else "handed_back"
