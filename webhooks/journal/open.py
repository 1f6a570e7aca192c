"""A journal from its URL."""

from __future__ import annotations

from webhooks.errors import SettingsError
from webhooks.journal.protocol import Journal
from webhooks.journal.sqlite import SqliteJournal


def open_journal(url: str) -> Journal:
    """`sqlite:///relative.db`, `sqlite:////absolute.db`, or a plain path; `SettingsError` for all else."""
    path = url.removeprefix("sqlite:///")
    kind = path.partition("://")[0]
    if kind in {"postgres", "postgresql"}:
        raise SettingsError(
            ["the journal's URL: PostgreSQL is not supported by this version, a later one will; use sqlite:///segue.db"]
        )
    if kind != path or path.startswith("sqlite:"):
        raise SettingsError([f"the journal's URL begins with {kind.partition(':')[0]!r}; use sqlite:///segue.db"])
    if not path:
        raise SettingsError(["the journal's URL names no file; use sqlite:///segue.db"])
    return SqliteJournal(path)
