"""The embedded journal: one SQLite file, with group commit for `append`."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
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
from webhooks.journal.sqlite.operator import JournalFile, SqliteOperations

SQL: Final = queries.load("sqlite/queries")
FREE_FLOOR: Final = 32 * 1024 * 1024
PRUNE_CHUNK: Final = 500
"""Rows deleted in one transaction; `append` waits for it."""


@dataclass(frozen=True, slots=True)
class _SqliteProcess:
    """Objects that belong to one process."""

    pid: int
    file: JournalFile
    group: GroupCommit[ArrivingEvents, AppendResult]


class SqliteJournal(SqliteOperations):
    """See `webhooks.journal.protocol.Journal`. It may be used on both sides of a fork.

    `file` is a class to use instead of `SqliteFile`, for a journal that is only read.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        encryption: Encryption | None = None,
        run: Runner | None = None,
        file: Callable[[Path, Runner], JournalFile] | None = None,
    ) -> None:
        self.path = Path(path).absolute()
        self._make_file = file or SqliteFile
        self._encryption = encryption or Encryption()
        self._run = run
        self._fork_lock = threading.Lock()
        self._open_process()
        if file is None:
            self._file.write(lambda _: None)
        else:
            self._file.read(lambda _: None)

    @property
    def stats(self) -> Stats:
        """Return counts of this process's commits."""
        return self._file.stats

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        """Store durably, in one group commit with concurrent callers."""
        try:
            arrivals = former.arrivals(events, now, self._encryption)
        except BAD_VALUE as error:
            raise records.unstorable("an event", error) from error
        return self._process().group.submit(arrivals) if events else AppendResult(0, 0)

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease the oldest due events: first a fair share of each source."""
        start = time.monotonic()
        at = sqlite_queue.times(now, lease)
        if limit < 1 or not self._file.read(lambda db: sqlite_queue.any_ready(db, at)):
            return []
        params = {"lease": f"{worker}:{uuid.uuid4().hex}", "until": micros(now + lease)}

        def claim(db: sqlite3.Connection) -> list[Any]:
            waited = timedelta(seconds=time.monotonic() - start)
            return sqlite_queue.claim(db, limit, sqlite_queue.times(now, lease, waited), params)

        claimed = self._file.write(claim)
        return [records.claim(row, worker, self._encryption) for row in claimed]

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Renew the leases that this worker still has."""
        until = micros(now + lease)
        leases = [(until, claim.seq, claim.lease) for claim in claims]
        return self._file.write(lambda db: {lease[1] for lease in leases if db.execute(SQL["renew"], lease).rowcount})

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End the claims whose leases this worker still has."""
        rows = [
            {**records.settle_params(settlement, now, self._encryption), "most": HISTORY} for settlement in settlements
        ]
        return self._file.write(lambda db: {row["seq"] for row in rows if db.execute(SQL["settle"], row).rowcount})

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Delete settled events that are old enough, and expired tokens, in short transactions."""
        old = micros(now - FORGOTTEN)
        self._file.write(
            lambda db: (db.execute(SQL["forget_tokens"], (micros(now),)), db.execute(SQL["forget_workers"], (old,)))
        )
        deleted = 0
        for source, by in self.census().by_source.items():
            for state in by.keys() & ages.keys() - {State.PENDING}:
                deleted += self._prune(state, source, micros(now - ages[state]), limit - deleted)
        return deleted

    def _prune(self, state: State, source: str, before: int, limit: int) -> int:
        total = 0
        while chunk := min(PRUNE_CHUNK, limit - total):
            params = (state, source, before, chunk)
            deleted = self._file.write(lambda db, params=params: db.execute(SQL["prune"], params).rowcount)  # type: ignore[misc]
            total += deleted
            if deleted < chunk:
                break
        return total

    def census(self) -> Census:
        """Return counts; only indexes are read."""
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
        """Return an event."""
        record = self._file.read(lambda db: db.execute(SQL["find"], (source, key)).fetchone())
        return records.row(record, self._encryption) if record else None

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Store a one-time token; return its first value."""
        params = {
            "source": source,
            "token": records.token(token),
            "value": value,
            "now": micros(now),
            "until": micros(until),
        }
        first: str = self._file.write(lambda db: db.execute(SQL["remember"], params).fetchone())[0]
        return first

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Store a note."""
        params = (records.text(name), records.json(value), micros(now))
        self._file.write(lambda db: db.execute(SQL["note"], params) and None)

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """Store a note unless it exists; return the stored one."""
        params = (records.text(name), records.json(value), micros(now))

        def work(db: sqlite3.Connection) -> Any:
            db.execute(SQL["note_first"], params)
            return db.execute(SQL["noted"], params[:1]).fetchone()[0]

        return msgspec.json.decode(self._file.write(work), type=dict[str, Any])

    def notes(self) -> Mapping[str, tuple[datetime, Mapping[str, Any]]]:
        """Return all notes."""
        notes = self._file.read(lambda db: db.execute(SQL["notes"]).fetchall())
        return {name: (records.moment(at), msgspec.json.decode(value)) for name, value, at in notes}

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        """Add to lasting counters."""

        def add(db: sqlite3.Connection) -> None:
            db.executemany(SQL["tally"], amounts.items())
            db.executemany(SQL["mark"], (marks or {}).items())

        self._file.write(add)

    def tallies(self) -> Mapping[str, float]:
        """Return every counter and mark."""
        return dict(self._file.read(lambda db: db.execute(SQL["tallies"]).fetchall()))

    def check(self) -> None:
        """Make a durable write, and check the free disk space."""
        damage.refuse(os.path.realpath(self.path))
        free = self._file.free()
        if free < FREE_FLOOR:
            raise JournalUnavailable(
                f"only {free // 1024} KiB are free beside the journal", hint="Free disk space, or move SEGUE_DATABASE."
            )
        self._file.write(_prove)

    def verify(self, *, full: bool = False, seconds: float = 30.0) -> Verification:
        """Check the file. If all of it is intact, remove the note that it is damaged."""
        path = os.path.realpath(self.path)
        verification = self._file.read(lambda db: damage.verify(db, full=full, seconds=seconds))
        if verification.problems:
            damage.note(path, verification.problems[0])
        elif verification.complete:
            damage.forget(path)
        return verification

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Do nothing: a file sends no notifications, so workers poll."""
        del wake
        return lambda: None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def _file(self) -> JournalFile:
        return self._process().file

    def _process(self) -> _SqliteProcess:
        """Return this process's connections and group. A child of a fork opens its own, once."""
        if self._mine.pid != os.getpid():
            with self._fork_lock:
                if self._mine.pid != os.getpid():
                    self._mine.file.abandon()
                    self._open_process()
        return self._mine

    def _open_process(self) -> None:
        file = self._make_file(self.path, self._run or runner())
        self._mine = _SqliteProcess(
            os.getpid(), file, GroupCommit(lambda group: _append(file, group, self._encryption), file.run)
        )


