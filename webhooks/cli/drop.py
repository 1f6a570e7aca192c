"""`segue drop`: decide that events are not delivered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from webhooks.cli.confirm import audit_context, bar, confirm, steps, who_option, yes_option
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.events import no_match_message
from webhooks.cli.output import echo, fail, print_columns, print_json
from webhooks.cli.rows import HEADING, cells, opened

ASK: Final = 10


@click.command(short_help="Decide that events are not delivered, with a reason for the audit log.")
@event_options(ids="argument")
@click.option("--reason", required=True, help="Why; kept with the event and in the audit log.")
@click.option("--dry-run", is_flag=True, help="Show which they are.")
@who_option
@yes_option
@click.option("--json", "as_json", is_flag=True)
def drop(choice: EventChoice, reason: str, dry_run: bool, who: str, yes: bool, as_json: bool) -> None:
    """Drop events: those of the IDs (numbers, keys, SOURCE/KEY), or those that the options choose.

    A dropped event is not delivered; what was delivered already is left alone. It is kept for [retention] dropped
    (30 days), recognises its provider's retries meanwhile, and can still be replayed. More than 10 are asked about.

    Exit code 0 when it is done or there was nothing to do, 1 where an ID names no event.

    \b
    Examples:
      segue drop stripe/evt_1PqXYZ --reason "test data, ticket 4711"
      segue drop --state dead --type 'charge.*' --dry-run --reason "-"
      segue drop --state pending --source acme --until 2026-03-31 --reason "contract ended"
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import DROPPABLE, Filter

    if not choice:
        raise fail("No event is chosen.", "Give IDs, or options such as --state dead --type 'charge.*'.")
    if not reason.strip():
        raise fail("--reason is empty.", "Say why, for whoever reads the audit log in a year.")
    config = configuration()
    with opened(config, change=not dry_run) as journal:
        seqs = journal.seqs(choice.filter(journal, datetime.now(UTC)))
        rows = journal.rows(Filter(seqs=tuple(seqs[:20]), states=DROPPABLE), limit=20)
        count = sum(journal.count(Filter(seqs=tuple(some), states=DROPPABLE)) for some in steps(seqs))
        if dry_run and as_json:
            print_json({"dry_run": True, "would_drop": count, "left_alone": len(seqs) - count, "seqs": seqs})
        elif dry_run and rows:
            print_columns([cells(row) for row in rows], heading=HEADING)
            echo(f"\n{count} would be dropped, {len(seqs) - count} left alone. Nothing was changed.")
        elif dry_run:
            echo(no_match_message(journal), err=True)
        else:
            confirm(f"Drop {count} events, so that they are not delivered?", ask=count > ASK and not yes)
            by = audit_context(who, reason)
            changed = 0
            with bar("dropping", len(seqs)) as tell:
                for some in steps(seqs):
                    changed += journal.drop(some, by=by, now=datetime.now(UTC)).changed
                    tell(len(some))
            left = len(seqs) - changed
            if as_json:
                print_json({"dropped": changed, "left_alone": left, "operation": by.operation})
            elif seqs:
                echo(f"{changed} dropped" + (f", {left} left alone: delivered or dropped already." * bool(left)))
            else:
                echo(no_match_message(journal), err=True)
