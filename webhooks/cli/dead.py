"""`segue dead`: dead letters: what could not be delivered, why, and what to do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from translators.kit import to_iso
from translators.kit.unreadable import MALFORMED_TYPE
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.forecast import forecast, summary
from webhooks.cli.output import MESSAGE_ID, echo, good, print_json, short
from webhooks.cli.rows import clock, opened
from webhooks.logs import printable

if TYPE_CHECKING:
    from webhooks.journal import EventGroup
    from webhooks.operations.forecast import Forecast

_NUMBER: Final = re.compile(r"(?<=\[)\d+(?=\])|\d{4,}")
HINTS: Final = (
    ("Traceback", "The translator has a bug: fix it, or install a version with the fix; then replay."),
    ("malformed:", "The payload is not what the provider documents: see `segue show`, fix the source, then replay."),
    ("neither userId nor anonymousId", "It names no person: check [identity] user_id_keys and the source's page."),
    ("over Segment's", "A message was too large for Segment. Such messages are cut to its limit today: replay."),
    ("HTTP", "Segment refused it: see its messages with `segue show`, fix the source, then replay."),
)  # fmt: skip
UNREADABLE: Final = (
    "The body could not be read when it arrived: see `segue show`. A replay reads it with today's code: install a "
    "version that supports it, or report the body's shape, then replay."
)
ELSE: Final = "Look at it with `segue show`. Replay it once the cause is fixed, or drop it."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadGroup:
    """Dead events that share source, type and reason."""

    source: str
    type: str
    reason: str
    count: int
    first: datetime
    last: datetime
    latest: int
    example: str

    @property
    def hint(self) -> str:
        """Return what to do about the reason."""
        otherwise = UNREADABLE if self.type == MALFORMED_TYPE else ELSE
        return next((hint for sign, hint in HINTS if sign in self.example), otherwise)

    @property
    def choice(self) -> str:
        """Return the options that choose these events."""
        return f"--state dead --source {shlex.quote(self.source)} --type {shlex.quote(self.type)}"


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
    from dataclasses import replace

    from webhooks.cli.configuration import configuration
    from webhooks.journal import State

    config = configuration()
    with opened(config) as journal:
        filter = replace(choice.filter(journal, config, datetime.now(UTC)), states=(State.DEAD,))
        groups = grouped(journal.event_groups(filter))
        rows = [journal.get(group.latest) for group in groups]
    outlooks = [forecast(row, config) if row else None for row in rows]
    if as_json:
        print_json({"dead": sum(group.count for group in groups), "groups": list(map(_as_dict, groups, outlooks))})
    elif groups:
        for group, outlook in zip(groups, outlooks, strict=True):
            _print(group, outlook)
        echo("To give events up, use `segue drop` with the same options and a --reason.")
    else:
        good("nothing is dead")


def grouped(kinds: Iterable[EventGroup]) -> list[DeadGroup]:
    """Merge groups whose reasons have the same pattern, the most frequent first."""
    merged: dict[tuple[str, str, str], DeadGroup] = {}
    for kind in kinds:
        key = (kind.source, kind.type, reason_pattern(kind.reason))
        one = DeadGroup(
            source=kind.source, type=kind.type, reason=key[2], count=kind.count, first=kind.first_received,
            last=kind.last_received, latest=kind.latest, example=kind.reason,
        )  # fmt: skip
        merged[key] = _merge(merged[key], one) if key in merged else one
    return sorted(merged.values(), key=lambda group: (-group.count, group.source, group.type, group.reason))


def reason_pattern(reason: str) -> str:
    """Return a reason without what differs between events: message ids, list indexes, long numbers, tracebacks."""
    last = reason.strip().rpartition("\n")[2]
    return _NUMBER.sub("N", MESSAGE_ID.sub("", last))


def _merge(one: DeadGroup, other: DeadGroup) -> DeadGroup:
    later = max(one, other, key=lambda group: group.latest)
    return DeadGroup(
        source=one.source, type=one.type, reason=one.reason, count=one.count + other.count,
        first=min(one.first, other.first), last=max(one.last, other.last), latest=later.latest, example=later.example,
    )  # fmt: skip


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
        "replay": f"segue replay {group.choice}",
    }


def _print(group: DeadGroup, outlook: Forecast | None) -> None:
    echo(printable(f"{group.count} x {group.source} {group.type}"), bold=True)
    echo(f"  reason   {short(group.reason, 160)}")
    echo(f"  received {clock(group.first)} to {clock(group.last)}, the latest is #{group.latest}")
    echo(f"  hint     {group.hint}")
    if outlook:
        echo(f"  today    with today's code: {summary(outlook)}")
    echo(f"  replay   segue replay {printable(group.choice)} --dry-run\n")