def _append(
    file: JournalFile, group: Sequence[ArrivingEvents], encryption: Encryption
) -> Sequence[AppendResult | Exception]:
    """Commit all in one transaction, or those that can be stored."""

    def commit(some: Sequence[ArrivingEvents]) -> Sequence[AppendResult]:
        stored = file.transact(lambda db: _insert(db, some, encryption))
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
    """Return whether one event may have been too large for the disk or for memory."""
    full = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
    return full or isinstance(error, MemoryError)


def _prove(db: sqlite3.Connection) -> None:
    fresh = records.json({"proof": uuid.uuid4().hex})  # SQLite does not sync an unchanged value
    db.execute(SQL["note"], ("readiness", fresh, 0))


def _insert(db: sqlite3.Connection, group: Sequence[ArrivingEvents], encryption: Encryption) -> list[AppendResult]:
    repeated: set[int] = set()
    if any(arrivals.events for arrivals in group):
        repeated = former.stored_before(
            former.joined(group), lambda former_keys: _stored_keys(db, former_keys), encryption
        )
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


def _stored_keys(db: sqlite3.Connection, former_keys: Sequence[FormerKeyQuery]) -> dict[int, StoredKey]:
    params = records.json(
        [(former_key.source, former_key.key, former_key.body is not None) for former_key in former_keys]
    )
    return {
        place: StoredKey(type_, content=None if body is None else (headers, envelope, body))
        for place, type_, headers, envelope, body in db.execute(SQL["former"], (params,)).fetchall()
    }


def _refused(error: Exception) -> JournalError | None:
    return records.unstorable("an event", error) if isinstance(error, BAD_VALUE) else None
