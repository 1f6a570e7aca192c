"""`segue events`: which events there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from webhooks.cli.choose import Choice, choosing
from webhooks.cli.output import echo, print_columns, print_json
from webhooks.cli.rows import HEADING, cells, facts, opened

if TYPE_CHECKING:
    from webhooks.journal import Journal


@click.command(short_help="List events: by source, type, state, time, id or text.")
@choosing()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", default="", metavar="CURSOR", help="Go on behind the last event of the page before.")
@click.option("--oldest-first", is_flag=True, help="In order of arrival, rather than newest first.")
@click.option("--json", "as_json", is_flag=True)
def events(choice: Choice, limit: int, after: str, oldest_first: bool, as_json: bool) -> None:
    """List events, newest first. Each option narrows them; one given twice means either.

    --json prints {"events": [...], "next": CURSOR}; "next" is null on the last page.

    \b
    Examples:
      segue events --state dead --since 2h
      segue events --source stripe --type 'invoice.*' --limit 10
      segue events --text jane@example.com --json
      segue events --after 12345
    """  # noqa: D301
    from webhooks.cli.configuration import configuration

    config = configuration()
    with opened(config) as journal:
        filter = choice.filter(journal, datetime.now(UTC))
        rows = journal.rows(filter, after=after, limit=limit + 1, newest_first=not oldest_first)
        more = rows[limit - 1].cursor if len(rows) > limit else None
        rows = rows[:limit]
        if as_json:
            print_json({"events": [facts(row) for row in rows], "next": more})
        elif rows:
            print_columns([cells(row) for row in rows], heading=HEADING)
            if more:
                echo(f"More: the same with --after {more}", err=True)
        else:
            echo(nothing(journal), err=True)


def nothing(journal: Journal) -> str:
    """What to say where a choice means no event."""
    sources = sorted(journal.census().by_source)
    known = f"It holds events of {', '.join(sources)}." if sources else "It holds none at all."
    return f"No event of this journal is meant. {known}"
