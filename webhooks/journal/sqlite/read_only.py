"""A SQLite journal for a command that only reads: it creates no file and does not change the schema."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from webhooks.errors import JournalAbsent, JournalError, JournalOutdated
from webhooks.journal import records
from webhooks.journal.model import Stats
from webhooks.journal.runners import Runner
from webhooks.journal.sqlite import location
from webhooks.journal.sqlite.file import BAD_VALUE
from webhooks.journal.sqlite.migrate import LATEST
from webhooks.journal.sqlite.open_files import FileIdentity, identity, keep_new_log, log_is_missing

R = TypeVar("R")


class ReadOnlyFile:
    """Like `webhooks.journal.sqlite.file.SqliteFile`, only for reads. Raises `JournalAbsent` without a journal.

    SQLite creates a log and its index while it reads, and the last writable connection removes them. So if there is no
    log and the file is writable, it opens a writable connection that changes nothing. An existing log is kept.
    """

    def __init__(self, path: Path, run: Runner) -> None:
        self.path = path
        self.run = run
        self.stats = Stats()
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._name = os.path.realpath(path)
        self._opened = FileIdentity()

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return the result of some queries."""
        with self._lock:
            try:
                return work(self._current())
            except BAD_VALUE as error:
                raise records.unstorable("a value", error) from error
            except (sqlite3.Error, OSError, MemoryError) as error:
                self._close()
                raise location.unavailable(self.path, error) from error

    def write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Raise `JournalError`."""
        return self.transact(work)

    def transact(self, _work: Callable[[sqlite3.Connection], R]) -> NoReturn:
        """Raise `JournalError`."""
        raise JournalError(
            f"{self.path.name} was opened only for reading", hint="Nothing was changed. Report this command."
        )

    def free(self) -> int:
        """Return the free bytes on its disk."""
        return shutil.disk_usage(self.path.parent).free

    def size(self) -> int:
        """Return its size in bytes, including its log."""
        return sum(part.stat().st_size for part in (self.path, _log(self.path)) if part.exists())

    def close(self) -> None:
        """Close the connection; it is opened again when needed."""
        with self._lock:
            self._close()

    def abandon(self) -> None:
        """In the child of a fork: do nothing, since the connection is the parent's."""

    def _current(self) -> sqlite3.Connection:
        current = identity(self._name)
        if self._db is not None and current != self._opened:
            self._close()
        if self._db is None:
            location.refuse_path(self.path)
            if not self.path.exists() or not self.path.stat().st_size:
                raise JournalAbsent(f"no journal at {self.path} yet")
            if log_is_missing(self._name):
                raise FileNotFoundError("its log was removed, and no process has yet saved its content")
            self._db = self._connect()
            self._opened = identity(self._name)
        return self._db

    def _connect(self) -> sqlite3.Connection:
        may_write = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        mode = "rw" if may_write and not _log(self.path).exists() else "ro"
        db = sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=10
        )
        try:
            db.execute("PRAGMA query_only = ON")
            db.row_factory = sqlite3.Row
            location.refuse_foreign(db, self.path)
            self._refuse_schema(db)
        except BaseException:
            db.close()
            raise
        return db

    def _refuse_schema(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            raise JournalAbsent(f"no journal at {self.path} yet: the database is empty")
        if version < LATEST:
            raise JournalOutdated(
                f"the journal {self.path} has schema version {version}, and this Segue needs {LATEST}",
                hint="Run `segue migrate`, or start `segue serve`: both bring it to this version.",
            )
        if version > LATEST:
            raise JournalError(
                f"this journal has schema version {version}, and this Segue supports up to {LATEST}",
                hint="Start the newer version of Segue again.",
            )

    def _close(self) -> None:
        if self._db is not None:
            with keep_new_log(self._name, self._opened):
                self._db.close()
            self._db = None


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
