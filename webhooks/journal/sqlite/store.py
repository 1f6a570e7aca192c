"""The embedded journal: one SQLite file, and a group commit for those who append."""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from translators.kit import Event
from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import former, isolate, queries, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.former import ArrivingEvents, FormerKeyQuery, StoredKey
from webhooks.journal.group import GroupCommit
from webhooks.journal.model import (
    FORGOTTEN,
    HISTORY,
    AppendResult,
    Census,
    Claim,
    Row,
    Settlement,
    State,
    Stats,
    Verification,
)
from webhooks.journal.records import micros
from webhooks.journal.runners import Runner, runner
from webhooks.journal.sqlite import damage
from webhooks.journal.sqlite import queue as sqlite_queue
from webhooks.journal.sqlite.file import BAD_VALUE, SqliteFile
from webhooks.journal.sqlite.operator import File, SqliteOperations

SQL: Final = queries.load("sqlite/queries")
FREE_FLOOR: Final = 32 * 1024 * 1024
PRUNE_CHUNK: Final = 500
"""Rows deleted in one transaction; those who append wait for it."""


@dataclass(frozen=True, slots=True)
class _Here:
    """What belongs to one process."""

    pid: int
    file: File
    group: GroupCommit[ArrivingEvents, AppendResult]


class SqliteJournal(SqliteOperations):
    """See `webhooks.journal.protocol.Journal`. It may be used on both sides of a fork.

    `file` is a class in place of `SqliteFile`, for a journal that is only read.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        seal: Encryption | None = None,
        run: Runner | None = None,
        file: Callable[[Path, Runner], File] | None = None,
    ) -> None:
        self.path = Path(path).absolute()
        self._make_file = file or SqliteFile
        self._seal = seal or Encryption()
        self._given_run = run
        self._moving = threading.Lock()
        self._settle_in()
        if file is None:
            self._file.write(lambda _: None)
        else:
            self._file.read(lambda _: None)

    @property
    def stats(self) -> Stats:
        """What this process has committed so far."""
        return self._file.stats

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        """Store durably, in one group commit with whoever else is appending."""
        try:
            arrivals = former.arrivals(events, now, self._seal)
        except BAD_VALUE as error:
            raise records.refused("an event", error) from error
        return self._now_here().group.submit(arrivals) if events else AppendResult(0, 0)

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease the oldest due events, of each source a fair share first."""
        at = sqlite_queue.times(now, lease)
        if limit < 1 or not self._file.read(lambda db: sqlite_queue.any_ready(db, at)):
            return []
        told = {"lease": f"{worker}:{uuid.uuid4().hex}", "until": micros(now + lease)}
        found = self._file.write(lambda db: sqlite_queue.claim(db, limit, at, told))
        return [records.claim(row, worker, self._seal) for row in found]

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Prolong the leases that are still ours."""
        until = micros(now + lease)
        told = [(until, claim.seq, claim.lease) for claim in claims]
        return self._file.write(lambda db: {each[1] for each in told if db.execute(SQL["renew"], each).rowcount})

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End the claims that are still ours."""
        told = [{**records.settled(settlement, now, self._seal), "most": HISTORY} for settlement in settlements]
        return self._file.write(lambda db: {each["seq"] for each in told if db.execute(SQL["settle"], each).rowcount})

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Delete what is settled and old enough, and tokens that ran out; in short transactions."""
        old = micros(now - FORGOTTEN)
        self._file.write(
            lambda db: (db.execute(SQL["forget_tokens"], (micros(now),)), db.execute(SQL["forget_workers"], (old,)))
        )
        gone = 0
        for source, by in self.census().by_source.items():
            for state in by.keys() & ages.keys() - {State.PENDING}:
                gone += self._prune(state, source, micros(now - ages[state]), limit - gone)
        return gone

    def _prune(self, state: State, source: str, before: int, most: int) -> int:
        gone = 0
        while chunk := min(PRUNE_CHUNK, most - gone):
            told = (state, source, before, chunk)
            deleted = self._file.write(lambda db, told=told: db.execute(SQL["prune"], told).rowcount)  # type: ignore[misc]
            gone += deleted
            if deleted < chunk:
                break
        return gone

    def census(self) -> Census:
        """Counts, by an index only."""
        settled, waiting, unknown = self._file.read(
            lambda db: tuple(db.execute(SQL[name]).fetchall() for name in ("census", "waiting", "unsupported_types"))
        )
        counts = [(State(state), source, count) for state, source, count in settled]
        counts += [(State.PENDING, source, count) for source, count, _ in waiting]
        by_state: dict[State, int] = {}
        by_source: dict[str, dict[State, int]] = {}
        for state, source, count in counts:
            by_state[state] = by_state.get(state, 0) + count
            by_source.setdefault(source, {})[state] = count
        oldest = {source: records.moment(received) for source, _, received in waiting}
        return Census(
            by_state=by_state,
            by_source=by_source,
            oldest_pending=min(oldest.values(), default=None),
            oldest_by_source=oldest,
            unsupported_types={(source, type_): count for source, type_, count in unknown},
            size_bytes=self._file.size(),
        )

    def find(self, source: str, key: str) -> Row | None:
        """One event."""
        found = self._file.read(lambda db: db.execute(SQL["find"], (source, key)).fetchone())
        return records.row(found, self._seal) if found else None

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Note a one-time token; the value first noted."""
        told = {
            "source": source,
            "token": records.token(token),
            "value": value,
            "now": micros(now),
            "until": micros(until),
        }
        first: str = self._file.write(lambda db: db.execute(SQL["remember"], told).fetchone())[0]
        return first

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Keep a small fact."""
        told = (records.text(name), records.json(value), micros(now))
        self._file.write(lambda db: db.execute(SQL["note"], told) and None)

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """Keep a small fact, unless there is one."""
        told = (records.text(name), records.json(value), micros(now))

        def work(db: sqlite3.Connection) -> Any:
            db.execute(SQL["note_first"], told)
            return db.execute(SQL["noted"], told[:1]).fetchone()[0]

        return msgspec.json.decode(self._file.write(work), type=dict[str, Any])

    def notes(self) -> Mapping[str, tuple[datetime, Mapping[str, Any]]]:
        """All small facts."""
        found = self._file.read(lambda db: db.execute(SQL["notes"]).fetchall())
        return {name: (records.moment(at), msgspec.json.decode(value)) for name, value, at in found}

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        """Add to lasting counters."""

        def add(db: sqlite3.Connection) -> None:
            db.executemany(SQL["tally"], amounts.items())
            db.executemany(SQL["mark"], (marks or {}).items())

        self._file.write(add)

    def tallies(self) -> Mapping[str, float]:
        """Every counter and mark."""
        return dict(self._file.read(lambda db: db.execute(SQL["tallies"]).fetchall()))

    def check(self) -> None:
        """A real durable write, and room for more."""
        damage.refuse(os.path.realpath(self.path))
        free = self._file.free()
        if free < FREE_FLOOR:
            raise JournalUnavailable(
                f"only {free // 1024} KiB are free beside the journal", hint="Free disk space, or move SEGUE_DATABASE."
            )
        self._file.write(_prove)

    def verify(self, *, full: bool = False, seconds: float = 30.0) -> Verification:
        """Look through the file. If all of it is whole, it is no longer said to be damaged."""
        path = os.path.realpath(self.path)
        found = self._file.read(lambda db: damage.verify(db, full=full, seconds=seconds))
        if found.problems:
            damage.note(path, found.problems[0])
        elif found.complete:
            damage.forget(path)
        return found

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Nothing tells of a file's changes: who waits looks by himself."""
        del wake
        return lambda: None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def _file(self) -> File:
        return self._now_here().file

    def _now_here(self) -> _Here:
        """This process's connections and group: a child of a fork gets its own, once."""
        if self._here.pid != os.getpid():
            with self._moving:
                if self._here.pid != os.getpid():
                    self._here.file.leave_behind()
                    self._settle_in()
        return self._here

    def _settle_in(self) -> None:
        file = self._make_file(self.path, self._given_run or runner())
        self._here = _Here(os.getpid(), file, GroupCommit(lambda group: _append(file, group, self._seal), file.run))


