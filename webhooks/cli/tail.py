"""`segue tail`: print events as they arrive, each once, from a cursor."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import click

from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.output import echo, fail, print_line
from webhooks.cli.rows import cells, opened
from webhooks.operations.event_json import content, facts

if TYPE_CHECKING:
    from webhooks.journal import Cursor, Filter, Row
    from webhooks.journal.protocol import EventQueries

PAGE: Final = 500
PAUSE: Final = 0.5
"""Seconds between polls of a journal without new events."""
MAX_PAUSE: Final = 10.0
"""Longest pause between polls of an unavailable journal, in seconds."""


@click.command(short_help="Follow events as they arrive; resumes from a cursor and skips none.")
@event_options(states=False, ids="none", times=False)
@click.option("--from", "start", default="now", metavar="CURSOR", help="now, start, or a cursor. Default: now.")
@click.option(
    "--cursor-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Start from the cursor in this file, and save the cursor to it.",
)
@click.option("--no-follow", is_flag=True, help="Stop at the end of the journal instead of waiting for more.")
@click.option("--body", is_flag=True, help="With headers, envelope and body; for --json.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def tail(choice: EventChoice, start: str, cursor_file: Path | None, no_follow: bool, body: bool, as_json: bool) -> None:
    """Print events in order of arrival, each in the state it had when it was read, until Ctrl-C or SIGTERM (exit 0).

    Each event is printed once, however many processes write. While the journal is unavailable, the command waits. With
    --cursor-file, the cursor is saved after the lines are written: if the command is killed in between, it prints a
    few events again at its next start, but never skips one.

    \b
    Examples:
      segue tail
      segue tail --source stripe --from start --no-follow
      segue tail --json --body --cursor-file /var/lib/reader/cursor | my-reader
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime

    if body and not as_json:
        raise fail("--body is for --json.", "Add --json, or use `segue show ID` for one event.")
    runtime = current_runtime()
    with Stop() as stop, opened(runtime) as journal:
        filter = choice.filter(journal, runtime, datetime.now(UTC))
        after = _begin(journal, start, cursor_file)
        try:
            for rows, cursor in follow(journal, filter, after, stop, wait=not no_follow):
                for row in rows:
                    _print(row, body=body, as_json=as_json)
                sys.stdout.flush()
                if cursor_file:
                    save_cursor(cursor_file, cursor)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader is gone: print nothing at exit


class Stop:
    """A flag set by a signal. Not a threading.Event: the interrupted thread may hold its lock."""

    def __init__(self) -> None:
        self._is_set = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self, *_: object) -> None:
        """Ask for a graceful end. A second signal ends at once, for example if the reader is blocked."""
        if self._is_set:
            raise SystemExit(1)
        self._is_set = True

    def is_set(self) -> bool:
        """Return whether the command should end."""
        return self._is_set

    def wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until it is set."""
        until = time.monotonic() + seconds
        while not self._is_set and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))


def follow(
    journal: EventQueries, filter: Filter, after: Cursor, stop: Stop, *, wait: bool
) -> Iterator[tuple[list[Row], Cursor]]:
    """Yield pages of events after a cursor, each with the next cursor, also pages without selected events."""
    from webhooks.errors import JournalUnavailable

    pause = 0.0
    while not stop.is_set():
        try:
            end = journal.end()
            rows = journal.rows(filter, after=after, limit=PAGE)
        except JournalUnavailable as error:
            if not pause:
                echo(f"{error.message}; waiting for it", err=True)
            pause = min(MAX_PAUSE, pause * 2 or PAUSE)
            stop.wait(pause)
            continue
        if pause:
            echo("the journal is available again", err=True)
            pause = 0.0
        cursor = rows[-1].cursor if rows else end
        if cursor != after:
            after = cursor
            yield rows, cursor
        if not rows:
            if not wait:
                return
            stop.wait(PAUSE)


def save_cursor(path: Path, cursor: Cursor) -> None:
    """Replace the saved cursor atomically."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w") as file:
        file.write(f"{cursor}\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _begin(journal: EventQueries, start: str, cursor_file: Path | None) -> Cursor:
    if cursor_file and cursor_file.exists() and (saved := cursor_file.read_text().strip()):
        return saved
    if start == "start":
        return ""
    return journal.end() if start == "now" else start


def _print(row: Row, *, body: bool, as_json: bool) -> None:
    if as_json:
        print_line({**facts(row), **(content(row) if body and not row.locked else {})})
    else:
        echo("  ".join(cells(row)).rstrip())
