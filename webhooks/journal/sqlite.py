"""The embedded journal: one SQLite file, WAL, `synchronous=FULL`, group commit.

Several processes may share the file. Their writes take turns by a blocking `flock` beside it, because SQLite's own
busy handler sleeps and doubles the tail latency. Reads take no lock.
https://www.sqlite.org/wal.html https://www.sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from translators.kit import Event
from translators.kit.times import EPOCH
from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import queries
from webhooks.journal.group import Group
from webhooks.journal.protocol import Census, Claim, Row, Settlement, State, Stored
from webhooks.journal.runners import Runner, runner

R = TypeVar("R")
Params = tuple[Any, ...]
SQL: Final = queries.load("sqlite")
MIGRATIONS: Final = queries.load("sqlite_schema")
FREE_FLOOR: Final = 32 * 1024 * 1024
_MICRO: Final = timedelta(microseconds=1)
_encode: Final = msgspec.json.Encoder().encode
_texts: Final = msgspec.json.Decoder(dict[str, str])
_NOTHING: Final[Mapping[str, str]] = {}


class SqliteJournal:
    """See `webhooks.journal.protocol.Journal`. Connections are opened late and again after a fork or a fault."""

    def __init__(self, path: str | Path, *, run: Runner | None = None) -> None:
        self.path = Path(path).absolute()
        self._given_run = run
        self._fresh()
        self._write(lambda _: None)

    def _fresh(self) -> None:
        """The state of one process."""
        self._pid = os.getpid()
        self._run: Runner = self._given_run or runner()
        self._group: Group[list[Params], Stored] = Group(self._commit_group, self._run)
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._read_lock = threading.Lock()
        self._inode = self._reader_inode = 0
        self._flock = -1

    def append(self, events: Sequence[Event], *, now: datetime) -> Stored:
        """Store durably, in one group commit with whoever else is appending."""
        rows = [_params(event, now) for event in events]
        if not rows:
            return Stored(0, 0)
        self._after_fork()
        return self._group.submit(rows)

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease the oldest due events."""
        told = {"now": _micros(now), "until": _micros(now + lease), "limit": limit}
        if not self._read(lambda db: db.execute(SQL["any_due"], told).fetchone()):
            return []
        told["lease"] = f"{worker}:{uuid.uuid4().hex}"  # type: ignore[assignment]
        found = self._write(lambda db: db.execute(SQL["claim"], told).fetchall())
        found.sort(key=lambda row: row["seq"])
        return [Claim(seq=row["seq"], event=_event(row), attempts=row["attempts"], lease=row["lease"]) for row in found]

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Prolong the leases that are still ours."""
        until = _micros(now + lease)
        told = [(until, claim.seq, claim.lease) for claim in claims]
        return self._write(lambda db: {each[1] for each in told if db.execute(SQL["renew"], each).rowcount})

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End the claims that are still ours."""
        told = [_settled(settlement, now) for settlement in settlements]
        return self._write(lambda db: {each[5] for each in told if db.execute(SQL["settle"], each).rowcount})

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Delete what is settled and old enough, and tokens that ran out."""
        sources = {(state, source) for source, by in self.census().by_source.items() for state in by}

        def delete(db: sqlite3.Connection) -> int:
            db.execute(SQL["forget_tokens"], (_micros(now),))
            gone = 0
            for state, source in sorted(sources):
                if state in ages and state is not State.PENDING and gone < limit:
                    before = _micros(now - ages[state])
                    gone += db.execute(SQL["prune"], (state, source, before, limit - gone)).rowcount
            return gone

        return self._write(delete)

    def census(self) -> Census:
        """Counts, by an index only."""
        by_state: dict[State, int] = {}
        by_source: dict[str, dict[State, int]] = {}
        counts, oldest, unknown = self._read(
            lambda db: (
                db.execute(SQL["census"]).fetchall(),
                db.execute(SQL["oldest_pending"]).fetchone(),
                db.execute(SQL["unsupported_types"]).fetchall(),
            )
        )
        for state, source, count in counts:
            by_state[State(state)] = by_state.get(State(state), 0) + count
            by_source.setdefault(source, {})[State(state)] = count
        return Census(
            by_state=by_state,
            by_source=by_source,
            oldest_pending=_moment(oldest[0]) if oldest else None,
            unsupported_types={(source, type_): count for source, type_, count in unknown},
            size_bytes=sum(part.stat().st_size for part in self._parts() if part.exists()),
        )

    def find(self, source: str, key: str) -> Row | None:
        """One event."""
        found = self._read(lambda db: db.execute(SQL["find"], (source, key)).fetchone())
        return _row(found) if found else None

    def rows(self, *, states: Iterable[State] = (), source: str = "", after: int = 0, limit: int = 100) -> list[Row]:
        """Events in order of arrival."""
        told = {"states": _encode(sorted(states)).decode(), "source": source, "after": after, "limit": limit}
        return [_row(row) for row in self._read(lambda db: db.execute(SQL["rows"], told).fetchall())]

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Note a one-time token; the value first noted."""
        told = {"source": source, "token": token, "value": value, "now": _micros(now), "until": _micros(until)}
        first: str = self._write(lambda db: db.execute(SQL["remember"], told).fetchone())[0]
        return first

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Keep a small fact."""
        told = (name, _encode(value).decode(), _micros(now))
        self._write(lambda db: db.execute(SQL["note"], told) and None)

    def notes(self) -> Mapping[str, tuple[datetime, Mapping[str, Any]]]:
        """All small facts."""
        found = self._read(lambda db: db.execute(SQL["notes"]).fetchall())
        return {name: (_moment(at), msgspec.json.decode(value)) for name, value, at in found}

    def check(self) -> None:
        """A real durable write, and room for more."""
        free = self._guarded(lambda: shutil.disk_usage(self.path.parent).free)
        if free < FREE_FLOOR:
            raise JournalUnavailable(
                f"only {free // 1024} KiB are free beside the journal", hint="Free disk space, or move SEGUE_DATABASE."
            )
        self._write(lambda db: db.execute(SQL["note"], ("readiness", "{}", 0)) and None)

    def close(self) -> None:
        """Let go of the file."""
        self._run(self._drop)
        with self._read_lock:
            self._drop_reader()

    def _commit_group(self, group: Sequence[list[Params]]) -> list[Stored]:
        def insert(db: sqlite3.Connection) -> list[Stored]:
            stored = []
            for rows in group:
                before = db.total_changes
                db.executemany(SQL["append"], rows)
                new = db.total_changes - before
                stored.append(Stored(new, len(rows) - new))
            return stored

        return self._transact(insert)

    def _write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        self._after_fork()
        result: R = self._run(self._transact, work)
        return result

    def _transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """One durable transaction. Runs in the runner's thread; gevent's locks have no place in here."""
        return self._guarded(lambda: self._transaction(work), self._drop)

    def _transaction(self, work: Callable[[sqlite3.Connection], R]) -> R:
        if self._writer is None:
            self._open_writer()
        db = self._writer
        assert db is not None
        with self._turn():
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            if self.path.stat().st_ino != self._inode:
                raise FileNotFoundError("the journal's file was replaced while it was in use")
        return result

    def _read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        self._after_fork()
        with self._read_lock:
            return self._guarded(lambda: work(self._open_reader()), self._drop_reader)

    def _guarded(self, work: Callable[[], R], clean: Callable[[], None] = lambda: None) -> R:
        """Faults of the store become `JournalUnavailable`, and connections are opened anew the next time."""
        try:
            return work()
        except (sqlite3.DatabaseError, OSError) as error:
            clean()
            raise JournalUnavailable(
                f"the journal {self.path.name} cannot be used: {error}",
                hint="Check the disk's space and health and who may write there; nothing was stored meanwhile.",
            ) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        fcntl.flock(self._flock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._flock, fcntl.LOCK_UN)

    def _open_writer(self) -> None:
        self._flock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        self._writer = db
        db.row_factory = sqlite3.Row
        with self._turn():
            mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA fullfsync=ON")
            db.execute("PRAGMA wal_autocheckpoint=2000")
            if mode != "wal" or db.execute("PRAGMA synchronous").fetchone()[0] != 2:
                raise sqlite3.OperationalError("WAL with synchronous=FULL cannot be had here")
            _migrate(db)
        self._inode = self.path.stat().st_ino

    def _open_reader(self) -> sqlite3.Connection:
        inode = self.path.stat().st_ino
        if self._reader is not None and inode != self._reader_inode:
            self._drop_reader()
        if self._reader is None:
            self._reader_inode = inode
            self._reader = sqlite3.connect(
                f"{self.path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=10
            )
            self._reader.row_factory = sqlite3.Row
        return self._reader

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._flock >= 0:
            os.close(self._flock)
            self._flock = -1

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _after_fork(self) -> None:
        """SQLite's connections must not cross a fork: a child leaves them alone and opens its own."""
        if self._pid != os.getpid():
            _left_behind.extend((self._writer, self._reader))
            self._fresh()

    def _parts(self) -> Iterator[Path]:
        return (self.path.with_name(self.path.name + ending) for ending in ("", "-wal"))


