"""`segue move`: copy a SQLite journal into PostgreSQL (or any journal into another), then compare them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.confirm import actor_option, audit_context, bar
from webhooks.cli.loading import SkippedEvent, load_each, print_skipped
from webhooks.cli.output import fail, good, print_json, warn

if TYPE_CHECKING:
    from webhooks.journal import Journal, Row
    from webhooks.journal.protocol import EventOperations, EventQueries, Notes

PAGE: Final = 500
COMPARED: Final = ("type", "raw", "headers", "envelope", "occurred_at", "received_at", "clock", "trust")
NAMES: Final = {"raw": "body"}
ALIVE: Final = timedelta(seconds=30)
"""A running worker's heartbeat is never older than this."""


@dataclass(slots=True)
class CopyResult:
    """The result of one run. `there` counts the events that the target already had, whatever their content."""

    events: int = 0
    new: int = 0
    there: int = 0
    missing: int = 0
    refused: list[SkippedEvent] = field(default_factory=list)
    differences: list[SkippedEvent] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Return whether repeating the run would copy nothing more."""
        return not self.missing and bool(self.new or self.there or not self.events)


@click.command(short_help="Copy a SQLite journal into PostgreSQL, without loss or duplicates.")
@click.argument("source", metavar="FROM")
@click.option("--dry-run", is_flag=True, help="Show what would be copied.")
@click.option(
    "--while-running", is_flag=True, help="Copy even if a worker still runs on FROM; run the command again afterwards."
)
@actor_option
@click.option("--json", "as_json", is_flag=True)
def move(source: str, dry_run: bool, while_running: bool, actor: str, as_json: bool) -> None:
    """Copy every event of the journal FROM (a file, or its address) into the configured one: bytes, states, times,
    history, edition. Events that the target already has are skipped, so an interrupted run can be repeated. Afterwards
    both journals are compared, event by event. Events that the target cannot store, and events that differ, are listed
    with the reason (exit code 1); all others are copied, and repeating the run changes nothing.

    First stop `segue serve` (or web and work) on FROM. Then move, and start with the new SEGUE_DATABASE or
    DATABASE_URL. FROM stays unchanged except for a note, because of which Segue refuses to start on it again.

    \b
    Examples:
      DATABASE_URL=postgres://... segue move segue.db
      DATABASE_URL=postgres://... segue move sqlite:////data/segue.db --dry-run
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import is_absent, open_existing, open_journal

    settings = configuration().settings
    file = source.removeprefix("sqlite:///")
    if "://" not in file and not Path(file).is_file():
        raise fail(f"There is no file {file!r}.", "Give the SQLite file that SEGUE_DATABASE named before.")
    origin = open_existing(source, settings.encryption_key, change=not dry_run, moved=True)
    try:
        if absent := is_absent(origin):
            raise absent
        _same_namespace(origin, settings.own_namespace)
        if dry_run:
            copied = CopyResult(events=origin.count())
        else:
            target = open_journal(settings.database, settings.encryption_key, namespace=settings.own_namespace)
            try:
                _check_preconditions(origin, target, while_running=while_running)
                copied = CopyResult(events=origin.count())
                _copy(origin, target, copied)
                _compare(origin, target, copied)
                _finish(origin, target, settings.database_shown, actor, copied)
            finally:
                target.close()
    finally:
        origin.close()
    if as_json:
        print_json({"to": settings.database_shown, "dry_run": dry_run, **_numbers(copied), **_lists(copied)})
    elif dry_run:
        good(f"{copied.events} events would be copied to {settings.database_shown}")
    else:
        _print(copied)
    if copied.missing:
        raise fail(
            f"{copied.missing} events arrived, or were changed, during the copy.",
            "Stop everything on FROM and run it again.",
        )
    if copied.refused or copied.differences:
        raise SystemExit(1)


def _print(copied: CopyResult) -> None:
    equal = "all compared and equal"
    if copied.refused or copied.differences or copied.missing:
        equal = "all the others compared and equal"
    good(f"{copied.events} events: {copied.new} copied, {copied.there} were already present; {equal}")
    print_skipped("cannot be stored in the new journal, and stay in FROM", copied.refused)
    print_skipped("differ between the journals: each keeps its own version", copied.differences)
    if copied.is_whole:
        warn("start Segue on the new journal only; to copy events that arrived during the copy, run this again")


