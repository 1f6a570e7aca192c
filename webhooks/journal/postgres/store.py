"""The journal on PostgreSQL: group commit by several flushers, a queue that workers share, segments that are dropped.

Times of the queue go by the database's clock, so that a machine whose clock is wrong takes no other one's lease.
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
from webhooks.journal.postgres.append import append_group, prove, refused
from webhooks.journal.postgres.connections import BAD_VALUE, Connection, Connections, Listener
from webhooks.journal.postgres.operator import PostgresOperations
from webhooks.journal.postgres.schema import ensure
from webhooks.journal.records import micros
from webhooks.journal.runners import Runner, runner

R = TypeVar("R")
SQL: Final = queries.load("postgres/queries")
_ANY_READY, _CLAIM = (SQL[name].format(sources=SQL["sources"]) for name in ("any_ready", "claim"))
FLUSHERS: Final = 3
"""Groups that may be committing at once, in one process."""
DESKS: Final = 3
"""Other statements at once under gevent."""
RING_EVERY: Final = 0.05
"""Seconds between wake-ups of the workers, at least: a NOTIFY takes a lock that all databases share."""


@dataclass(frozen=True, slots=True)
class _Here:
    """What belongs to one process."""

    pid: int
    run: Runner
    connections: Connections
    groups: tuple[GroupCommit[ArrivingEvents, AppendResult], ...]


def wall() -> int:
    """This machine's clock, to be compared with the database's."""
    return time.time_ns() // 1000


class PostgresJournal(PostgresOperations):
    """See `webhooks.journal.protocol.Journal`. It may be used on both sides of a fork.

    `span` is how long a segment is open, see `webhooks.journal.postgres.partitions`.
    """

    def __init__(self, url: str, *, seal: Encryption | None = None, span: timedelta = partitions_.SPAN) -> None:
        self._url = url
        self._seal = seal or Encryption()
        self._span = span
        self._moving = threading.Lock()
        self._rung = 0.0
        self.stats = Stats()
        self._greet: Callable[[], None] | None = lambda: None
        self._is_open = False
        self._create = True
        self._greeting = threading.RLock()
        self._settle_in()

    def open(
        self, greet: Callable[[], None] = lambda: None, *, wait_for_server: bool = False, create: bool = True
    ) -> None:
        """Look at the tables, then `greet`: now, or where `patient` with the first use that reaches the server.

        Until both have succeeded nothing else is done. Unless `create`, missing tables are `JournalAbsent`.
        """
        self._greet = greet
        self._create = create
        try:
            self._open_up()
        except JournalUnavailable:
            if not wait_for_server:
                raise

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        """Store durably, in one group commit with whoever else is appending; the least busy flusher takes it."""
        try:
            arrivals = former.arrivals(events, now, self._seal)
        except BAD_VALUE as error:
            raise refused("an event", error) from error
        if not events:
            return AppendResult(0, 0)
        if not self._is_open:
            self._open_up()
        return min(self._now_here().groups, key=lambda group: group.load).submit(arrivals)

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease due events, a fair share of each source first, then whatever is there."""
        told = {"now": micros(now), "here": self._here()}
        if not self._read(lambda db: db.one(_ANY_READY, told))["exists"]:
            return []
        told |= {"span": lease // timedelta(microseconds=1)}
        name = f"{worker}:{uuid.uuid4().hex}"

        def work(db: Connection) -> list[Any]:
            found: list[Any] = []
            for least in (1, limit):
                left = limit - len(found)
                if left:
                    found += db.all(_CLAIM, told | {"least": min(least, left), "limit": left, "lease": name})
            return found

        found = sorted(self._write(work), key=lambda record: record["seq"])
        return [records.claim(record, worker, self._seal) for record in found]

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Prolong the leases that are still ours."""
        mine = list(claims)
        told = {"seq": [each.seq for each in mine], "lease": [each.lease for each in mine]}
        told |= {"until": micros(now + lease), "here": self._here()}
        return {each["seq"] for each in self._write(lambda db: db.all(SQL["renew"], told))}

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End the claims that are still ours."""
        mine = list(settlements)
        if not mine:
            return set()
        told = columns.settled(mine, now, self._seal) | {"here": self._here()}
        return {each["seq"] for each in self._write(lambda db: db.all(SQL["settle"], told))}

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Open a new segment where it is time, give up old ones whole, and delete what is old among the kept.

        Whole segments may be more than `limit`. One process does it at a time; 0 for the others.
        """
        told = {"now": micros(now), "here": self._here()}
        before: dict[State, int] = {
            state: micros(now - age) for state, age in ages.items() if state is not State.PENDING
        }

        def tidy(db: Connection) -> bool:
            if not db.one(SQL["only_one_tidies"])["pg_try_advisory_xact_lock"]:
                return False
            db.execute(SQL["forget_tokens"], told)
            db.execute(SQL["forget_workers"], {"old": micros(now - FORGOTTEN)})
            partitions_.add_up(db)
            partitions_.rotate(db, self._span, told)
            return True

        if not self._write(tidy):
            return 0
        gone = 0
        for segment in self._read(partitions_.closed):
            if self._read(lambda db, one=segment: partitions_.is_worth_a_look(db, one, before)):  # type: ignore[misc]
                gone += self._write(lambda db, one=segment["id"]: partitions_.retire(db, one, before)) or 0  # type: ignore[misc]
        return gone + int(self._write(lambda db: partitions_.prune_kept(db, before, max(0, limit - gone))))

    def census(self) -> Census:
        """Counts, of which those of settled events are kept as they change."""
        counts, waiting, size = self._read(
            lambda db: (
                db.all(SQL["census"]),
                db.all(SQL["waiting"]),
                db.one(SQL["size"]),
            )
        )
        told = [(each["source"], State(each["state"]), each["type"], each["amount"]) for each in counts]
        told += [(each["source"], State.PENDING, "", each["amount"]) for each in waiting]
        by_state: dict[State, int] = {}
        by_source: dict[str, dict[State, int]] = {}
        for source, state, _, amount in told:
            by_state[state] = by_state.get(state, 0) + amount
            here = by_source.setdefault(source, {})
            here[state] = here.get(state, 0) + amount
        oldest = {each["source"]: records.moment(each["oldest"]) for each in waiting}
        return Census(
            by_state=by_state,
            by_source=by_source,
            oldest_pending=min(oldest.values(), default=None),
            oldest_by_source=oldest,
            unsupported_types={(source, type_): n for source, state, type_, n in told if state is State.UNSUPPORTED},
            size_bytes=size["coalesce"],
        )

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Note a one-time token; the value first noted."""
        told = {
            "source": source,
            "token": records.token(token),
            "value": value,
            "now": micros(now),
            "until": micros(until),
        }
        first: str = self._write(lambda db: db.one(SQL["remember"], told))["value"]
        return first

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Keep a small fact."""
        told = {"name": records.text(name), "value": records.json(value), "at": micros(now)}
        self._write(lambda db: db.execute(SQL["note"], told) and None)

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """Keep a small fact, unless there is one."""
        told = {"name": records.text(name), "value": records.json(value), "at": micros(now)}

        def work(db: Connection) -> str:
            db.execute(SQL["note_first"], told)
            found: str = db.one(SQL["noted"], {"name": told["name"]})["value"]
            return found

        return msgspec.json.decode(self._write(work), type=dict[str, Any])

    def notes(self) -> Mapping[str, tuple[datetime, Mapping[str, Any]]]:
        """All small facts."""
        found = self._read(lambda db: db.all(SQL["notes"]))
        return {each["name"]: (records.moment(each["at"]), msgspec.json.decode(each["value"])) for each in found}

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        """Add to lasting counters, in one order for all, so that nobody waits in a circle."""

        def add(db: Connection) -> None:
            with db.cursor() as cursor:
                cursor.executemany(SQL["tally"], sorted(amounts.items()))
                cursor.executemany(SQL["mark"], sorted((marks or {}).items()))

        self._write(add)

    def tallies(self) -> Mapping[str, float]:
        """Every counter and mark."""
        found = self._read(lambda db: db.all(SQL["tallies"]))
        return {each["name"]: each["amount"] for each in found}

    def check(self) -> None:
        """A real durable write, by a server that syncs."""
        set_to = self._read(lambda db: db.one(SQL["durable"]))
        if set_to["fsync"] != "on":
            raise JournalUnavailable(
                "PostgreSQL runs with fsync=off: what it stores may be gone after a power cut",
                hint="Set fsync = on in postgresql.conf and restart it.",
            )
        self._write(prove)

    def verify(self, *, full: bool = False, seconds: float = 30.0) -> Verification:
        """The server looks after its pages."""
        del full, seconds
        return Verification()

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when another process has stored something; returns what ends it."""
        return Listener(self._url, lambda db: db.one(SQL["listen"])["?column?"], wake).close

    def close(self) -> None:
        """Let go of the connections."""
        self._now_here().connections.close()

    def _open_up(self) -> None:
        """Once: see `open`. What `greet` itself asks of the journal passes."""
        with self._greeting:
            greet, self._greet = self._greet, None
            if self._is_open or greet is None:
                return
            try:
                self._now_here().run(partial(ensure, self._url, create=self._create))
                greet()
                self._is_open = True
            finally:
                self._greet = greet

    def _write(self, work: Callable[[Connection], R]) -> R:
        if not self._is_open:
            self._open_up()
        here = self._now_here()
        try:
            result: R = here.run(here.connections.write, work)
        except BAD_VALUE as error:
            raise refused("a value", error) from error
        return result

    def _read(self, work: Callable[[Connection], R]) -> R:
        if not self._is_open:
            self._open_up()
        here = self._now_here()
        try:
            result: R = here.run(here.connections.read, work)
        except BAD_VALUE as error:
            raise refused("a value", error) from error
        return result

    def _here(self) -> int:
        return wall()

    def _now_here(self) -> _Here:
        """This process's connections and groups: a child of a fork gets its own, once."""
        if self._mine.pid != os.getpid():
            with self._moving:
                if self._mine.pid != os.getpid():
                    self._mine.connections.leave_behind()
                    self._settle_in()
        return self._mine

    def _settle_in(self) -> None:
        connections = Connections(self._url, self.stats)
        run = runner(FLUSHERS + DESKS, alone=False)

        def commit(group: Sequence[ArrivingEvents]) -> Sequence[AppendResult | Exception]:
            stored = append_group(connections, group, self._seal, wall)
            if any(isinstance(each, AppendResult) for each in stored):
                self._ring(connections)
            return stored

        self._mine = _Here(os.getpid(), run, connections, tuple(GroupCommit(commit, run) for _ in range(FLUSHERS)))

    def _ring(self, connections: Connections) -> None:
        """Wake the workers, outside of the transaction that stored; they would look by themselves a little later."""
        now = time.monotonic()
        if now - self._rung < RING_EVERY:
            return
        self._rung = now
        try:
            connections.read(_notify)
        except JournalUnavailable:
            return


def _notify(db: Connection) -> None:
    with db.transaction():
        db.execute("SELECT set_config('synchronous_commit', 'off', true)")
        db.execute(SQL["ring"])
