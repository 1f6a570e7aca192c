"""`segue prune`: delete settled events now, without waiting for the worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import click

from webhooks.cli.confirm import actor_option, audit_context, confirm, progress_bars, yes_option
from webhooks.cli.output import echo, fail, print_columns, print_json
from webhooks.cli.time_args import span

SETTLED: Final = ("delivered", "ignored", "unsupported", "dead", "dropped")


@click.command(short_help="Delete settled events by state and age, now.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(SETTLED), help="Only this state. Default: every state."
)
@click.option("--older-than", metavar="SPAN", help="72h or more. Default: each state's [retention].")
@click.option("--dry-run", is_flag=True, help="Count the events; delete nothing.")
@click.option("--reason", default="", help="For the audit log.")
@actor_option
@yes_option
@click.option("--json", "as_json", is_flag=True)
def prune(
    states: tuple[str, ...],
    older_than: str | None,
    dry_run: bool,
    reason: str,
    actor: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete events that were settled longer ago than their state's retention. The worker also does this, a little at a
    time.

    Pending events, and events settled within 72 hours, are never deleted: the latter recognise a provider's retries. A
    deleted event cannot be replayed, so `segue export` it first.

    \b
    Examples:
      segue prune --dry-run
      segue prune --state delivered --older-than 72h --reason "disk"
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.cli.rows import opened
    from webhooks.journal import State
    from webhooks.operations import prune as operation

    age = span(older_than, option="--older-than") if older_than else None
    if age is not None and age < operation.LEAST:
        raise fail(
            f"--older-than {older_than} is less than 72h.",
            "Settled events recognise a provider's retries, and providers retry for three days.",
        )
    runtime = current_runtime()
    request = operation.PruneRequest(states=tuple(State(state) for state in states or SETTLED), older_than=age)
    deleted = 0
    with opened(runtime, change=not dry_run) as journal:
        plan = operation.plan(journal, request, runtime.settings.retention, now=datetime.now(UTC))
        if not dry_run and plan.events:
            confirm(f"Delete {plan.events} events permanently?", ask=not yes)
            by = audit_context(actor, reason or "pruned by hand")
            with progress_bars() as report:
                deleted = operation.run(journal, plan, by=by, report=report)
    if as_json:
        by_state = {state.value: count for state, count in plan.counts.items()}
        print_json({"dry_run": dry_run, "old_enough": by_state, "deleted": deleted})
        return
    print_columns(
        [[state.value, _format_age(plan.ages[state]), str(count)] for state, count in plan.counts.items()],
        heading=["state", "older than", "events"],
    )
    echo("Nothing was deleted." if dry_run or not plan.events else f"{deleted} deleted.")
    if not dry_run and deleted < plan.events:
        echo("The others are deleted with their whole day: PostgreSQL drops partitions, see docs/postgresql.md.")


def _format_age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"
