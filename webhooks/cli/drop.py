"""`segue drop`: decide that events are not delivered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from webhooks.cli.confirm import actor_option, audit_context, bar, confirm, steps, yes_option
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.events import no_match_message
from webhooks.cli.output import echo, fail, print_columns, print_json
from webhooks.cli.rows import HEADING, cells, opened

ASK: Final = 10


@click.command(short_help="Decide that events are not delivered, with a reason for the audit log.")
@event_options(ids="argument")
@click.option("--reason", required=True, help="Why; kept with the event and in the audit log.")
@click.option("--dry-run", is_flag=True, help="Show the events without changing them.")
@actor_option
@yes_option
@click.option("--json", "as_json", is_flag=True)
def drop(choice: EventChoice, reason: str, dry_run: bool, actor: str, yes: bool, as_json: bool) -> None:
    """Drop events by ID (number, key or SOURCE/KEY) or by options.

    A dropped event is not delivered; events already delivered stay as they are. It is kept for [retention] dropped
    (30 days), still recognises its provider's retries, and can be replayed. For more than 10 events the command asks
    for confirmation.

    Exit code 0 if it succeeds or there was nothing to do, 1 if an ID matches no event.

    \b
    Examples:
      segue drop stripe/evt_1PqXYZ --reason "test data, ticket 4711"
      segue drop --state dead --type 'charge.*' --dry-run --reason "-"
      segue drop --state pending --source acme --until 2026-03-31 --reason "contract ended"
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import DROPPABLE, Filter

    if not choice:
        raise fail("No event is selected.", "Give IDs, or options such as --state dead --type 'charge.*'.")
    if not reason.strip():
        raise fail("--reason is empty.", "Say why, for later readers of the audit log.")
    config = configuration()
    with opened(config, change=not dry_run) as journal:
        seqs = journal.seqs(choice.filter(journal, datetime.now(UTC)))
        rows = journal.rows(Filter(seqs=tuple(seqs[:20]), states=DROPPABLE), limit=20)
        count = sum(journal.count(Filter(seqs=tuple(batch), states=DROPPABLE)) for batch in steps(seqs))
        if dry_run and as_json:
            print_json({"dry_run": True, "would_drop": count, "left_alone": len(seqs) - count, "seqs": seqs})
        elif dry_run and rows:
            print_columns([cells(row) for row in rows], heading=HEADING)
            echo(f"\n{count} would be dropped, {len(seqs) - count} skipped. Nothing was changed.")
        elif dry_run:
            echo(no_match_message(journal), err=True)
        else:
            confirm(f"Drop {count} events, so that they are not delivered?", ask=count > ASK and not yes)
            by = audit_context(actor, reason)
            changed = 0
            with bar("dropping", len(seqs)) as advance:
                for batch in steps(seqs):
                    changed += journal.drop(batch, by=by, now=datetime.now(UTC)).changed
                    advance(len(batch))
            left = len(seqs) - changed
            if as_json:
                print_json({"dropped": changed, "left_alone": left, "operation": by.operation})
            elif seqs:
                echo(f"{changed} dropped" + (f", {left} skipped: delivered or dropped already." * bool(left)))
            else:
                echo(no_match_message(journal), err=True)
