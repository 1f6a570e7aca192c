"""`segue export`: write events as JSON lines, complete and unchanged."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from webhooks.cli.confirm import actor_option, audit_context, progress_bars
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.output import echo, fail, print_json, warn
from webhooks.cli.rows import opened


@click.command(short_help="Write events to a file of JSON lines.")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@event_options()
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option("--salvage", is_flag=True, help="Read a damaged SQLite file: export every event that can still be read.")
@click.option("--reason", default="", help="For the audit log.")
@actor_option
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON (on stderr if FILE is -).")
def export(choice: EventChoice, file: str, force: bool, salvage: bool, reason: str, actor: str, as_json: bool) -> None:
    """Write the selected events, or all, to FILE (- is stdout; .gz is compressed), oldest first.

    Each line is an event with its exact body, headers, state, times and history. The first line identifies the file and
    the last one has the number of events, so that a truncated file is noticed. Bodies contain personal data: only you
    can read FILE.

    \b
    Examples:
      segue export all.jsonl.gz
      segue export dead.jsonl --state dead --since 30d
      segue export - --source stripe | wc -l
      SEGUE_DATABASE=sqlite:///damaged/segue.db segue export saved.jsonl --salvage
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations import export as operation

    runtime = current_runtime()
    if salvage and (choice or runtime.settings.on_postgres):
        raise fail("--salvage reads all of a damaged SQLite file.", "Omit the other options, or --salvage.")
    destination = _stdout() if file == "-" else operation.whole_file(Path(file), replace=force)
    now = datetime.now(UTC)
    with opened(runtime, change=not salvage) as journal, progress_bars() as report:
        if salvage:
            result = operation.salvage(journal, destination, now=now, report=report)
        else:
            request = operation.ExportRequest(name=file, selection=choice.selection(now), conditions=choice.as_dict())
            by = audit_context(actor, reason or "exported by hand")
            result = operation.run(journal, request, destination, by=by, now=now, known=runtime.names, report=report)
    if result.audit_error:
        warn(f"not recorded in the audit log: {result.audit_error}")
    if unreadable := result.unreadable:
        warn(
            f"{len(unreadable)} events cannot be read, or were pruned: the numbers {unreadable[0]} to {unreadable[-1]}",
            err=True,
        )
    if as_json and file == "-":
        echo(f'{{"exported": {result.events}}}', err=True)
    elif as_json:
        print_json({"exported": result.events, "file": file})
    else:
        echo(f"{result.events} events written to {'stdout' if file == '-' else file}.", err=True)


@contextlib.contextmanager
def _stdout() -> Iterator[IO[bytes]]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
