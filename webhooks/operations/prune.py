"""Delete settled events by state and age now, without waiting for the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from webhooks.errors import OperationRefused
from webhooks.journal import AuditContext, Filter, State
from webhooks.journal.protocol import EventOperations, EventQueries, EventRetention
from webhooks.operations.progress import ProgressListener, begin_phase, ignore_progress
from webhooks.settings import RetentionSettings

SETTLED: Final = (State.DELIVERED, State.IGNORED, State.UNSUPPORTED, State.DEAD, State.DROPPED)
LEAST: Final = timedelta(hours=72)
"""Settled events recognise a provider's retries, and providers retry for three days."""
PAGE: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRequest:
    """The states to prune, and the age from which on; without one, each state's retention."""

    states: tuple[State, ...] = SETTLED
    older_than: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePlan:
    """What a prune would delete: the age limit of each state, and how many events were older at the time `at`."""

    ages: Mapping[State, timedelta]
    counts: Mapping[State, int]
    at: datetime

    @property
    def events(self) -> int:
        """Return how many events would be deleted."""
        return sum(self.counts.values())


class PrunedJournal(EventRetention, EventOperations, Protocol):
    """What `run` uses of the journal."""


def plan(journal: EventQueries, request: PruneRequest, retention: RetentionSettings, *, now: datetime) -> PrunePlan:
    """Return what the prune would delete. Raise for pending events, and for an age under 72 hours."""
    age = request.older_than
    if State.PENDING in request.states:
        raise OperationRefused("Pending events are never deleted.", hint="Drop them first, or let them be delivered.")
    if age is not None and age < LEAST:
        raise OperationRefused(
            "Events that were settled within 72 hours are never deleted.",
            hint="They recognise a provider's retries, and providers retry for three days.",
        )
    ages = {state: age or getattr(retention, state.value) for state in request.states}
    counts = {state: journal.count(Filter(states=(state,), settled_until=now - limit)) for state, limit in ages.items()}
    return PrunePlan(ages=ages, counts=counts, at=now)


def run(
    journal: PrunedJournal, plan: PrunePlan, *, by: AuditContext, report: ProgressListener = ignore_progress
) -> int:
    """Delete the events of the plan; return how many were deleted. The audit log gets one line, before the first.

    PostgreSQL drops whole partitions, so that events of a younger partition stay for now.
    """
    if not plan.events:
        return 0
    older_than = {state.value: int(age.total_seconds()) for state, age in plan.ages.items()}
    journal.audit("prune", {"older_than_seconds": older_than, "events": plan.events}, by=by, now=plan.at)
    total = 0
    advance = begin_phase(report, "pruning", plan.events)
    while deleted := journal.prune(plan.ages, now=plan.at, limit=PAGE):
        total += deleted
        advance(deleted)
    return total
