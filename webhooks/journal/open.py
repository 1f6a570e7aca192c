"""A journal from its URL."""

from __future__ import annotations

from webhooks.errors import SettingsError
from webhooks.journal.protocol import Journal
from webhooks.journal.sqlite import SqliteJournal


def open_journal(url: str) -> Journal:
    """`sqlite:///relative.db`, `sqlite:////absolute.db`, or a plain path."""
    if url.startswith("sqlite:///"):
        return SqliteJournal(url.removeprefix("sqlite:///"))
    if "://" in url:
        kind = url.partition("://")[0]
        raise SettingsError(
            [f"the journal's URL is of kind {kind!r}: this version stores in SQLite only; use sqlite:///segue.db"]
        )
    return SqliteJournal(url)
