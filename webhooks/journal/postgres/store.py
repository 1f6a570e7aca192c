"""The PostgreSQL journal: group commit by several flushers, a queue that workers share, partitions that are dropped.

Queue times use the database's clock, so that a machine with a wrong clock takes no lease of another one.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from translators.kit import Event
from webhooks.errors import JournalUnavailable
from webhooks.journal import former, queries, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.former import ArrivingEvents
from webhooks.journal.group import GroupCommit
from webhooks.journal.model import FORGOTTEN, AppendResult, Census, Claim, Settlement, State, Stats, Verification
from webhooks.journal.postgres import columns
from webhooks.journal.postgres import partitions as partitions_
from webhooks.journal.postgres.append import append_group, prove, unstorable
from webhooks.journal.postgres.connections import BAD_VALUE, Connection, Connections, Listener
from webhooks.journal.postgres.operator import PostgresOperations
from webhooks.journal.postgres.schema import ensure
from webhooks.journal.records import micros
from webhooks.journal.runners import Runner, runner

R = TypeVar("R")
SQL: Final = queries.load("postgres/queries")
_ANY_READY, _CLAIM = (SQL[name].format(sources=SQL["sources"]) for name in ("any_ready", "claim"))
FLUSHERS: Final = 3
"""Groups that one process may commit at once."""
STATEMENTS: Final = 3
"""Other statements that may run at once under gevent."""
NOTIFY_INTERVAL: Final = 0.05
"""Seconds between wake-ups of the workers, at least: a NOTIFY takes a lock that all databases share."""


@dataclass(frozen=True, slots=True)
class _PostgresProcess:
    """Objects that belong to one process."""

    pid: int
    run: Runner
    connections: Connections
    groups: tuple[GroupCommit[ArrivingEvents, AppendResult], ...]


def wall() -> int:
    """Return the time of this machine's clock, to be compared with the database's."""
    return time.time_ns() // 1000


class PostgresJournal(PostgresOperations):
    """See `webhooks.journal.protocol.Journal`. It may be used on both sides of a fork.

    `span` is how long a partition is open, see `webhooks.journal.postgres.partitions`.
    """

    def __init__(self, url: str, *, encryption: Encryption | None = None, span: timedelta = partitions_.SPAN) -> None:
        self._url = url
        self._encryption = encryption or Encryption()
        self._span = span
        self._fork_lock = threading.Lock()
        self._notified_at = 0.0
        self.stats = Stats()
        self._on_open: Callable[[], None] | None = lambda: None
        self._is_open = False
        self._create = True
        self._opening = threading.RLock()
        self._open_process()

    def open(
        self, on_open: Callable[[], None] = lambda: None, *, wait_for_server: bool = False, create: bool = True
    ) -> None:
        """Check the tables, then call `on_open`.

        With `wait_for_server`, an unavailable server is no error: the first use that reaches it does both. Until both
        succeed, the journal does nothing else. Unless `create`, missing tables raise `JournalAbsent`.
        """
        self._on_open = on_open
        self._create = create
        try:
            self._open_once()
        except JournalUnavailable:
            if not wait_for_server:
                raise

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        """Store durably, in one group commit with concurrent callers; the least busy flusher is used."""
        try:
            arrivals = former.arrivals(events, now, self._encryption)
        except BAD_VALUE as error:
            raise unstorable("an event", error) from error
        if not events:
            return AppendResult(0, 0)
        if not self._is_open:
            self._open_once()
        return min(self._process().groups, key=lambda group: group.load).submit(arrivals)

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease due events: first a fair share of each source, then any others."""
        params = {"now": micros(now), "wall": self._wall()}
        if not self._read(lambda db: db.one(_ANY_READY, params))["exists"]:
            return []
        params |= {"span": lease // timedelta(microseconds=1)}
        name = f"{worker}:{uuid.uuid4().hex}"

        def work(db: Connection) -> list[Any]:
            claimed: list[Any] = []
            for least in (1, limit):
                left = limit - len(claimed)
                if left:
                    claimed += db.all(_CLAIM, params | {"least": min(least, left), "limit": left, "lease": name})
            return claimed

        rows = sorted(self._write(work), key=lambda record: record["seq"])
        return [records.claim(record, worker, self._encryption) for record in rows]

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Renew the leases that this worker still has."""
        leased = list(claims)
        params = {"seq": [claim.seq for claim in leased], "lease": [claim.lease for claim in leased]}
        params |= {"until": micros(now + lease), "wall": self._wall()}
        return {record["seq"] for record in self._write(lambda db: db.all(SQL["renew"], params))}

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End the claims whose leases this worker still has."""
        ended = list(settlements)
        if not ended:
            return set()
        params = columns.settle_params(ended, now, self._encryption) | {"wall": self._wall()}
        return {record["seq"] for record in self._write(lambda db: db.all(SQL["settle"], params))}

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Open a new partition when it is time, drop old ones whole, and delete old rows that were kept.

        Whole partitions may be more than `limit`. One process does this at a time; the others return 0.
        """
        params = {"now": micros(now), "wall": self._wall()}
        before: dict[State, int] = {
            state: micros(now - age) for state, age in ages.items() if state is not State.PENDING
        }

        def maintain(db: Connection) -> bool:
            if not db.one(SQL["lock_pruning"])["pg_try_advisory_xact_lock"]:
                return False
            db.execute(SQL["forget_tokens"], params)
            db.execute(SQL["forget_workers"], {"old": micros(now - FORGOTTEN)})
            partitions_.sum_counts(db)
            partitions_.rotate(db, self._span, params)
            return True

        if not self._write(maintain):
            return 0
        deleted = 0
        for partition in self._read(partitions_.closed):
            if self._read(lambda db, one=partition: partitions_.may_retire(db, one, before)):  # type: ignore[misc]
                deleted += self._write(lambda db, one=partition["id"]: partitions_.retire(db, one, before)) or 0  # type: ignore[misc]
        return deleted + int(self._write(lambda db: partitions_.prune_kept(db, before, max(0, limit - deleted))))

    def census(self) -> Census:
        """Return counts; those of settled events are kept up to date by each change."""
        counts, waiting, size = self._read(
            lambda db: (
                db.all(SQL["census"]),
                db.all(SQL["waiting"]),
                db.one(SQL["size"]),
            )
        )
        amounts = [(count["source"], State(count["state"]), count["type"], count["amount"]) for count in counts]
        amounts += [(count["source"], State.PENDING, "", count["amount"]) for count in waiting]
        by_state: dict[State, int] = {}
        by_source: dict[str, dict[State, int]] = {}
        for source, state, _, amount in amounts:
            by_state[state] = by_state.get(state, 0) + amount
            of_source = by_source.setdefault(source, {})
            of_source[state] = of_source.get(state, 0) + amount
        oldest = {count["source"]: records.moment(count["oldest"]) for count in waiting}
        return Census(
            by_state=by_state,
            by_source=by_source,
            oldest_pending=min(oldest.values(), default=None),
            oldest_by_source=oldest,
            unsupported_types={(source, type_): n for source, state, type_, n in amounts if state is State.UNSUPPORTED},
            size_bytes=size["coalesce"],
        )

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Store a one-time token; return its first value."""
        params = {
            "source": source,
            "token": records.token(token),
            "value": value,
            "now": micros(now),
            "until": micros(until),
        }
        first: str = self._write(lambda db: db.one(SQL["remember"], params))["value"]
        return first

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Store a note."""
        params = {"name": records.text(name), "value": records.json(value), "at": micros(now)}
        self._write(lambda db: db.execute(SQL["note"], params) and None)

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """Store a note unless it exists; return the stored one."""
        params = {"name": records.text(name), "value": records.json(value), "at": micros(now)}

        def work(db: Connection) -> str:
            db.execute(SQL["note_first"], params)
            kept: str = db.one(SQL["noted"], {"name": params["name"]})["value"]
            return kept

        return msgspec.json.decode(self._write(work), type=dict[str, Any])

    def notes(self) -> Mapping[str, tuple[datetime, Mapping[str, Any]]]:
        """Return all notes."""
        notes = self._read(lambda db: db.all(SQL["notes"]))
        return {note["name"]: (records.moment(note["at"]), msgspec.json.decode(note["value"])) for note in notes}

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        """Add to lasting counters, always in the same order, so that no deadlock occurs."""

        def add(db: Connection) -> None:
            with db.cursor() as cursor:
                cursor.executemany(SQL["tally"], sorted(amounts.items()))
                cursor.executemany(SQL["mark"], sorted((marks or {}).items()))

        self._write(add)

    def tallies(self) -> Mapping[str, float]:
        """Return every counter and mark."""
        tallies = self._read(lambda db: db.all(SQL["tallies"]))
        return {tally["name"]: tally["amount"] for tally in tallies}

    def check(self) -> None:
        """Make a durable write, on a server that syncs."""
        settings = self._read(lambda db: db.one(SQL["durable"]))
        if settings["fsync"] != "on":
            raise JournalUnavailable(
                "PostgreSQL runs with fsync=off: a power cut may lose stored events",
                hint="Set fsync = on in postgresql.conf and restart it.",
            )
        self._write(prove)

    def verify(self, *, full: bool = False, seconds: float = 30.0) -> Verification:
        """Return no problems: the server checks its pages."""
        del full, seconds
        return Verification()

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when another process has stored events; return a function that ends it."""
        return Listener(self._url, lambda db: db.one(SQL["channel"])["?column?"], wake).close

    def close(self) -> None:
        """Close the connections."""
        self._process().connections.close()

    def _open_once(self) -> None:
        """Open the journal once, see `open`. Calls of the journal by `on_open` itself are let through."""
        with self._opening:
            on_open, self._on_open = self._on_open, None
            if self._is_open or on_open is None:
                return
            try:
                self._process().run(partial(ensure, self._url, create=self._create))
                on_open()
                self._is_open = True
            finally:
                self._on_open = on_open

    def _write(self, work: Callable[[Connection], R]) -> R:
        if not self._is_open:
            self._open_once()
        process = self._process()
        try:
            result: R = process.run(process.connections.write, work)
        except BAD_VALUE as error:
            raise unstorable("a value", error) from error
        return result

    def _read(self, work: Callable[[Connection], R]) -> R:
        if not self._is_open:
            self._open_once()
        process = self._process()
        try:
            result: R = process.run(process.connections.read, work)
        except BAD_VALUE as error:
            raise unstorable("a value", error) from error
        return result

    def _wall(self) -> int:
        return wall()

    def _process(self) -> _PostgresProcess:
        """Return this process's connections and groups. A child of a fork opens its own, once."""
        if self._mine.pid != os.getpid():
            with self._fork_lock:
                if self._mine.pid != os.getpid():
                    self._mine.connections.abandon()
                    self._open_process()
        return self._mine

    def _open_process(self) -> None:
        connections = Connections(self._url, self.stats)
        run = runner(FLUSHERS + STATEMENTS, alone=False)

        def commit(group: Sequence[ArrivingEvents]) -> Sequence[AppendResult | Exception]:
            stored = append_group(connections, group, self._encryption, wall)
            if any(isinstance(result, AppendResult) for result in stored):
                self._notify_workers(connections)
            return stored

        self._mine = _PostgresProcess(
            os.getpid(), run, connections, tuple(GroupCommit(commit, run) for _ in range(FLUSHERS))
        )

    def _notify_workers(self, connections: Connections) -> None:
        """Wake the workers, outside the transaction that stored events. Without it they poll a little later."""
        now = time.monotonic()
        if now - self._notified_at < NOTIFY_INTERVAL:
            return
        self._notified_at = now
        try:
            connections.read(_notify)
        except JournalUnavailable:
            return


def _notify(db: Connection) -> None:
    with db.transaction():
        db.execute("SELECT set_config('synchronous_commit', 'off', true)")
        db.execute(SQL["notify"])