def _same_namespace(origin: Notes, ours: str) -> None:
    from webhooks.journal.notes import NAMESPACE
    from webhooks.journal.open import other_namespace

    noted = NAMESPACE.read(origin.notes())
    if noted and other_namespace(noted, ours):
        theirs = noted.namespace
        raise fail(
            f"FROM has the namespace {theirs!r}, but {ours!r} is configured: message ids would change.",
            f"Set SEGUE_NAMESPACE={theirs} for the new journal to keep them.",
        )


def _check_preconditions(origin: Journal, target: Journal, *, while_running: bool) -> None:
    from webhooks.journal.notes import WORKERS

    now, token = datetime.now(UTC), uuid.uuid4().hex
    origin.remember("move", token, "from", now=now, until=now + ALIVE)
    if target.remember("move", token, "to", now=now, until=now + ALIVE) == "from":
        raise fail("FROM is the configured journal itself.", "Set DATABASE_URL to the target journal.")
    alive = [name for name, (at, _) in WORKERS.read(origin.notes()).items() if now - at < ALIVE]
    if alive and not while_running:
        raise fail(
            f"A worker still runs on FROM: {', '.join(alive)}.",
            "Stop Segue there, wait half a minute, and run this again. Or use --while-running, and repeat it later.",
        )


def _pages(journal: EventQueries) -> Iterator[list[Row]]:
    after = ""
    while page := journal.rows(after=after, limit=PAGE):
        yield page
        after = page[-1].cursor


def _copy(origin: EventQueries, target: EventOperations, copied: CopyResult) -> None:
    """Copy every event that the target can store; record the others with the reason."""
    with bar("copying", copied.events) as advance:
        for page in _pages(origin):
            stored, refused = load_each(target, page)
            copied.new += stored.new
            copied.there += stored.duplicate
            copied.refused += refused
            advance(len(page))


def _compare(origin: EventQueries, target: EventQueries, copied: CopyResult) -> None:
    """Check that the target has every event, identical to the byte. Its state there may be newer."""
    from webhooks.journal import Filter

    copied.events = origin.count()
    refused = {(event.source, event.key) for event in copied.refused}
    with bar("comparing", copied.events) as advance:
        for page in _pages(origin):
            keys = tuple(dict.fromkeys(row.event.key for row in page))
            sources = tuple({row.event.source for row in page})
            stored: dict[tuple[str, str], Row] = {}
            after = ""
            while rows := target.rows(Filter(keys=keys, sources=sources), after=after, limit=PAGE):
                stored |= {(row.event.source, row.event.key): row for row in rows}
                after = rows[-1].cursor
            for row in page:
                name = (row.event.source, row.event.key)
                there = stored.get(name)
                if there is None:
                    copied.missing += name not in refused
                elif differ := _differences(row, there):
                    copied.differences.append(SkippedEvent.of(row, f"other {', '.join(differ)}"))
            advance(len(page))


def _differences(row: Row, there: Row) -> list[str]:
    """Return the names of the fields that differ. Problems are compared as they are stored, in escaped form."""
    from webhooks.journal.records import text

    one, other = row.event, there.event
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in COMPARED}
    pairs["problem"] = (text(one.problem), text(other.problem))
    return [NAMES.get(name, name) for name, (ours, theirs) in pairs.items() if ours != theirs]


def _finish(origin: Journal, target: Journal, shown: str, actor: str, copied: CopyResult) -> None:
    from webhooks.journal.notes import MOVED, MovedJournal

    now = datetime.now(UTC)
    if copied.is_whole:
        if MOVED.read(origin.notes()) is None:  # copy the counters only once
            target.tally(origin.tallies())
        MOVED.write(origin, MovedJournal(shown), now=now)
    target.audit("move", _numbers(copied), by=audit_context(actor, ""), now=now)


def _numbers(copied: CopyResult) -> Mapping[str, int]:
    """Return the counts; those of failures only if they are not zero."""
    wrong = {"missing": copied.missing, "refused": len(copied.refused)}
    counts = {"events": copied.events, "new": copied.new, "there": copied.there, "differ": len(copied.differences)}
    return counts | {name: count for name, count in wrong.items() if count}


def _lists(copied: CopyResult) -> Mapping[str, list[dict[str, Any]]]:
    lists = {"refused_events": copied.refused, "differing_events": copied.differences}
    return {name: [asdict(event) for event in events] for name, events in lists.items()}
