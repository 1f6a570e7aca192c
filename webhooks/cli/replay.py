"""`segue replay`: deliver events again, translated by today's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.confirm import STEP, actor_option, audit_context, bar, confirm, steps, yes_option
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.events import no_match_message
from webhooks.cli.forecast import WORDS, Forecast, forecast
from webhooks.cli.output import echo, fail, print_columns, print_json, printable, warn
from webhooks.cli.rows import facts, opened
from webhooks.cli.time_args import format_seconds

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.journal import Row
    from webhooks.journal.protocol import EventQueries

ASK: Final = 100
EXAMPLES: Final = 20
DEDUPLICATED: Final = timedelta(hours=24)
"""How long Segment is sure to recognise a messageId. https://segment.com/docs/guides/duplicate-data/"""


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
    from webhooks.cli.configuration import configuration
    from webhooks.journal import Filter, State

    if not choice and not everything:
        raise fail("No event is selected.", "Give IDs or options such as --state dead --since 2h, or --all.")
    config = configuration()
    with opened(config, change=not dry_run) as journal:
        seqs = journal.seqs(choice.filter(journal, datetime.now(UTC)))[:limit]
        if dry_run:
            if not as_new and (undeduplicated := _undeduplicated(journal, seqs)):
                warn(_duplicate_warning(undeduplicated), err=True)
            _dry_run(journal, config, seqs, as_new=as_new, as_json=as_json)
            return
        waiting = sum(journal.count(Filter(seqs=tuple(batch), states=(State.PENDING,))) for batch in steps(seqs))
        settled = len(seqs) - waiting
        undeduplicated = 0 if as_new else _undeduplicated(journal, seqs)
        if undeduplicated:
            warn(_duplicate_warning(undeduplicated), err=True)
        pace = config.settings.segment.rate / 2 if rate is None else rate
        duration = settled / pace if pace else 0.0
        if settled:
            confirm(_question(settled, duration, as_new=as_new), ask=settled > ASK and not yes)
        by = audit_context(actor, reason or "replayed by hand")
        changed = 0
        start = datetime.now(UTC)
        with bar("replaying", len(seqs)) as advance:
            for batch in steps(seqs, _size(pace)):
                due_at = start + timedelta(seconds=changed / pace) if pace else start
                done = journal.replay(batch, by=by, as_new=as_new, now=datetime.now(UTC), due_at=due_at)
                changed += done.changed
                advance(len(batch))
        left = len(seqs) - changed
        if as_json:
            print_json(
                {
                    "replayed": changed, "left_alone": left, "operation": by.operation, "due_over_seconds": duration,
                    "beyond_deduplication": undeduplicated,
                }
            )  # fmt: skip
        elif not seqs:
            echo(no_match_message(journal), err=True)
        else:
            echo(f"{_events(changed)} will be delivered again{_over(duration)}.")
            if left:
                echo(f"{_events(left)} skipped: already pending, so the worker delivers them.")


def _undeduplicated(journal: EventQueries, seqs: Sequence[int]) -> int:
    """Return how many of the events were delivered so long ago that Segment no longer knows their ids."""
    from webhooks.journal import Filter, State

    before = datetime.now(UTC) - DEDUPLICATED
    return sum(
        journal.count(Filter(seqs=tuple(batch), states=(State.DELIVERED,), settled_until=before))
        for batch in steps(seqs)
    )


def _duplicate_warning(count: int) -> str:
    one = count == 1
    return (
        f"{_events(count)} {'was' if one else 'were'} delivered more than 24 hours ago. Segment remembers ids for 24 "
        f"hours, so {'its' if one else 'their'} messages are counted once more."
    )


def _size(pace: float) -> int:
    """Return how many events become due together: those of a second, at most `STEP`."""
    return max(1, min(STEP, int(pace))) if pace else STEP


def _question(count: int, duration: float, *, as_new: bool) -> str:
    new = " under NEW message ids, so that Segment counts them once more" if as_new else ""
    return f"Deliver {_events(count)} again{new}{_over(duration)}?"


def _events(count: int) -> str:
    return f"{count} event{'s'[: count != 1]}"


def _over(seconds: float) -> str:
    return f", over {format_seconds(seconds)}" if seconds >= 2 else ""


def _dry_run(journal: EventQueries, config: Configuration, seqs: Sequence[int], *, as_new: bool, as_json: bool) -> None:
    entries: list[dict[str, Any]] = []
    counts: Counter[tuple[str, ...]] = Counter()
    examples: list[list[str]] = []
    for row, outlook in _outlooks(journal, config, seqs, as_new=as_new):
        counts[(row.event.source, row.event.type, _before(row), _after(row, outlook))] += 1
        if as_json:
            entries.append({**facts(row), "today": outlook.as_dict()})
        elif len(examples) < EXAMPLES:
            examples.append([str(row.seq), printable(row.event.key), f"{_before(row)} -> {_after(row, outlook)}"])
    if as_json:
        print_json({"dry_run": True, "events": entries})
        return
    if not examples:
        echo(no_match_message(journal), err=True)
        return
    print_columns(examples, heading=["#", "key", "before -> with today's code"])
    if len(seqs) > len(examples):
        echo(f"... and {len(seqs) - len(examples)} more; --json has them all with their messages.")
    echo()
    lines = [[str(count), *map(printable, kind[:2]), f"{kind[2]} -> {kind[3]}"] for kind, count in counts.most_common()]
    print_columns(lines, heading=["events", "source", "type", "before -> with today's code"])
    echo("\nNothing was changed or sent. `segue show #` prints an event's messages.")


def _outlooks(
    journal: EventQueries, config: Configuration, seqs: Sequence[int], *, as_new: bool
) -> Iterator[tuple[Row, Forecast]]:
    from webhooks.journal import Filter

    for batch in steps(seqs):
        for row in journal.rows(Filter(seqs=tuple(batch)), limit=len(batch)):
            yield row, forecast(row, config, as_new=as_new)


def _before(row: Row) -> str:
    return row.state.value


def _after(row: Row, outlook: Forecast) -> str:
    if row.state.value == "pending":
        return "skipped, it is pending"
    same = WORDS.get(row.state.value) == outlook.would
    return f"{'the same, ' if same else ''}{outlook}"
