"""`segue drop`: decide that events are not delivered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from webhooks.cli.confirm import actor_option, audit_context, confirm, progress_bars, yes_option
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
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations import drop as operation

    if not choice:
        raise fail("No event is selected.", "Give IDs, or options such as --state dead --type 'charge.*'.")
    if not reason.strip():
        raise fail("--reason is empty.", "Say why, for later readers of the audit log.")
    runtime = current_runtime()
    with opened(runtime, change=not dry_run) as journal:
        plan = operation.plan(journal, choice.selection(datetime.now(UTC)), known=runtime.names)
        if dry_run and as_json:
            seqs = list(plan.seqs)
            print_json({"dry_run": True, "would_drop": plan.events, "left_alone": plan.skipped, "seqs": seqs})
        elif dry_run and plan.examples:
            print_columns([cells(row) for row in plan.examples], heading=HEADING)
            echo(f"\n{plan.events} would be dropped, {plan.skipped} skipped. Nothing was changed.")
        elif dry_run:
            echo(no_match_message(journal), err=True)
        else:
            confirm(f"Drop {plan.events} events, so that they are not delivered?", ask=plan.events > ASK and not yes)
            by = audit_context(actor, reason)
            with progress_bars() as report:
                result = operation.run(journal, plan, by=by, clock=lambda: datetime.now(UTC), report=report)
            if as_json:
                print_json({"dropped": result.dropped, "left_alone": result.skipped, "operation": result.operation})
            elif plan.seqs:
                skipped = f", {result.skipped} skipped: delivered or dropped already." * bool(result.skipped)
                echo(f"{result.dropped} dropped{skipped}")
            else:
                echo(no_match_message(journal), err=True)