def _append(file: File, group: Sequence[ArrivingEvents], seal: Encryption) -> Sequence[AppendResult | Exception]:
    """One transaction for all, or for as many as can be stored."""

    def commit(some: Sequence[ArrivingEvents]) -> Sequence[AppendResult]:
        stored = file.transact(lambda db: _insert(db, some, seal))
        events = sum(len(arrivals.rows) for arrivals in some)
        file.stats.groups += 1
        file.stats.events += events
        file.stats.samples.append((events, file.stats.last_commit_seconds))
        return stored

    def available(error: Exception) -> bool:
        if not _may_be_size(error.__cause__):
            return False
        try:
            file.transact(_prove)
        except JournalUnavailable:
            return False
        return True

    return isolate.commit_all(group, commit, refused=_refused, available=available)


def _may_be_size(error: BaseException | None) -> bool:
    """Whether what was too large for the disk or for memory may have been one event."""
    full = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
    return full or isinstance(error, MemoryError)


def _prove(db: sqlite3.Connection) -> None:
    fresh = records.json({"proof": uuid.uuid4().hex})  # SQLite syncs nothing for a value that is the same
    db.execute(SQL["note"], ("readiness", fresh, 0))


def _insert(db: sqlite3.Connection, group: Sequence[ArrivingEvents], seal: Encryption) -> list[AppendResult]:
    repeated: set[int] = set()
    if any(arrivals.events for arrivals in group):
        repeated = former.stored_before(former.joined(group), lambda sought: _former(db, sought), seal)
    stored: list[AppendResult] = []
    first = 0
    for arrivals in group:
        before = db.total_changes
        rows = arrivals.rows
        db.executemany(SQL["append"], [row for place, row in enumerate(rows, first) if place not in repeated])
        new = db.total_changes - before
        stored.append(AppendResult(new, len(rows) - new))
        first += len(rows)
    return stored


def _former(db: sqlite3.Connection, sought: Sequence[FormerKeyQuery]) -> dict[int, StoredKey]:
    told = records.json([(each.source, each.key, each.body is not None) for each in sought])
    return {
        place: StoredKey(type_, content=None if body is None else (headers, envelope, body))
        for place, type_, headers, envelope, body in db.execute(SQL["former"], (told,)).fetchall()
    }


def _refused(error: Exception) -> JournalError | None:
    return records.refused("an event", error) if isinstance(error, BAD_VALUE) else None
