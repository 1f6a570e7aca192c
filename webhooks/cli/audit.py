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
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations import audit_log

    runtime = current_runtime()
    request = audit_log.AuditRequest(
        event=id_ or "",
        since=parse_time(since, datetime.now(UTC), option="--since") if since else None,
        before=before or 0,
        limit=limit,
    )
    with opened(runtime) as journal:
        page = audit_log.page(journal, request, known=runtime.names)
    if as_json:
        print_json({"lines": [audited(line) for line in page.lines], "next": page.next or None})
    elif page.lines:
        rows = [_table_row(list(group)) for _, group in groupby(page.lines, key=lambda line: line.operation or line.id)]
        print_columns(rows, heading=["id", "at", "who", "did", "events", "reason"])
        if page.next:
            echo(f"For more, add --before {page.next}", err=True)
    else:
        echo("The audit log is empty.", err=True)


def _table_row(lines: list[AuditEntry]) -> list[str]:
    last = lines[0]
    events = [event for line in lines for event in line.events]
    label = f"{len(events)}" + (f" ({short(events[0], 40)})" if len(events) == 1 else "")
    extra = f"  {short(json_line(last.detail))}" if last.detail else ""
    return [str(last.id), clock(last.at), printable(last.actor), last.action, label, short(last.reason) + extra]
