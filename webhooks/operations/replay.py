"""Deliver events again, translated by today's code.

request = ReplayRequest(selection=EventSelection(states=(State.DEAD,)), rate=500)
plan = replay.plan(journal, request, now=now)      # how many events, over how long; changes nothing
result = replay.run(journal, plan, by=audit_context("ann", "mapping fixed"), clock=clock)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from webhooks.journal import AuditContext, Filter, Row, State
from webhooks.journal.protocol import EventOperations, EventQueries
from webhooks.operations import progress
from webhooks.operations.forecast import Forecast, forecast
from webhooks.operations.progress import ProgressListener, begin_phase, ignore_progress, steps
from webhooks.operations.selection import EventSelection, count_of, require_condition, select
from webhooks.sources.endpoints import Endpoint

DEDUPLICATED: Final = timedelta(hours=24)
"""How long Segment is sure to recognise a messageId. https://segment.com/docs/guides/duplicate-data/"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """The events to replay, and how.

    everything   confirms that a selection without conditions is meant
    limit        only the oldest of the selected events
    as_new       give the messages new ids, so that Segment counts them once more
    rate         events that become due in a second; 0 makes all due at once
    """

    selection: EventSelection
    everything: bool = False
    limit: int | None = None
    as_new: bool = False
    rate: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """What a replay would do.

    pending                selected events that are pending already, so that they are skipped
    beyond_deduplication   events delivered so long ago that Segment no longer knows the ids of their messages
    """

    request: ReplayRequest
    seqs: tuple[int, ...]
    pending: int
    beyond_deduplication: int

    @property
    def events(self) -> int:
        """Return how many events would be delivered again."""
        return len(self.seqs) - self.pending

    @property
    def seconds(self) -> float:
        """Return how long it takes until the last of them is due."""
        return self.events / self.request.rate if self.request.rate else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """The counts of a replay. `skipped` events were pending, or no longer exist. `operation` is in the audit log."""

    replayed: int
    skipped: int
    operation: str


def plan(journal: EventQueries, request: ReplayRequest, *, now: datetime, known: Collection[str] = ()) -> ReplayPlan:
    """Return what the replay would do. Raise `OperationRefused` for a selection that names nothing."""
    require_condition(request.selection, everything=request.everything)
    seqs = journal.seqs(select(journal, request.selection, known=known))[: request.limit]
    before = now - DEDUPLICATED
    return ReplayPlan(
        request=request,
        seqs=tuple(seqs),
        pending=count_of(journal, seqs, states=(State.PENDING,)),
        beyond_deduplication=0
        if request.as_new
        else count_of(journal, seqs, states=(State.DELIVERED,), settled_until=before),
    )


def preview(
    journal: EventQueries, plan: ReplayPlan, endpoints: Mapping[str, Endpoint], *, namespace: str
) -> Iterator[tuple[Row, Forecast]]:
    """Yield each event of the plan with its outcome by today's code. Nothing is changed or sent."""
    for batch in steps(plan.seqs):
        for row in journal.rows(Filter(seqs=tuple(batch)), limit=len(batch)):
            yield row, forecast(row, endpoints, namespace=namespace, as_new=plan.request.as_new)


def run(
    journal: EventOperations,
    plan: ReplayPlan,
    *,
    by: AuditContext,
    clock: Callable[[], datetime],
    report: ProgressListener = ignore_progress,
) -> ReplayResult:
    """Make the events pending again, due at the plan's rate. Each step is a transaction with a line in the audit log.

    An interrupted run leaves the later events as they were; running the same request again replays only those that
    are settled.
    """
    rate = plan.request.rate
    start = clock()
    replayed = 0
    advance = begin_phase(report, "replaying", len(plan.seqs))
    for batch in steps(plan.seqs, _step(rate)):
        due_at = start + timedelta(seconds=replayed / rate) if rate else start
        done = journal.replay(batch, by=by, as_new=plan.request.as_new, now=clock(), due_at=due_at)
        replayed += done.changed
        advance(len(batch))
    return ReplayResult(replayed=replayed, skipped=len(plan.seqs) - replayed, operation=by.operation)


def _step(rate: float) -> int:
    """Return how many events become due together: those of a second, at most `STEP`."""
    return max(1, min(progress.STEP, int(rate))) if rate else progress.STEP
