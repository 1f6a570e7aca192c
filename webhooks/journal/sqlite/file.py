"""One SQLite file, in WAL mode with `synchronous=FULL`: durable transactions in turn, and reads that never wait.

Several processes may share the file. Their writes take turns by a blocking `flock` beside it, because SQLite's own
busy handler sleeps, which lengthens the tail latency. Reads take no lock.
https://www.sqlite.org/wal.html https://www.sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakSet

from webhooks.journal import records
from webhooks.journal.model import Stats
from webhooks.journal.per_process import PerProcess
from webhooks.journal.runners import Runner, real_lock
from webhooks.journal.sqlite import damage, location
from webhooks.journal.sqlite.migrate import migrate
from webhooks.journal.sqlite.open_files import (
    SAVED,
    FileIdentity,
    FileLock,
    FileUsers,
    OpenFiles,
    Recovery,
    are_open_here,
    create,
    identity,
    keep_new_log,
    log_of,
    recorded_at,
    restore_kept_log,
)

R = TypeVar("R")
WAL_PAGES: Final = 2000
"""Pages of 4 KiB after which a commit moves the log into the database file."""
WAL_BYTES: Final = 64 * 1024 * 1024
"""Size to which a log that grew (during a long read or a burst) is cut when SQLite starts it again."""
BAD_VALUE: Final = (
    sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, ValueError, TypeError, OverflowError,
)  # fmt: skip
"""Errors caused by a value, not by the store."""


class FileRegistry:
    """The objects of one process, also of threads that gevent does not know."""

    def __init__(self) -> None:
        self._lock = real_lock()
        self._files: WeakSet[SqliteFile] = WeakSet()

    def add(self, file: SqliteFile) -> None:
        """Add an object."""
        with self._lock:
            self._files.add(file)

    def all(self) -> list[SqliteFile]:
        """Return the objects that are in use."""
        with self._lock:
            return list(self._files)


class SqliteFile:
    """The file in one process; never used across a fork. Connections open when needed, and again after an error.

    A write is durable only if other processes find the same files under the names. Before and after each transaction
    and each read, the files under the names are compared with the open ones (`webhooks.journal.sqlite.open_files`).
    """

    def __init__(self, path: Path, run: Runner) -> None:
        self.path = path
        self.run = run
        self.stats = Stats()
        self._name = os.path.realpath(path)
        self._lock = FileLock(self._name)
        self._users = FileUsers(self._name)
        self._writing: OpenFiles | None = None
        self._reading: OpenFiles | None = None
        self._read_lock = real_lock()  # also taken by the runner's thread
        _open_in_process.get().add(self)

    def write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Call `transact` by the runner. Raise `JournalError` for a value that cannot be stored."""
        try:
            result: R = self.run(self.transact, work)
        except BAD_VALUE as error:
            raise records.unstorable("a value", error) from error
        return result

    def transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run one durable transaction. It runs in the runner's thread, so gevent's locks must not be used in it.

        An error caused by a value (`BAD_VALUE`) is raised unchanged; any other error of SQLite or the system becomes
        `JournalUnavailable`. In both cases nothing is stored.
        """
        began = time.perf_counter()
        try:
            with self._turn():
                result = self._transaction(work)
        except BAD_VALUE:
            raise
        except (sqlite3.Error, OSError, MemoryError) as error:
            raise location.unavailable(self.path, error) from error
        self.stats.commits += 1
        self.stats.last_commit_seconds = time.perf_counter() - began
        return result

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Read on a separate connection, without waiting for a turn."""
        try:
            for _ in range(3):
                with self._read_lock:
                    result = self._read(work)
                if result is not None:
                    return result[0]
                self.run(self._refresh)
            raise FileNotFoundError(REPLACED)
        except BAD_VALUE as error:
            raise records.unstorable("a value", error) from error
        except (sqlite3.Error, OSError, MemoryError) as error:
            with self._read_lock:
                self._close_reader()
            raise location.unavailable(self.path, error) from error

    def free(self) -> int:
        """Return the free bytes on its disk."""
        try:
            return shutil.disk_usage(self.path.parent).free
        except OSError as error:
            raise location.unavailable(self.path, error) from error

    def size(self) -> int:
        """Return its size in bytes, including its log."""
        return sum(part.stat().st_size for part in (Path(self._name), Path(log_of(self._name))) if part.exists())

    def close(self) -> None:
        """Close all connections; the file may be used again."""
        self.run(self._close)

    def abandon(self) -> None:
        """In the child of a fork: close the child's descriptors of the lock files, and do not touch the connections.

        Closing them in the child would break the parent's locks: https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
        """
        self._lock.close()
        self._users.leave()

    @property
    def _writer(self) -> sqlite3.Connection | None:
        return self._writing.db if self._writing else None

    def _transaction(self, work: Callable[[sqlite3.Connection], R]) -> R:
        files = self._current()
        db = files.db
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except BAD_VALUE:
            raise
        except (sqlite3.Error, OSError, MemoryError) as error:
            self._close_or_recover(files)
            if damage.is_damage(error):
                damage.note(self._name, str(error))
            raise
        if not files.unchanged():
            self._recover(files)
            raise FileNotFoundError(REPLACED)
        return result

    def _current(self) -> OpenFiles:
        """Return the files to write to; open them if necessary."""
        files = self._writing
        if files is None:
            return self._open_writer()
        if not files.unchanged():
            self._recover(files)
            raise FileNotFoundError(REPLACED)
        return files

    def _recover(self, files: OpenFiles, *, wait: bool = False) -> None:
        """Save the content of the open files, then close all connections of this process to them.

        If they cannot be saved now, raise `OSError` and close nothing. `wait` gives reads in progress time to end.
        """
        recovery = Recovery(files, self._users)
        recovery.save(wait=wait)
        with keep_new_log(self._name, files.identity):
            for file in self._in_process():
                file._close_connections()

    def _close_or_recover(self, files: OpenFiles, *, wait: bool = False) -> None:
        if files.unchanged():
            self._close_connections()
        else:
            self._recover(files, wait=wait)

    def _refresh(self) -> None:
        """Recover, and open the current files, after a reader found other files under the names."""
        with self._turn():
            if self._writing is not None and not self._writing.unchanged():
                self._recover(self._writing)
            self._current()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        is_new = self._writing is None and not os.path.exists(f"{self._name}.lock")  # noqa: PTH110
        if self._writing is None:
            location.refuse_path(self.path)
        try:
            with self._lock():
                yield
        finally:
            if self._writing is None:
                self._lock.close()
                if is_new:  # leave nothing beside a file that is not a journal
                    for end in (".lock", ".open"):
                        Path(self._name + end).unlink(missing_ok=True)

    def _open_writer(self) -> OpenFiles:
        for file in self._in_process():
            if file._writing is not None and not file._writing.unchanged():
                file._recover(file._writing)
        restore_kept_log(self._name)
        expected = self._join()
        try:
            create(self._name)
            db = _connect(self._name)
            try:
                location.refuse_foreign(db, self.path)
                _prepare(db)
                migrate(db)
                current = _opened(self._name, expected)
            except BaseException:
                db.close()
                raise
        except BaseException:
            self._users.leave()
            raise
        if expected is None:
            self._users.record(current)
        self._writing = OpenFiles(self._name, current, db)
        return self._writing

    def _join(self) -> FileIdentity | None:
        """Become a user of the files; return the files that other users have open, or None."""
        alone = self._users.join()
        recorded = self._users.recorded()
        if alone or recorded in {None, SAVED}:
            return None
        if recorded != identity(self._name):
            self._users.leave()
            raise FileNotFoundError(
                "one of its files was removed or replaced, and another process has not yet saved its content"
            )
        return recorded

    def _read(self, work: Callable[[sqlite3.Connection], R]) -> tuple[R] | None:
        """Return the result in a tuple; None if the files under the names are not the open ones."""
        if self._reading is not None and not self._reading.unchanged():
            self._close_reader()
        files = self._reading or self._open_reader()
        if files is None:
            return None
        try:
            result = work(files.db)
        except BAD_VALUE:
            raise
        except (sqlite3.Error, OSError) as error:
            if not files.unchanged():
                return None
            if damage.is_damage(error):
                damage.note(self._name, str(error))
            raise
        return (result,) if files.unchanged() else None

    def _open_reader(self) -> OpenFiles | None:
        expected = self._writing.identity if self._writing is not None else recorded_at(self._name)
        if expected is None or expected != identity(self._name):
            return None
        db = _connect(f"{Path(self._name).as_uri()}?mode=ro", uri=True)
        try:
            db.execute("PRAGMA user_version").fetchone()
            _opened(self._name, expected)
        except BaseException:
            db.close()
            raise
        self._reading = OpenFiles(self._name, expected, db)
        return self._reading

    def _in_process(self) -> list[SqliteFile]:
        """Return all objects of this process for the same file: SQLite shares its open files among them."""
        return [file for file in _open_in_process.get().all() if file._name == self._name]

    def _close(self) -> None:
        files = self._writing
        if files is not None:
            with suppress(sqlite3.Error, OSError), self._turn():
                self._close_or_recover(files, wait=True)
        self._close_connections()

    def _close_connections(self) -> None:
        with self._read_lock:
            self._close_reader()
        if self._writing is not None:
            self._writing.db.close()
            self._writing = None
        self._users.leave()

    def _close_reader(self) -> None:
        if self._reading is not None:
            self._reading.db.close()
            self._reading = None


REPLACED: Final = "its file was removed or replaced while it was in use"
_open_in_process: Final = PerProcess(FileRegistry)


def _opened(name: str, expected: FileIdentity | None) -> FileIdentity:
    """Return the files that a new connection has open. Raise `FileNotFoundError` if they are not the expected ones."""
    current = identity(name)
    if not current.complete or expected not in {None, current} or not are_open_here(current):
        raise FileNotFoundError(REPLACED)
    return current


def _connect(target: str, **options: Any) -> sqlite3.Connection:
    db: sqlite3.Connection = sqlite3.connect(
        target, isolation_level=None, check_same_thread=False, timeout=10, **options
    )
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
        raise sqlite3.OperationalError("this file system does not support WAL with synchronous=FULL")
