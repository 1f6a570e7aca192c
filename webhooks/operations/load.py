"""Load rows of another journal: those that fit are stored, the others are returned with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import AppendResult, Row
from webhooks.journal.isolate import commit_all
from webhooks.journal.protocol import EventOperations


@dataclass(frozen=True, slots=True)
class SkippedEvent:
    """An event that was not stored, or differs, and why."""

    seq: int
    source: str
    key: str
    state: str
    why: str

    @classmethod
    def of(cls, row: Row, why: str) -> SkippedEvent:
        """Return the entry for an event."""
        return cls(row.seq, row.event.source, row.event.id, row.state.value, why)


def load_each(journal: EventOperations, rows: Sequence[Row]) -> tuple[AppendResult, list[SkippedEvent]]:
    """Store rows unchanged. Return how many were new or already present, and those that the journal cannot store."""

    def load(batch: Sequence[Row]) -> list[AppendResult]:
        return [journal.load(batch), *[AppendResult(0, 0)] * (len(batch) - 1)]

    def as_refusal(error: Exception) -> JournalError | None:
        return error if isinstance(error, JournalError) and not isinstance(error, JournalUnavailable) else None

    if not rows:
        return AppendResult(0, 0), []
    new = present = 0
    skipped = []
    for row, result in zip(rows, commit_all(rows, load, refused=as_refusal, available=lambda _: False), strict=True):
        if isinstance(result, AppendResult):
            new += result.new
            present += result.duplicate
        elif refusal := as_refusal(result):
            skipped.append(SkippedEvent.of(row, refusal.message))
        else:
            raise result
    return AppendResult(new, present), skipped
