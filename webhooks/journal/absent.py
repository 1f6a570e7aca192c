"""A journal that does not exist yet, for commands that read: empty until it is created."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from webhooks.errors import JournalAbsent
from webhooks.journal.model import Cursor, Stats
from webhooks.journal.protocol import Journal
from webhooks.journal.runners import Runner
from webhooks.journal.sqlite import SqliteJournal
from webhooks.journal.sqlite.migrate import migrate

R = TypeVar("R")


class EmptyFile:
    """Like `webhooks.journal.sqlite.file.SqliteFile`, in memory and without rows. Writes raise `JournalAbsent`."""

    def __init__(self, absent: JournalAbsent, path: Path, run: Runner) -> None:
        self.path = path
        self.run = run
        self.stats = Stats()
        self._absent = absent
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        migrate(self._db)

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return the result of some queries."""
        with self._lock:
            return work(self._db)

    def write(self, _work: Callable[[sqlite3.Connection], R]) -> R:
        """Raise `JournalAbsent`."""
        raise self._absent

    def transact(self, _work: Callable[[sqlite3.Connection], R]) -> NoReturn:
        """Raise `JournalAbsent`."""
        raise self._absent

    def free(self) -> int:
        """Raise `JournalAbsent`."""
        raise self._absent

    def size(self) -> int:
        """Return 0."""
        return 0

    def close(self) -> None:
        """Do nothing: no file is open."""

    def abandon(self) -> None:
        """Do nothing: nothing belongs to the parent of a fork."""


class AbsentJournal:
    """Act as an empty `webhooks.journal.protocol.Journal`; once the journal exists, act as that journal.

    `open` opens it or raises `JournalAbsent`.
    """

    def __init__(self, absent: JournalAbsent, open: Callable[[], Journal]) -> None:
        self.absent = absent
        self._open = open
        self._present: Journal | None = None
        self._empty = SqliteJournal("", file=partial(EmptyFile, absent))

    @property
    def present(self) -> Journal | None:
        """Return the journal if it exists by now."""
        if self._present is None:
            try:
                self._present = self._open()
            except JournalAbsent:
                return None
        return self._present

    def end(self) -> Cursor:
        """Return the end of the journal; before it exists, the cursor before the first event of its store."""
        return present.end() if (present := self.present) else self.absent.beginning

    def close(self) -> None:
        """Close the journal, or the empty one."""
        (self._present or self._empty).close()

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the journal or of the empty one."""
        return getattr(self.present or self._empty, name)
