"""`segue audit`: who changed what by hand, when and why."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import click

from webhooks.cli.output import echo, json_line, print_columns, print_json, short
from webhooks.cli.rows import clock, opened
from webhooks.cli.time_args import parse_time
from webhooks.logs import printable
from webhooks.operations.event_json import audited

if TYPE_CHECKING:
    from webhooks.journal import AuditEntry
    from webhooks.journal.protocol import EventQueries
    from webhooks.runtime import Runtime


@click.command(short_help="Show who replayed, dropped, pruned, imported or exported what, when and why.")
@click.option("--event", "id_", metavar="ID", help="Only this event: its number, its key, or SOURCE/KEY.")
@click.option("--since", metavar="TIME", help="At this time (2h, 3d ago, or ISO 8601) or later.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option(
    "--before",
    type=click.IntRange(1),
    metavar="ID",
    help="Continue before this line: `next` of the last page.",
)
@click.option("--json", "as_json", is_flag=True)
def audit(id_: str | None, since: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """Print the audit log, newest first. Lines of one command are shown together. Lines are never deleted.

    --json prints {"lines": [...], "next": ID}; each line names the events it changed as SOURCE/KEY.

    \b
    Examples:
      segue audit
      segue audit --event stripe/evt_1PqXYZ
      segue audit --since 7d --json
    """  # noqa: D301
    from webhooks.cli.configuration import configuration

    config = configuration()
    with opened(config) as journal:
        event = _event(journal, config, id_) if id_ else None
        lines = journal.audits(event=event, before=before or 0, limit=limit + 1)
    if since:
        earliest = parse_time(since, datetime.now(UTC), option="--since")
        lines = [line for line in lines if line.at >= earliest]
    more = lines[limit - 1].id if len(lines) > limit else None
    lines = lines[:limit]
    if as_json:
        print_json({"lines": [audited(line) for line in lines], "next": more})
    elif lines:
        rows = [_table_row(list(group)) for _, group in groupby(lines, key=lambda line: line.operation or line.id)]
        print_columns(rows, heading=["id", "at", "who", "did", "events", "reason"])
        if more:
            echo(f"For more, add --before {more}", err=True)
    else:
        echo("The audit log is empty.", err=True)


def _event(journal: EventQueries, config: Runtime, id_: str) -> tuple[str, str]:
    """Return the source and key. SOURCE/KEY is not looked up, since the event may be pruned by now."""
    from webhooks.operations.selection import find_event

    source, slash, key = id_.partition("/")
    if slash:
        return source, key
    row = find_event(journal, id_, known=config.names)
    return row.event.source, row.event.id


def _table_row(lines: list[AuditEntry]) -> list[str]:
    last = lines[0]
    events = [event for line in lines for event in line.events]
    label = f"{len(events)}" + (f" ({short(events[0], 40)})" if len(events) == 1 else "")
    extra = f"  {short(json_line(last.detail))}" if last.detail else ""
    return [str(last.id), clock(last.at), printable(last.actor), last.action, label, short(last.reason) + extra]
