"""One SQLite file, in WAL with `synchronous=FULL`: durable transactions that take turns, and reads that wait for none.

Several processes may share the file. Their writes take turns by a blocking `flock` beside it, because SQLite's own
busy handler sleeps, which lengthens the tail latency. Reads take no lock.
https://www.sqlite.org/wal.html https://www.sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import location, queries, records
from webhooks.journal.model import Stats
from webhooks.journal.runners import Runner

R = TypeVar("R")
MIGRATIONS: Final = queries.load("sqlite_schema")
WAL_PAGES: Final = 2000
"""Pages of 4 KiB after which a commit moves the log into the database file."""
WAL_BYTES: Final = 64 * 1024 * 1024
"""What a log that grew (behind a long read, in a burst) shrinks to when it is begun anew."""
BAD_VALUE: Final = (
    sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, ValueError, TypeError, OverflowError,
)  # fmt: skip
"""The fault of what was to be stored, not of the store."""


class SqliteFile:
    """The file as one process uses it; never used across a fork. Connections open late, and again after a fault."""

    def __init__(self, path: Path, run: Runner) -> None:
        self.path = path
        self.run = run
        self._parts = (str(path), f"{path}-wal")
        self.stats = Stats()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._read_lock = threading.Lock()
        self._written = 0
        self._read = (0, 0)
        self._flock = -1

    def write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """`transact`, where it may block; `JournalError` for a value that cannot be stored."""
        try:
            result: R = self.run(self.transact, work)
        except BAD_VALUE as error:
            raise records.refused("a value", error) from error
        return result

    def transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """One durable transaction. Runs in the runner's thread; gevent's locks have no place in here.

        A fault of a value (`BAD_VALUE`) is raised as it is; every other of SQLite or the system is
        `JournalUnavailable`. Nothing is stored then.
        """
        began = time.perf_counter()
        try:
            result = self._transaction(work)
        except BAD_VALUE:
            raise
        except (sqlite3.Error, OSError, MemoryError) as error:
            self._drop_writer()
            raise location.unavailable(self.path, error) from error
        self.stats.commits += 1
        self.stats.last_commit_seconds = time.perf_counter() - began
        return result

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Read on a connection of its own."""
        with self._read_lock:
            try:
                return work(self._open_reader())
            except BAD_VALUE as error:
                raise records.refused("a value", error) from error
            except (sqlite3.Error, OSError, MemoryError) as error:
                self._drop_reader()
                raise location.unavailable(self.path, error) from error

    def free(self) -> int:
        """Bytes free on its disk."""
        try:
            return shutil.disk_usage(self.path.parent).free
        except OSError as error:
            raise location.unavailable(self.path, error) from error

    def size(self) -> int:
        """Bytes it takes, its log included."""
        return sum(part.stat().st_size for part in map(Path, self._parts) if part.exists())

    def close(self) -> None:
        """Let go of everything; it may be used again."""
        self.run(self._drop_writer)
        with self._read_lock:
            self._drop_reader()

    def leave_behind(self) -> None:
        """In the child of a fork: let go of the parent's lock, and leave its connections alone.

        Closing them here would break the parent's locks: https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
        """
        _left_behind.extend((self._writer, self._reader))
        if self._flock >= 0:
            os.close(self._flock)

    def _transaction(self, work: Callable[[sqlite3.Connection], R]) -> R:
        db = self._writer or self._open_writer()
        with self._turn():
            self._same_file(db)
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            self._same_file(db)
        return result

    def _same_file(self, db: sqlite3.Connection) -> None:
        """Somebody may have removed or replaced the files: what goes into one without a name is lost."""
        file, log = self._parts
        same = _inode(file) == self._written
        if same and os.access(log, os.F_OK):  # not stat: asking for its times makes the next sync dearer by a fifth
            return
        if same:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")  # only the log is gone: save what we still hold of it
        raise FileNotFoundError("its file was removed or replaced while it was in use")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        fcntl.flock(self._flock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._flock, fcntl.LOCK_UN)

    def _open_writer(self) -> sqlite3.Connection:
        location.refuse_path(self.path)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # its log gets the same mode
        lock = Path(f"{self.path}.lock")
        is_new = not lock.exists()
        self._flock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        db = _connect(self.path)
        try:
            with self._turn():
                location.refuse_foreign(db, self.path)
                _prepare(db)
                _migrate(db)
                self._written = _inode(self._parts[0])
        except BaseException as error:
            db.close()
            self._drop_writer()
            if is_new and isinstance(error, JournalUnavailable):
                lock.unlink(missing_ok=True)  # leave nothing beside a file that is not a journal
            raise
        self._writer = db
        return db

    def _open_reader(self) -> sqlite3.Connection:
        files = (_inode(self._parts[0]), _inode(self._parts[1]))
        if self._reader is not None and files != self._read:
            self._drop_reader()
        if self._reader is None:
            self._reader = _connect(f"{self.path.as_uri()}?mode=ro", uri=True)
            self._read = files
        return self._reader

    def _drop_writer(self) -> None:
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


_left_behind: Final[list[sqlite3.Connection | None]] = []


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - twice in every commit, where a Path costs double
    except FileNotFoundError:
        return 0


def _connect(target: Path | str, **how: Any) -> sqlite3.Connection:
    db: sqlite3.Connection = sqlite3.connect(target, isolation_level=None, check_same_thread=False, timeout=10, **how)
    db.row_factory = sqlite3.Row
    return db


def _prepare(db: sqlite3.Connection) -> None:
    mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    for pragma in (
        "synchronous=FULL", "fullfsync=ON", f"wal_autocheckpoint={WAL_PAGES}", f"journal_size_limit={WAL_BYTES}",
    ):  # fmt: skip
        db.execute(f"PRAGMA {pragma}")
    synchronous, full = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "fullfsync"))
    if (mode, synchronous, full) != ("wal", 2, 1):
        raise sqlite3.OperationalError("WAL with synchronous=FULL cannot be had here")


def _migrate(db: sqlite3.Connection) -> None:
    have = db.execute("PRAGMA user_version").fetchone()[0]
    want = max(map(int, MIGRATIONS))
    if have > want:
        raise JournalError(
            f"this journal is of schema {have}, this Segue knows {want}", hint="Start the newer version of Segue again."
        )
    for number in range(have + 1, want + 1):
        db.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[str(number)]} PRAGMA user_version = {number}; COMMIT;")
