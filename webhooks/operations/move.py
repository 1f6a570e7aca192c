"""Copy a journal into another one, then compare them event by event. Repeating it copies only what is new."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from webhooks.errors import OperationRefused
from webhooks.journal import AuditContext, Filter, Row, is_absent
from webhooks.journal.notes import MOVED, NAMESPACE, MovedJournal
from webhooks.journal.open import other_namespace
from webhooks.journal.protocol import Counters, EventOperations, EventQueries, Notes, OneTimeTokens
from webhooks.journal.records import text
from webhooks.operations.load import SkippedEvent, load_each
from webhooks.operations.progress import ProgressListener, begin_phase, ignore_progress
from webhooks.operations.workers import ALIVE, running_workers

PAGE: Final = 500
COMPARED: Final = ("type", "raw", "headers", "envelope", "occurred_at", "received_at", "clock", "trust")
NAMES: Final = {"raw": "body"}


@dataclass(slots=True)
class CopyResult:
    """The result of one run. `present` counts the events that the target already had, whatever their content."""

    events: int = 0
    new: int = 0
    present: int = 0
    missing: int = 0
    refused: list[SkippedEvent] = field(default_factory=list)
    differences: list[SkippedEvent] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Return whether repeating the run would copy nothing more."""
        return not self.missing and bool(self.new or self.present or not self.events)

    def counts(self) -> Mapping[str, int]:
        """Return the counts as JSON; those of failures only if they are not zero."""
        wrong = {"missing": self.missing, "refused": len(self.refused)}
        counts = {"events": self.events, "new": self.new, "there": self.present, "differ": len(self.differences)}
        return counts | {name: count for name, count in wrong.items() if count}

    def lists(self) -> Mapping[str, list[dict[str, Any]]]:
        """Return the refused and the differing events as JSON."""
        lists = {"refused_events": self.refused, "differing_events": self.differences}
        return {name: [asdict(event) for event in events] for name, events in lists.items()}


class OriginJournal(EventQueries, Notes, OneTimeTokens, Counters, Protocol):
    """What a move uses of the journal that it copies."""


class TargetJournal(EventQueries, EventOperations, OneTimeTokens, Counters, Protocol):
    """What a move uses of the journal into which it copies."""


def plan(origin: OriginJournal, *, namespace: str) -> CopyResult:
    """Return how many events would be copied. Raise if the journal does not exist or has another namespace."""
    if absent := is_absent(origin):
        raise absent
    noted = NAMESPACE.read(origin.notes())
    if noted and other_namespace(noted, namespace):
        raise OperationRefused(
            f"FROM has the namespace {noted.namespace!r}, but {namespace!r} is configured: message ids would change.",
            hint=f"Set SEGUE_NAMESPACE={noted.namespace} for the new journal to keep them.",
        )
    return CopyResult(events=origin.count())


def run(
    origin: OriginJournal,
    target: TargetJournal,
    *,
    shown: str,
    by: AuditContext,
    clock: Callable[[], datetime],
    while_running: bool = False,
    report: ProgressListener = ignore_progress,
) -> CopyResult:
    """Copy every event, compare both journals, and mark `origin` as moved to the journal `shown`.

    Raise if both are the same journal, or if a worker runs on `origin`, unless `while_running` accepts that.
    """
    _check_preconditions(origin, target, clock(), while_running=while_running)
    copied = CopyResult(events=origin.count())
    _copy(origin, target, copied, report)
    _compare(origin, target, copied, report)
    now = clock()
    if copied.is_whole:
        if MOVED.read(origin.notes()) is None:  # copy the counters only once
            target.tally(origin.tallies())
        MOVED.write(origin, MovedJournal(shown), now=now)
    target.audit("move", copied.counts(), by=by, now=now)
    return copied


def _check_preconditions(origin: OriginJournal, target: TargetJournal, now: datetime, *, while_running: bool) -> None:
    token = uuid.uuid4().hex
    origin.remember("move", token, "from", now=now, until=now + ALIVE)
    if target.remember("move", token, "to", now=now, until=now + ALIVE) == "from":
        raise OperationRefused("FROM is the configured journal itself.", hint="Set DATABASE_URL to the target journal.")
    running = running_workers(origin, now)
    if running and not while_running:
        raise OperationRefused(
            f"A worker still runs on FROM: {', '.join(running)}.",
            hint="Stop Segue there, wait half a minute, and run this again. "
            "Or use --while-running, and repeat it later.",
        )


def _pages(journal: EventQueries) -> Iterator[list[Row]]:
    after = ""
    while page := journal.rows(after=after, limit=PAGE):
        yield page
        after = page[-1].cursor


def _copy(origin: EventQueries, target: EventOperations, copied: CopyResult, report: ProgressListener) -> None:
    """Copy every event that the target can store; record the others with the reason."""
    advance = begin_phase(report, "copying", copied.events)
    for page in _pages(origin):
        stored, refused = load_each(target, page)
        copied.new += stored.new
        copied.present += stored.duplicate
        copied.refused += refused
        advance(len(page))


def _compare(origin: EventQueries, target: EventQueries, copied: CopyResult, report: ProgressListener) -> None:
    """Check that the target has every event, identical to the byte. Its state there may be newer."""
    copied.events = origin.count()
    refused = {(event.source, event.key) for event in copied.refused}
    advance = begin_phase(report, "comparing", copied.events)
    for page in _pages(origin):
        keys = tuple(dict.fromkeys(row.event.id for row in page))
        sources = tuple({row.event.source for row in page})
        stored: dict[tuple[str, str], Row] = {}
        after = ""
        while rows := target.rows(Filter(keys=keys, sources=sources), after=after, limit=PAGE):
            stored |= {(row.event.source, row.event.id): row for row in rows}
            after = rows[-1].cursor
        for row in page:
            name = (row.event.source, row.event.id)
            copy = stored.get(name)
            if copy is None:
                copied.missing += name not in refused
            elif differ := _differences(row, copy):
                copied.differences.append(SkippedEvent.of(row, f"other {', '.join(differ)}"))
        advance(len(page))


def _differences(row: Row, copy: Row) -> list[str]:
    """Return the names of the fields that differ. Problems are compared as they are stored, in escaped form."""
    one, other = row.event, copy.event
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in COMPARED}
    pairs["problem"] = (text(one.problem), text(other.problem))
    return [NAMES.get(name, name) for name, (first, second) in pairs.items() if first != second]
