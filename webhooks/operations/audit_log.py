"""Pages of the audit log, newest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from webhooks.journal import AuditEntry
from webhooks.journal.protocol import EventOperations, EventQueries
from webhooks.operations.selection import find_event


class AuditedJournal(EventQueries, EventOperations, Protocol):
    """What a page of the audit log uses of the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest:
    """The lines to show.

    event    only lines about this event: its number, its key, or SOURCE/KEY
    since    only lines at this time or later
    before   only lines before this id: `next` of the previous page
    """

    event: str = ""
    since: datetime | None = None
    before: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Lines of the audit log. `next` is the id to continue before; 0 on the last page."""

    lines: tuple[AuditEntry, ...]
    next: int = 0


def page(journal: AuditedJournal, request: AuditRequest, *, known: Collection[str] = ()) -> AuditPage:
    """Return a page of the audit log. Raise if an event's number or key matches no event or several."""
    event = _event(journal, request.event, known) if request.event else None
    lines = journal.audits(event=event, before=request.before, limit=request.limit + 1)
    if since := request.since:
        lines = [line for line in lines if line.at >= since]
    more = lines[request.limit - 1].id if len(lines) > request.limit else 0
    return AuditPage(lines=tuple(lines[: request.limit]), next=more)


def _event(journal: EventQueries, id_: str, known: Collection[str]) -> tuple[str, str]:
    """Return the source and key. SOURCE/KEY is not looked up, since the event may be pruned by now."""
    source, slash, key = id_.partition("/")
    if slash:
        return source, key
    row = find_event(journal, id_, known=known)
    return row.event.source, row.event.id
