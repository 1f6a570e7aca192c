"""An event and a line of the audit log as JSON. docs/operating.md lists the members; members are only ever added."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from translators.kit import to_iso

if TYPE_CHECKING:
    from webhooks.journal import Attempt, AuditEntry, Row  # the command line shows its help without a journal


def facts(row: Row) -> dict[str, Any]:
    """Return the members of an event in every `--json`."""
    event = row.event
    return {
        "seq": row.seq,
        "cursor": row.cursor,
        "source": event.source,
        "key": event.id,
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


def _maybe(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso(moment)
