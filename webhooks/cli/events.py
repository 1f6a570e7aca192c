"""`segue events`: list events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.output import echo, print_columns, print_json
from webhooks.cli.rows import HEADING, cells, clock, opened
from webhooks.operations.event_json import facts

if TYPE_CHECKING:
    from webhooks.journal import SearchResult
    from webhooks.journal.protocol import EventQueries


@click.command(short_help="List events: by source, type, state, time, id or text.")
@event_options()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", default="", metavar="CURSOR", help="Continue after the last event of the previous page.")
@click.option("--oldest-first", is_flag=True, help="In order of arrival instead of newest first.")
@click.option(
    "--search",
    "max_searched",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="How many events --text searches at max_searched.",
)
@click.option("--json", "as_json", is_flag=True)
def events(choice: EventChoice, limit: int, after: str, oldest_first: bool, max_searched: int, as_json: bool) -> None:
    """List events, newest first. Each option narrows the list; an option given twice matches either value.

    --json prints {"events": [...], "next": CURSOR, "searched": N}; "next" is null on the last page, "searched" is the
    number of events that --text searched, and null without it.

    \b
    Examples:
      segue events --state dead --since 2h
      segue events --source stripe --type 'invoice.*' --limit 10
      segue events --text jane@example.com --json
      segue events --after 12345
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime

    runtime = current_runtime()
    with opened(runtime) as journal:
        filter = choice.filter(journal, runtime, datetime.now(UTC))
        page = journal.search(
            filter, after=after, limit=limit, newest_first=not oldest_first, max_searched=max_searched
        )
        if as_json:
            searched = page.searched if filter.text else None
            print_json({"events": [facts(row) for row in page.rows], "next": page.next or None, "searched": searched})
            return
        if page.rows:
            print_columns([cells(row) for row in page.rows], heading=HEADING)
        elif page.searched_to is None:
            echo(no_match_message(journal), err=True)
        if page.searched_to is not None:
            echo(search_summary(page, page.searched_to, oldest_first=oldest_first), err=True)
        if page.next:
            echo(f"For more, add --after {page.next}", err=True)


def search_summary(page: SearchResult, to: datetime, *, oldest_first: bool) -> str:
    """Say how many events were searched, and how far back."""
    end = "up to" if oldest_first else "back to"
    rest = "there are more" if page.next else "there are no more"
    return f"Matches: {len(page.rows)}. Searched {page.searched} events, {end} {clock(to)}; {rest}."


def no_match_message(journal: EventQueries) -> str:
    """Return the message for a selection without events."""
    sources = sorted(journal.census().by_source)
    known = f"The journal has events of {', '.join(sources)}." if sources else "The journal has no events."
    return f"No event matches. {known}"