_left_behind: Final[list[sqlite3.Connection | None]] = []
"""Connections inherited by a fork: closing them here would break the parent's locks."""


def _migrate(db: sqlite3.Connection) -> None:
    have = db.execute("PRAGMA user_version").fetchone()[0]
    want = max(map(int, MIGRATIONS))
    if have > want:
        raise JournalError(
            f"this journal is of schema {have}, this Segue knows {want}", hint="Start the newer version of Segue again."
        )
    for number in range(have + 1, want + 1):
        db.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[str(number)]} PRAGMA user_version = {number}; COMMIT;")


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // _MICRO


def _moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def _params(event: Event, now: datetime) -> Params:
    state = State.DEAD if event.problem else State.PENDING
    event.key.encode(), event.type.encode()  # what cannot be written must fail its own call only
    return (
        event.source, event.key, event.type, _micros(event.occurred_at), _micros(event.received_at), event.clock,
        event.trust, _encode(event.headers).decode(), _encode(event.envelope).decode(), event.raw, event.problem,
        state.value, _micros(now), _micros(now) if event.problem else None, event.problem,
    )  # fmt: skip


def _settled(settlement: Settlement, now: datetime) -> Params:
    pending = settlement.state is State.PENDING
    due = settlement.due_at or now
    return (
        settlement.state.value, settlement.reason, None if pending else _micros(now), _micros(due),
        int(settlement.attempt), settlement.claim.seq, settlement.claim.lease,
    )  # fmt: skip


def _kept(text: str) -> Mapping[str, str]:
    return _texts.decode(text) if text != "{}" else _NOTHING


def _event(row: sqlite3.Row) -> Event:
    return Event(
        source=row["source"],
        key=row["event_key"],
        type=row["type"],
        occurred_at=_moment(row["occurred_at"]),
        received_at=_moment(row["received_at"]),
        clock=row["clock"],
        trust=row["trust"],
        raw=row["body"],
        headers=_kept(row["headers"]),
        envelope=_kept(row["envelope"]),
        problem=row["problem"],
    )


def _row(row: sqlite3.Row) -> Row:
    def maybe(name: str) -> datetime | None:
        return None if row[name] is None else _moment(row[name])

    return Row(
        seq=row["seq"],
        event=_event(row),
        state=State(row["state"]),
        attempts=row["attempts"],
        due_at=maybe("due_at"),
        leased_until=maybe("leased_until"),
        settled_at=maybe("settled_at"),
        reason=row["reason"],
    )
