"""Clocks, progress and states in tests of an operator's changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from support.messages import AT
from webhooks.journal import Journal, State
from webhooks.operations.progress import Progress

NOW = AT + timedelta(hours=48)


class Ticks:
    """A clock that is a second later at each reading."""

    def __init__(self) -> None:
        self._seconds = count()

    def __call__(self) -> datetime:
        return NOW + timedelta(seconds=next(self._seconds))


class Reports:
    """A listener that keeps what an operation reported."""

    def __init__(self) -> None:
        self.list: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        self.list.append(progress)

    def of(self, phase: str) -> list[tuple[int, int]]:
        return [(report.done, report.total) for report in self.list if report.phase == phase]


def seqs(journal: Journal, *keys: str) -> tuple[int, ...]:
    numbers = {row.event.id: row.seq for row in journal.rows(limit=10_000)}
    return tuple(numbers[key] for key in keys)


def states(journal: Journal) -> dict[str, State]:
    return {row.event.id: row.state for row in journal.rows(limit=10_000)}
