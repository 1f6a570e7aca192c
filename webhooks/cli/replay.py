"""`segue replay`: deliver events again, translated by today's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.confirm import STEP, audit_context, bar, confirm, steps, who_option, yes_option
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.events import no_match_message
from webhooks.cli.forecast import WORDS, Forecast, forecast
from webhooks.cli.output import echo, fail, print_columns, print_json, printable, warn
from webhooks.cli.rows import facts, opened
from webhooks.cli.time_args import format_seconds

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.journal import Journal, Row

ASK: Final = 100
EXAMPLES: Final = 20
DEDUPLICATED: Final = timedelta(hours=24)
"""How long Segment is sure to recognise a messageId. https://segment.com/docs/guides/duplicate-data/"""


@click.command(short_help="Deliver events again, translated by today's code.")
@event_options(ids="argument")
@click.option("--all", "everything", is_flag=True, help="Every event of the journal.")
@click.option("--limit", type=click.IntRange(1), help="The oldest of them only, to try it first.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, beside what became of them before.")
@click.option("--as-new", is_flag=True, help="Under new message ids: Segment counts the messages once more.")
@click.option(
    "--rate",
    type=click.FloatRange(0),
    metavar="N",
    help="Events that become due a second, so that new ones get through (0: all). Default: half of [segment] rate.",
)
@click.option("--reason", default="", help="For the audit log and the events' history.")
@who_option
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
    who: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Deliver events again: those of the IDs (numbers, keys, SOURCE/KEY), or those that the options choose.

    The worker translates them with today's code. Their messages keep their ids, so what Segment has heard already is
    counted once if that was within 24 hours; a warning counts the older ones. Events that are pending are left alone.
    More than 100 are asked about.

    Exit code 0 when it is done or there was nothing to do, 1 where an ID names no event.

    \b
    Examples:
      segue replay stripe/evt_1PqXYZ
      segue replay --state dead --type 'invoice.*' --dry-run
      segue replay --state dead --since 2d --limit 10 --reason "mapping mended"
      segue replay --state unsupported --source zendesk --yes
      segue replay --source stripe --since 3h --as-new       # only if Segment has really lost them
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import Filter, State

    if not choice and not everything:
        raise fail("No event is chosen.", "Give IDs or options such as --state dead --since 2h, or --all.")
    config = configuration()
    with opened(config, change=not dry_run) as journal:
        seqs = journal.seqs(choice.filter(journal, datetime.now(UTC)))[:limit]
        if dry_run:
            if not as_new and (forgotten := _forgotten(journal, seqs)):
                warn(_doubled(forgotten), err=True)
            _dry(journal, config, seqs, as_new=as_new, as_json=as_json)
            return
        waiting = sum(journal.count(Filter(seqs=tuple(some), states=(State.PENDING,))) for some in steps(seqs))
        settled = len(seqs) - waiting
        forgotten = 0 if as_new else _forgotten(journal, seqs)
        if forgotten:
            warn(_doubled(forgotten), err=True)
        pace = config.settings.segment.rate / 2 if rate is None else rate
        lasts = settled / pace if pace else 0.0
        if settled:
            confirm(_question(settled, lasts, as_new=as_new), ask=settled > ASK and not yes)
        by = audit_context(who, reason or "replayed by hand")
        changed = 0
        start = datetime.now(UTC)
        with bar("replaying", len(seqs)) as tell:
            for some in steps(seqs, _size(pace)):
                due_at = start + timedelta(seconds=changed / pace) if pace else start
                done = journal.replay(some, by=by, as_new=as_new, now=datetime.now(UTC), due_at=due_at)
                changed += done.changed
                tell(len(some))
        left = len(seqs) - changed
        if as_json:
            print_json(
                {
                    "replayed": changed, "left_alone": left, "operation": by.operation, "due_over_seconds": lasts,
                    "beyond_deduplication": forgotten,
                }
            )  # fmt: skip
        elif not seqs:
            echo(no_match_message(journal), err=True)
        else:
            echo(f"{_events(changed)} will be delivered again{_over(lasts)}.")
            if left:
                echo(f"{_events(left)} left alone: pending already, so their worker takes them up.")


def _forgotten(journal: Journal, seqs: Sequence[int]) -> int:
    """Return how many of the events were delivered so long ago that Segment does not know their ids any more."""
    from webhooks.journal import Filter, State

    before = datetime.now(UTC) - DEDUPLICATED
    return sum(
        journal.count(Filter(seqs=tuple(some), states=(State.DELIVERED,), settled_until=before)) for some in steps(seqs)
    )


def _doubled(count: int) -> str:
    one = count == 1
    return (
        f"{_events(count)} {'was' if one else 'were'} delivered more than 24 hours ago. Segment remembers ids for 24 "
        f"hours, so {'its' if one else 'their'} messages are counted once more."
    )


def _size(pace: float) -> int:
    """Events that become due together: a second's worth, within reason."""
    return max(1, min(STEP, int(pace))) if pace else STEP


def _question(count: int, lasts: float, *, as_new: bool) -> str:
    new = " under NEW message ids, so that Segment counts them once more" if as_new else ""
    return f"Deliver {_events(count)} again{new}{_over(lasts)}?"


def _events(count: int) -> str:
    return f"{count} event{'s'[: count != 1]}"


def _over(seconds: float) -> str:
    return f", over {format_seconds(seconds)}" if seconds >= 2 else ""


def _dry(journal: Journal, config: Configuration, seqs: Sequence[int], *, as_new: bool, as_json: bool) -> None:
    told: list[dict[str, Any]] = []
    counts: Counter[tuple[str, ...]] = Counter()
    examples: list[list[str]] = []
    for row, outlook in _outlooks(journal, config, seqs, as_new=as_new):
        counts[(row.event.source, row.event.type, _before(row), _after(row, outlook))] += 1
        if as_json:
            told.append({**facts(row), "today": outlook.told()})
        elif len(examples) < EXAMPLES:
            examples.append([str(row.seq), printable(row.event.key), f"{_before(row)} -> {_after(row, outlook)}"])
    if as_json:
        print_json({"dry_run": True, "events": told})
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
    journal: Journal, config: Configuration, seqs: Sequence[int], *, as_new: bool
) -> Iterator[tuple[Row, Forecast]]:
    from webhooks.journal import Filter

    for some in steps(seqs):
        for row in journal.rows(Filter(seqs=tuple(some)), limit=len(some)):
            yield row, forecast(row, config, as_new=as_new)


def _before(row: Row) -> str:
    return row.state.value


def _after(row: Row, outlook: Forecast) -> str:
    if row.state.value == "pending":
        return "left alone, it is pending"
    same = WORDS.get(row.state.value) == outlook.would
    return f"{'the same, ' if same else ''}{outlook}"
