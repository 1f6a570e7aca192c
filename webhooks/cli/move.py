"""`segue move`: a SQLite journal copied into PostgreSQL (or any journal into another), and compared afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webhooks.cli.acting import act, bar, by_whom
from webhooks.cli.output import fail, good, print_json, warn

if TYPE_CHECKING:
    from webhooks.journal import Journal, Row

PAGE: Final = 500
ALIVE: Final = timedelta(seconds=30)
"""A worker's heartbeat is younger than this while it runs."""


@dataclass(slots=True)
class Copied:
    """What one run did."""

    events: int = 0
    new: int = 0
    there: int = 0
    differ: int = 0


@click.command(short_help="Copy a SQLite journal into PostgreSQL; nothing lost, nothing doubled.")
@click.argument("source", metavar="FROM")
@click.option("--dry-run", is_flag=True, help="Say what would be copied.")
@click.option(
    "--while-running", is_flag=True, help="Copy although a worker still runs on FROM; run it again afterwards."
)
@by_whom
@click.option("--json", "as_json", is_flag=True)
def move(source: str, dry_run: bool, while_running: bool, who: str, as_json: bool) -> None:
    """Copy every event of the journal FROM (a file, or its address) into the configured one: bytes, states, times,
    history, edition. An event that is there already is left as it is, so a run that was broken off is simply started
    again. Afterwards both are compared, event by event.

    Stop `segue serve` (or web and work) on FROM first, move, then start with the new SEGUE_DATABASE or DATABASE_URL.
    FROM is left as it is but for a note, by which Segue refuses to start on it again.

    \b
    Examples:
      DATABASE_URL=postgres://... segue move segue.db
      DATABASE_URL=postgres://... segue move sqlite:////data/segue.db --dry-run
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import open_journal

    settings = configuration().settings
    file = source.removeprefix("sqlite:///")
    if "://" not in file and not Path(file).is_file():
        raise fail(f"There is no file {file!r}.", "Give the SQLite file that SEGUE_DATABASE named until now.")
    origin = open_journal(source, settings.encryption_key, moved=True)
    try:
        target = open_journal(settings.database, settings.encryption_key)
        try:
            _refuse(origin, target, while_running=while_running or dry_run)
            copied = Copied(events=origin.count())
            if not dry_run:
                _copy(origin, target, copied)
                _compare(origin, target, copied)
                _finish(origin, target, settings.database_shown, who, copied)
        finally:
            target.close()
    finally:
        origin.close()
    if as_json:
        print_json({"to": settings.database_shown, "dry_run": dry_run, **_numbers(copied)})
    elif dry_run:
        good(f"{copied.events} events would be copied to {settings.database_shown}")
    elif not copied.differ:
        good(f"{copied.events} events: {copied.new} copied, {copied.there} were there already; all compared and equal")
        warn("start Segue on the new journal only; what still came in behind the copy is fetched by running this again")
    if copied.differ:
        raise fail(
            f"{copied.differ} events are not the same in both journals.",
            "They were changed meanwhile, or came in: stop everything on FROM and run it again.",
        )


def _refuse(origin: Journal, target: Journal, *, while_running: bool) -> None:
    now, token = datetime.now(UTC), uuid.uuid4().hex
    origin.remember("move", token, "from", now=now, until=now + ALIVE)
    if target.remember("move", token, "to", now=now, until=now + ALIVE) == "from":
        raise fail("FROM is the configured journal itself.", "Set DATABASE_URL to the one that it is to be moved to.")
    alive = [name for name, (at, _) in origin.notes().items() if name.startswith("worker:") and now - at < ALIVE]
    if alive and not while_running:
        raise fail(
            f"A worker still runs on FROM: {', '.join(name.removeprefix('worker:') for name in alive)}.",
            "Stop Segue there, wait half a minute, and run it again; or give --while-running, and run it again later.",
        )


def _pages(journal: Journal) -> Iterator[list[Row]]:
    after = ""
    while page := journal.rows(after=after, limit=PAGE):
        yield page
        after = page[-1].cursor


def _copy(origin: Journal, target: Journal, copied: Copied) -> None:
    with bar("copying", copied.events) as advance:
        for page in _pages(origin):
            stored = target.load(page)
            copied.new += stored.new
            copied.there += stored.duplicate
            advance(len(page))


def _compare(origin: Journal, target: Journal, copied: Copied) -> None:
    """Every event of the one must be in the other, to the byte; its state there may have gone on."""
    from webhooks.journal import Filter

    copied.events = origin.count()
    with bar("comparing", copied.events) as advance:
        for page in _pages(origin):
            keys = tuple(dict.fromkeys(row.event.key for row in page))
            sources = tuple({row.event.source for row in page})
            found: dict[tuple[str, str], Row] = {}
            after = ""
            while rows := target.rows(Filter(keys=keys, sources=sources), after=after, limit=PAGE):
                found |= {(row.event.source, row.event.key): row for row in rows}
                after = rows[-1].cursor
            for row in page:
                there = found.get((row.event.source, row.event.key))
                copied.differ += there is None or there.event != replace(row.event, options=there.event.options)
            advance(len(page))


def _finish(origin: Journal, target: Journal, shown: str, who: str, copied: Copied) -> None:
    from webhooks.journal.open import MOVED

    now = datetime.now(UTC)
    if not copied.differ:
        if MOVED not in origin.notes():  # the counters once
            target.tally(origin.tallies())
        origin.note(MOVED, {"to": shown}, now=now)
    target.audit("move", _numbers(copied), by=act(who, ""), now=now)


def _numbers(copied: Copied) -> Mapping[str, int]:
    return {"events": copied.events, "new": copied.new, "there": copied.there, "differ": copied.differ}
