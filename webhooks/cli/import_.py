"""`segue import`: load events from a file of JSON lines, all of them or none."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from webhooks.cli.confirm import actor_option, audit_context, progress_bars
from webhooks.cli.loading import print_skipped
from webhooks.cli.output import bad, echo, fail, print_columns, print_json
from webhooks.cli.rows import created
from webhooks.logs import printable

if TYPE_CHECKING:
    from webhooks.operations.import_ import FileContents, ImportResult

SHOWN: Final = 20
"""Broken lines shown one by one."""


@click.command("import", short_help="Read events from a file of JSON lines that `segue export` wrote.")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Check the file and show what is in it; store nothing.")
@click.option("--skip-broken", is_flag=True, help="Skip broken lines, and accept a truncated file.")
@click.option("--partial", is_flag=True, help="FILE is a part of an export, without its first and last line.")
@click.option("--reason", default="", help="For the audit log.")
@actor_option
@click.option("--json", "as_json", is_flag=True)
def import_(file: str, dry_run: bool, skip_broken: bool, partial: bool, reason: str, actor: str, as_json: bool) -> None:
    """Read FILE (- is stdin; .gz or not) and store its events unchanged: state, times, history, edition.

    An event whose source and key are already in the journal is skipped, so the same file can be imported again, for
    example after a crash. Every line is checked first; if one is broken, nothing is stored. The worker delivers the
    pending events; the others are not sent.

    Exit code 0 if all lines are stored or were present; 1 if a line is broken, also with --skip-broken, or if the
    journal cannot store an event: that event is named, and the others are stored.

    \b
    Examples:
      segue import all.jsonl.gz --dry-run
      segue import all.jsonl.gz
      zgrep '"source":"stripe"' all.jsonl.gz | segue import - --partial
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations import import_ as operation

    runtime = current_runtime()
    by = audit_context(actor, reason or "imported by hand")
    with _rewindable(file) as raw, operation.read_export(raw) as export:
        with progress_bars() as report:
            contents = operation.check(export, partial=partial, report=report)
        store = not dry_run and (skip_broken or not contents.is_faulty)
        result = operation.ImportResult()
        if store and contents.events:
            with created(runtime) as journal, progress_bars() as report:
                result = operation.run(
                    journal, export, contents, name=file, by=by, clock=lambda: datetime.now(UTC),
                    skip_broken=skip_broken, report=report,
                )  # fmt: skip
    if as_json:
        print_json(
            {
                "stored": store,
                "events": contents.events,
                "new": result.new,
                "present": result.present,
                "faults": contents.faults,
                "broken": [{"line": number, "fault": fault} for number, fault in contents.broken],
                **({"refused_events": [asdict(event) for event in result.refused]} if result.refused else {}),
            }
        )
    else:
        _print(file, contents, result, store=store)
    unknown = sorted(contents.sources - set(runtime.endpoints))
    if unknown:
        echo(f"No endpoint is configured for {', '.join(unknown)}: its pending events wait for one.", err=True)
    if contents.is_faulty and not store and not dry_run:
        raise fail(
            f"Nothing of {file} was stored.",
            "Export it again. Use --skip-broken to import the intact lines, or --partial for a part of an export.",
        )
    raise SystemExit(1 if contents.is_faulty or result.refused else 0)


@contextlib.contextmanager
def _rewindable(file: str) -> Iterator[IO[bytes]]:
    """Open the file; copy stdin to a temporary file, since it is read twice."""
    if file != "-":
        with Path(file).open("rb") as raw:
            yield raw
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        yield copy


def _print(file: str, contents: FileContents, result: ImportResult, *, store: bool) -> None:
    for fault in contents.faults:
        bad(f"{file}: {printable(fault)}")
    for number, fault in contents.broken[:SHOWN]:
        bad(f"{file} line {number}: {printable(fault)}")
    if len(contents.broken) > SHOWN:
        bad(f"... and {len(contents.broken) - SHOWN} more")
    if contents.kinds:
        rows = [[source, state, str(count)] for (source, state), count in sorted(contents.kinds.items())]
        print_columns(rows, heading=["source", "state", "events"])
    if store:
        echo(f"{result.new} stored, {result.present} were already present.")
        print_skipped("cannot be stored in this journal", result.refused)
    else:
        echo(f"{contents.events} events can be stored; nothing was stored.")
