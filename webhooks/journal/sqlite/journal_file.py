"""The interface of the file in which a SQLite journal is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Protocol, TypeVar

from webhooks.journal.model import Stats
from webhooks.journal.runners import Runner

R = TypeVar("R")


class JournalFile(Protocol):
    """See `webhooks.journal.sqlite.file.SqliteFile`. Other classes are for a journal that is only read."""

    stats: Stats
    run: Runner

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return the result of some queries."""
        ...

    def write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run one durable transaction in a thread that may block."""
        ...

    def transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run one durable transaction in the calling thread."""
        ...

    def free(self) -> int:
        """Return the free bytes on its disk."""
        ...

    def size(self) -> int:
        """Return its size in bytes."""
        ...

    def close(self) -> None:
        """Close the file; it may be used again."""
        ...

    def abandon(self) -> None:
        """In the child of a fork: do not touch the parent's connections."""
        ...
