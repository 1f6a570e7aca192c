"""An event as a table row and as JSON. docs/operating.md lists the members; members are only ever added."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from translators.kit import to_iso
from webhooks.cli.output import echo, identifier, short

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.journal import Attempt, AuditEntry, Journal, Row

HEADING: Final = ("#", "received", "source", "type", "state", "key", "reason")


@contextmanager
def opened(config: Configuration, *, change: bool = False, quiet: bool = False) -> Iterator[Journal]:
    """Open the configured journal, for reading or also to `change` it, and close it at the end. Never create it.

    If it is absent or empty, say so on stderr, unless `quiet`. An absent journal reads as an empty one.
    """
    from webhooks.journal import is_absent, open_existing

    settings = config.settings
    journal = open_existing(settings.database, settings.encryption_key, change=change)
    try:
        absent = is_absent(journal)
        if quiet:
            pass
        elif absent:
            echo(f"{absent.message}; {absent.hint}", err=True)
        elif not journal.rows(limit=1):
            echo(f"the journal {settings.database_shown} has no events", err=True)
        yield journal
    finally:
        journal.close()


@contextmanager
def created(config: Configuration) -> Iterator[Journal]:
    """Open the configured journal, creating it if there is none, and close it at the end."""
    from webhooks.journal import open_journal

    settings = config.settings
    journal = open_journal(settings.database, settings.encryption_key, namespace=settings.own_namespace)
    try:
        yield journal
    finally:
        journal.close()


def cells(row: Row) -> list[str]:
    """Return a table row under `HEADING`."""
    event = row.event
    return [
        str(row.seq), clock(event.received_at), event.source, identifier(event.type), row.state.value,
        identifier(event.key), short(row.reason),
    ]  # fmt: skip


def facts(row: Row) -> dict[str, Any]:
    """Return the members of an event in every `--json`."""
    event = row.event
    return {
        "seq": row.seq,
        "cursor": row.cursor,
        "source": event.source,
        "key": event.key,
        "type": event.type,
        "state": row.state.value,
        "reason": row.reason,
        "occurred_at": to_iso(event.occurred_at),
        "received_at": to_iso(event.received_at),
        "clock": event.clock,
        "trust": event.trust,
        "locked": row.locked or None,
        "attempts": row.attempts,
        "edition": row.replay_generation,
        "due_at": _maybe(row.due_at) if row.settled_at is None else None,
        "leased_until": _maybe(row.leased_until),
        "settled_at": _maybe(row.settled_at),
    }


def content(row: Row) -> dict[str, Any]:
    """Return the body of an event, as text if it is text, with its stored headers and envelope."""
    event = row.event
    try:
        body = {"body": event.raw.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(event.raw).decode()}
    return {"headers": dict(event.headers), "envelope": dict(event.envelope), **body}


def attempts(history: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Return an event's history as JSON."""
    return [
        {"at": to_iso(attempt.at), "who": attempt.actor, "outcome": attempt.outcome, "reason": attempt.reason}
        for attempt in history
    ]


def audited(line: AuditEntry) -> dict[str, Any]:
    """Return an audit entry as JSON."""
    return {
        "id": line.id, "at": to_iso(line.at), "who": line.actor, "action": line.action, "reason": line.reason,
        "operation": line.operation, "events": list(line.events), "detail": dict(line.detail),
    }  # fmt: skip


def clock(moment: datetime) -> str:
    """Return a time as `2026-03-31 12:00:00Z`, in UTC."""
    return f"{to_iso(moment)[:19].replace('T', ' ')}Z"


def _maybe(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso(moment)
