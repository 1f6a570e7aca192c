"""Decide that events are not delivered."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from webhooks.errors import OperationRefused
from webhooks.journal import DROPPABLE, AuditContext, Filter, Row
from webhooks.journal.protocol import EventOperations, EventQueries
from webhooks.operations.progress import ProgressListener, begin_phase, ignore_progress, steps
from webhooks.operations.selection import EventSelection, count_of, require_condition, select

EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPlan:
    """What a drop would do: the selected events, how many of them are not delivered, and the oldest as `examples`."""

    seqs: tuple[int, ...]
    events: int
    examples: tuple[Row, ...]

    @property
    def skipped(self) -> int:
        """Return how many are delivered or dropped already."""
        return len(self.seqs) - self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class DropResult:
    """The counts of a drop. `operation` is in the audit log."""

    dropped: int
    skipped: int
    operation: str


def plan(journal: EventQueries, selection: EventSelection, *, known: Collection[str] = ()) -> DropPlan:
    """Return what the drop would do. Raise `OperationRefused` for a selection without conditions."""
    require_condition(selection)
    seqs = journal.seqs(select(journal, selection, known=known))
    examples = journal.rows(Filter(seqs=tuple(seqs[:EXAMPLES]), states=DROPPABLE), limit=EXAMPLES)
    return DropPlan(seqs=tuple(seqs), events=count_of(journal, seqs, states=DROPPABLE), examples=tuple(examples))


def run(
    journal: EventOperations,
    plan: DropPlan,
    *,
    by: AuditContext,
    clock: Callable[[], datetime],
    report: ProgressListener = ignore_progress,
) -> DropResult:
    """Drop the events of the plan. Each step is a transaction with a line in the audit log. A reason is required."""
    if not by.reason.strip():
        raise OperationRefused("A drop needs a reason.", hint="Say why, for later readers of the audit log.")
    dropped = 0
    advance = begin_phase(report, "dropping", len(plan.seqs))
    for batch in steps(plan.seqs):
        dropped += journal.drop(batch, by=by, now=clock()).changed
        advance(len(batch))
    return DropResult(dropped=dropped, skipped=len(plan.seqs) - dropped, operation=by.operation)
