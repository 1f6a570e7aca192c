"""Dead letters by source, type and reason, and what to do about each group."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from webhooks.journal import EventGroup, State
from webhooks.journal.protocol import EventQueries
from webhooks.operations.forecast import Forecast, forecast
from webhooks.operations.reasons import reason_pattern
from webhooks.operations.selection import EventSelection, select
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.unreadable import MALFORMED_TYPE

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
    """Dead events that share source, type and reason. `example` is the whole reason of the `latest` one."""

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


def dead_groups(journal: EventQueries, selection: EventSelection, *, known: Collection[str] = ()) -> list[DeadGroup]:
    """Return the dead events among the selected ones as groups."""
    filter = replace(select(journal, selection, known=known), states=(State.DEAD,))
    return grouped(journal.event_groups(filter))


def example_forecast(
    journal: EventQueries, group: DeadGroup, endpoints: Mapping[str, Endpoint], *, namespace: str
) -> Forecast | None:
    """Return what today's code would make of the latest event of a group; None if it was pruned in between."""
    row = journal.get(group.latest)
    return forecast(row, endpoints, namespace=namespace) if row else None


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


def _merge(one: DeadGroup, other: DeadGroup) -> DeadGroup:
    later = max(one, other, key=lambda group: group.latest)
    return DeadGroup(
        source=one.source, type=one.type, reason=one.reason, count=one.count + other.count,
        first=min(one.first, other.first), last=max(one.last, other.last), latest=later.latest, example=later.example,
    )  # fmt: skip
