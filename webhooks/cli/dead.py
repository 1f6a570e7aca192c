"""`segue dead`: dead letters: what could not be delivered, why, and what to do."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from translators.kit import to_iso
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.forecast import summary
from webhooks.cli.output import echo, good, print_json, short
from webhooks.cli.rows import clock, opened
from webhooks.logs import printable

if TYPE_CHECKING:
    from webhooks.operations.dead import DeadGroup
    from webhooks.operations.forecast import Forecast


@click.command(short_help="Show what could not be delivered, by reason, and what to do about it.")
@event_options(states=False)
@click.option("--json", "as_json", is_flag=True)
def dead(choice: EventChoice, as_json: bool) -> None:
    """Show dead events by source, type and reason: how many, since when, an example, a hint, and what today's code
    would make of the example.

    An event is dead if it is malformed, if a translator failed on it, or if Segment refused it. Dead events are kept
    for 90 days ([retention] dead).

    \b
    Examples:
      segue dead
      segue dead --source stripe --since 1d
      segue dead --json
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations.dead import dead_groups, example_forecast

    runtime = current_runtime()
    with opened(runtime) as journal:
        groups = dead_groups(journal, choice.selection(datetime.now(UTC)), known=runtime.names)
        outlooks = [
            example_forecast(journal, group, runtime.endpoints, namespace=runtime.namespace) for group in groups
        ]
    if as_json:
        print_json({"dead": sum(group.count for group in groups), "groups": list(map(_as_dict, groups, outlooks))})
    elif groups:
        for group, outlook in zip(groups, outlooks, strict=True):
            _print(group, outlook)
        echo("To give events up, use `segue drop` with the same options and a --reason.")
    else:
        good("nothing is dead")


def _options(group: DeadGroup) -> str:
    """Return the options that select the events of a group."""
    return f"--state dead --source {shlex.quote(group.source)} --type {shlex.quote(group.type)}"


def _as_dict(group: DeadGroup, outlook: Forecast | None) -> dict[str, object]:
    return {
        "source": group.source,
        "type": group.type,
        "reason": group.reason,
        "count": group.count,
        "first_received": to_iso(group.first),
        "last_received": to_iso(group.last),
        "example": {"seq": group.latest, "reason": group.example, "today": outlook and outlook.as_dict()},
        "hint": group.hint,
        "replay": f"segue replay {_options(group)}",
    }


def _print(group: DeadGroup, outlook: Forecast | None) -> None:
    echo(printable(f"{group.count} x {group.source} {group.type}"), bold=True)
    echo(f"  reason   {short(group.reason, 160)}")
    echo(f"  received {clock(group.first)} to {clock(group.last)}, the latest is #{group.latest}")
    echo(f"  hint     {group.hint}")
    if outlook:
        echo(f"  today    with today's code: {summary(outlook)}")
    echo(f"  replay   segue replay {printable(_options(group))} --dry-run\n")
