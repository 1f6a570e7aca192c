"""`segue move`: copy a SQLite journal into PostgreSQL (or any journal into another), then compare them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhooks.cli.confirm import actor_option, audit_context, progress_bars
from webhooks.cli.loading import print_skipped
from webhooks.cli.output import fail, good, print_json, warn

if TYPE_CHECKING:
    from webhooks.operations.move import CopyResult


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
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations import move as operation

    runtime = current_runtime()
    settings = runtime.settings
    file = source.removeprefix("sqlite:///")
    if "://" not in file and not Path(file).is_file():
        raise fail(f"There is no file {file!r}.", "Give the SQLite file that SEGUE_DATABASE named before.")
    origin = runtime.open_existing(source, change=not dry_run, moved=True)
    try:
        copied = operation.plan(origin, namespace=settings.own_namespace)
        if not dry_run:
            target = runtime.open_journal()
            try:
                with progress_bars() as report:
                    copied = operation.run(
                        origin, target, shown=settings.database_shown, by=audit_context(actor, ""),
                        clock=lambda: datetime.now(UTC), while_running=while_running, report=report,
                    )  # fmt: skip
            finally:
                target.close()
    finally:
        origin.close()
    if as_json:
        print_json({"to": settings.database_shown, "dry_run": dry_run, **copied.counts(), **copied.lists()})
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
    good(f"{copied.events} events: {copied.new} copied, {copied.present} were already present; {equal}")
    print_skipped("cannot be stored in the new journal, and stay in FROM", copied.refused)
    print_skipped("differ between the journals: each keeps its own version", copied.differences)
    if copied.is_whole:
        warn("start Segue on the new journal only; to copy events that arrived during the copy, run this again")
