"""The embedded journal: one SQLite file."""

from webhooks.journal.sqlite.store import SqliteJournal

__all__ = ["SqliteJournal"]
