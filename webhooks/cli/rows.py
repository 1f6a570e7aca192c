"""The configured journal of a command, and an event as a table row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from translators.kit import to_iso
from webhooks.cli.output import echo, identifier, short

if TYPE_CHECKING:
    from webhooks.journal import Journal, Row
    from webhooks.runtime import Runtime

HEADING: Final = ("#", "received", "source", "type", "state", "key", "reason")


@contextmanager
def opened(runtime: Runtime, *, change: bool = False, quiet: bool = False) -> Iterator[Journal]:
    """Open the configured journal, for reading or also to `change` it, and close it at the end. Never create it.

    If it is absent or empty, say so on stderr, unless `quiet`. An absent journal reads as an empty one.
    """
    from webhooks.journal import is_absent

    journal = runtime.open_existing(change=change)
    try:
        absent = is_absent(journal)
        if quiet:
            pass
        elif absent:
            echo(f"{absent.message}; {absent.hint}", err=True)
        elif not journal.rows(limit=1):
            echo(f"the journal {runtime.settings.database_shown} has no events", err=True)
        yield journal
    finally:
        journal.close()


@contextmanager
def created(runtime: Runtime) -> Iterator[Journal]:
    """Open the configured journal, creating it if there is none, and close it at the end."""
    journal = runtime.open_journal()
    try:
        yield journal
    finally:
        journal.close()


def cells(row: Row) -> list[str]:
    """Return a table row under `HEADING`."""
    event = row.event
    return [
        str(row.seq), clock(event.received_at), event.source, identifier(event.type), row.state.value,
        identifier(event.id), short(row.reason),
    ]  # fmt: skip


def clock(moment: datetime) -> str:
    """Return a time as `2026-03-31 12:00:00Z`, in UTC."""
    return f"{to_iso(moment)[:19].replace('T', ' ')}Z"
