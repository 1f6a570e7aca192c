"""A journal in memory with the roles that tests need, for tests that need no disk."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from translators.kit import Event
from webhooks.errors import JournalUnavailable
from webhooks.journal import AppendResult, Census, Claim, Row, Settlement, State, Stats

if TYPE_CHECKING:
    from webhooks.deliver.context import WorkerJournal
    from webhooks.monitoring.metrics.totals import CountedJournal
    from webhooks.monitoring.silence import LearningJournal
    from webhooks.web.handler import HandlerJournal

    def roles(journal: MemoryJournal) -> tuple[WorkerJournal, HandlerJournal, CountedJournal, LearningJournal]:
        """Let mypy check that the journal is what its users take."""
        return journal, journal, journal, journal


@dataclass
class _Kept:
    row: Row
    lease: str = ""


class MemoryJournal:
    """`away` makes every call raise JournalUnavailable; `settled` lists what was settled, in order."""

    def __init__(self) -> None:
        self.away = False
        self.stats = Stats()
        self.settled: list[Settlement] = []
        self.calls: list[str] = []
        self._kept: dict[int, _Kept] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._notes: dict[str, tuple[datetime, Mapping[str, Any]]] = {}
        self._leases = 0
        self._tokens: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._tallies: dict[str, float] = {}
        self._lock = threading.RLock()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.away:
            raise JournalUnavailable("the disk is full", hint="Free space.")

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        self._called("append")
        new = 0
        with self._lock:
            for event in events:
                if (event.source, event.id) in self._keys or self._is_stored_before(event):
                    continue
                new += 1
                seq = len(self._kept) + 1
                self._keys[event.source, event.id] = seq
                state = State.DEAD if event.problem else State.PENDING
                self._kept[seq] = _Kept(
                    Row(
                        seq=seq, event=event, state=state, attempts=0, due_at=now, leased_until=None, settled_at=None,
                        reason=event.problem,
                    )
                )  # fmt: skip
        return AppendResult(new, len(events) - new)

    def _is_stored_before(self, event: Event) -> bool:
        for former in event.former_ids:
            seq = self._keys.get((event.source, former.id))
            stored = self._kept[seq].row.event if seq else None
            if stored and stored.type == event.type and (not former.same_bytes or stored.raw == event.raw):
                return True
        return False

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        self._called("claim")
        claims: list[Claim] = []
        with self._lock:
            for seq, kept in sorted(self._kept.items()):
                row = kept.row
                free = row.leased_until is None or row.leased_until <= now
                if len(claims) < limit and row.state is State.PENDING and free and (row.due_at or now) <= now:
                    self._leases += 1
                    kept.lease = f"{worker}-{self._leases}"
                    kept.row = replace(row, leased_until=now + lease)
                    claim = Claim(seq=seq, event=row.event, attempts=row.attempts, lease=kept.lease, locked=row.locked)
                    claims.append(claim)
        return claims

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        self._called("renew")
        renewed = set()
        with self._lock:
            for claim in claims:
                kept = self._kept[claim.seq]
                if kept.lease == claim.lease:
                    kept.row = replace(kept.row, leased_until=now + lease)
                    renewed.add(claim.seq)
        return renewed

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        self._called("settle")
        done = set()
        with self._lock:
            for settlement in settlements:
                kept = self._kept[settlement.claim.seq]
                if kept.lease != settlement.claim.lease:
                    continue
                pending = settlement.state is State.PENDING
                kept.lease = ""
                kept.row = replace(
                    kept.row,
                    state=settlement.state,
                    attempts=kept.row.attempts + settlement.attempt,
                    due_at=settlement.due_at if pending else None,
                    leased_until=None,
                    settled_at=None if pending else now,
                    reason=settlement.reason,
                )
                self.settled.append(settlement)
                done.add(settlement.claim.seq)
        return done

    def steal(self, seq: int) -> None:
        """Give the lease of an event to another worker."""
        with self._lock:
            self._kept[seq].lease = "stolen"

    def lock(self, seq: int, reason: str) -> None:
        """Make the content of an event unreadable."""
        with self._lock:
            self._kept[seq].row = replace(self._kept[seq].row, locked=reason)

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        self._called("prune")
        old = [
            seq
            for seq, kept in sorted(self._kept.items())
            if (age := ages.get(kept.row.state)) and kept.row.settled_at and kept.row.settled_at <= now - age
        ][:limit]
        for seq in old:
            row = self._kept.pop(seq).row
            del self._keys[row.event.source, row.event.id]
        return len(old)

    def census(self) -> Census:
        by_state: dict[State, int] = {}
        for kept in self._kept.values():
            by_state[kept.row.state] = by_state.get(kept.row.state, 0) + 1
        return Census(by_state=by_state, by_source={}, oldest_pending=None)

    def find(self, source: str, key: str) -> Row | None:
        seq = self._keys.get((source, key))
        return self._kept[seq].row if seq else None

    def rows(self) -> list[Row]:
        return [kept.row for _, kept in sorted(self._kept.items())]

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        self._called("remember")
        with self._lock:
            first, ends = self._tokens.get((source, token), (value, until))
            self._tokens[source, token] = (value, until) if ends <= now else (first, ends)
            return self._tokens[source, token][0]

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        self._called("note")
        self._notes[name] = (now, dict(value))

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        self._called("note_first")
        return self._notes.setdefault(name, (now, dict(value)))[1]

    def notes(self) -> Mapping[str, tuple[datetime, Mapping[str, Any]]]:
        self._called("notes")
        return dict(self._notes)

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        self._called("tally")
        with self._lock:
            for name, amount in amounts.items():
                self._tallies[name] = self._tallies.get(name, 0.0) + amount
            for name, mark in (marks or {}).items():
                self._tallies[name] = max(self._tallies.get(name, mark), mark)

    def tallies(self) -> Mapping[str, float]:
        self._called("tallies")
        return dict(self._tallies)

    def check(self) -> None:
        self._called("check")

    def watch(self, wake: Any) -> Any:
        return lambda: None

    def close(self) -> None:
        pass
