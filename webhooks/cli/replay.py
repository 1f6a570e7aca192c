"""`segue replay`: deliver events again, translated by today's code."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.confirm import actor_option, audit_context, confirm, progress_bars, yes_option
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.events import no_match_message
from webhooks.cli.forecast import summary
from webhooks.cli.output import echo, fail, print_columns, print_json, warn
from webhooks.cli.rows import opened
from webhooks.cli.time_args import format_seconds
from webhooks.logs import printable
from webhooks.operations.event_json import facts

if TYPE_CHECKING:
    from webhooks.journal import Row
    from webhooks.journal.protocol import EventQueries
    from webhooks.operations.forecast import Forecast
    from webhooks.operations.replay import ReplayPlan
    from webhooks.runtime import Runtime

ASK: Final = 100
EXAMPLES: Final = 20


@click.command(short_help="Deliver events again, translated by today's code.")
@event_options(ids="argument")
@click.option("--all", "everything", is_flag=True, help="Every event of the journal.")
@click.option("--limit", type=click.IntRange(1), help="Only the oldest N of them, for a trial.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and the events' present states.")
@click.option("--as-new", is_flag=True, help="Under new message ids: Segment counts the messages once more.")
@click.option(
    "--rate",
    type=click.FloatRange(0),
    metavar="N",
    help="Events due per second (0: all at once). Default: half of [segment] rate, so new ones get through.",
)
@click.option("--reason", default="", help="For the audit log and the events' history.")
@actor_option
@yes_option
@click.option("--json", "as_json", is_flag=True)
def replay(
    choice: EventChoice,
    everything: bool,
    limit: int | None,
    dry_run: bool,
    as_new: bool,
    rate: float | None,
    reason: str,
    actor: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Deliver events again, chosen by ID (number, key or SOURCE/KEY) or by options.

    The worker translates them with today's code. Messages keep their ids, so Segment counts a message once if it
    received it within the last 24 hours; a warning gives the number of older events. Pending events are skipped. For
    more than 100 events the command asks for confirmation.

    Exit code 0 if it succeeds or there was nothing to do, 1 if an ID matches no event.

    \b
    Examples:
      segue replay stripe/evt_1PqXYZ
      segue replay --state dead --type 'invoice.*' --dry-run
      segue replay --state dead --since 2d --limit 10 --reason "mapping fixed"
      segue replay --state unsupported --source zendesk --yes
      segue replay --source stripe --since 3h --as-new       # only if Segment has really lost them
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations import replay as operation

    if not choice and not everything:
        raise fail("No event is selected.", "Give IDs or options such as --state dead --since 2h, or --all.")
    runtime = current_runtime()
    with opened(runtime, change=not dry_run) as journal:
        now = datetime.now(UTC)
        request = operation.ReplayRequest(
            selection=choice.selection(now),
            everything=everything,
            limit=limit,
            as_new=as_new,
            rate=runtime.settings.segment.rate / 2 if rate is None else rate,
        )
        plan = operation.plan(journal, request, now=now, known=runtime.names)
        if plan.beyond_deduplication:
            warn(_duplicate_warning(plan.beyond_deduplication), err=True)
        if dry_run:
            _dry_run(journal, runtime, plan, as_json=as_json)
            return
        if plan.events:
            confirm(_question(plan.events, plan.seconds, as_new=as_new), ask=plan.events > ASK and not yes)
        by = audit_context(actor, reason or "replayed by hand")
        with progress_bars() as report:
            result = operation.run(journal, plan, by=by, clock=lambda: datetime.now(UTC), report=report)
        if as_json:
            print_json(
                {
                    "replayed": result.replayed, "left_alone": result.skipped, "operation": result.operation,
                    "due_over_seconds": plan.seconds, "beyond_deduplication": plan.beyond_deduplication,
                }
            )  # fmt: skip
        elif not plan.seqs:
            echo(no_match_message(journal), err=True)
        else:
            echo(f"{_events(result.replayed)} will be delivered again{_over(plan.seconds)}.")
            if result.skipped:
                echo(f"{_events(result.skipped)} skipped: already pending, so the worker delivers them.")


def _duplicate_warning(count: int) -> str:
    one = count == 1
    return (
        f"{_events(count)} {'was' if one else 'were'} delivered more than 24 hours ago. Segment remembers ids for 24 "
        f"hours, so {'its' if one else 'their'} messages are counted once more."
    )


def _question(count: int, duration: float, *, as_new: bool) -> str:
    new = " under NEW message ids, so that Segment counts them once more" if as_new else ""
    return f"Deliver {_events(count)} again{new}{_over(duration)}?"


def _events(count: int) -> str:
    return f"{count} event{'s'[: count != 1]}"


def _over(seconds: float) -> str:
    return f", over {format_seconds(seconds)}" if seconds >= 2 else ""


def _dry_run(journal: EventQueries, runtime: Runtime, plan: ReplayPlan, *, as_json: bool) -> None:
    from webhooks.operations import replay as operation

    entries: list[dict[str, Any]] = []
    counts: Counter[tuple[str, ...]] = Counter()
    examples: list[list[str]] = []
    for row, outlook in operation.preview(journal, plan, runtime.endpoints, namespace=runtime.namespace):
        before, after = row.state.value, _after(row, outlook)
        counts[(row.event.source, row.event.type, before, after)] += 1
        if as_json:
            entries.append({**facts(row), "today": outlook.as_dict()})
        elif len(examples) < EXAMPLES:
            examples.append([str(row.seq), printable(row.event.id), f"{before} -> {after}"])
    if as_json:
        print_json({"dry_run": True, "events": entries})
        return
    if not examples:
        echo(no_match_message(journal), err=True)
        return
    print_columns(examples, heading=["#", "key", "before -> with today's code"])
    if len(plan.seqs) > len(examples):
        echo(f"... and {len(plan.seqs) - len(examples)} more; --json has them all with their messages.")
    echo()
    lines = [[str(count), *map(printable, kind[:2]), f"{kind[2]} -> {kind[3]}"] for kind, count in counts.most_common()]
    print_columns(lines, heading=["events", "source", "type", "before -> with today's code"])
    echo("\nNothing was changed or sent. `segue show #` prints an event's messages.")


def _after(row: Row, outlook: Forecast) -> str:
    if row.state.value == "pending":
        return "skipped, it is pending"
    return f"{'the same, ' if outlook.same_as(row.state) else ''}{summary(outlook)}"
