"""Rows of elsewhere into a journal: what it can hold is stored, the rest is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from webhooks.cli.output import bad, echo, identifier, print_columns, short

if TYPE_CHECKING:
    from webhooks.errors import JournalError
    from webhooks.journal import AppendResult, Journal, Row

SHOWN: Final = 20
"""Events named on the terminal, of each list."""


@dataclass(frozen=True, slots=True)
class Left:
    """An event that was left where it is, and why."""

    seq: int
    source: str
    key: str
    state: str
    why: str

    @classmethod
    def of(cls, row: Row, why: str) -> Left:
        """Of an event."""
        return cls(row.seq, row.event.source, row.event.key, row.state.value, why)


def load_each(journal: Journal, rows: Sequence[Row]) -> tuple[AppendResult, list[Left]]:
    """Store rows as they stand: how many were new or there already, and those that the journal cannot hold."""
    from webhooks.errors import JournalError, JournalUnavailable
    from webhooks.journal import AppendResult
    from webhooks.journal.isolate import commit_all

    def load(some: Sequence[Row]) -> list[AppendResult]:
        return [journal.load(some), *[AppendResult(0, 0)] * (len(some) - 1)]

    def refused(error: Exception) -> JournalError | None:
        return error if isinstance(error, JournalError) and not isinstance(error, JournalUnavailable) else None

    new = there = 0
    left = []
    for row, result in zip(rows, commit_all(rows, load, refused=refused, available=lambda _: False), strict=True):
        if isinstance(result, AppendResult):
            new += result.new
            there += result.duplicate
        elif refusal := refused(result):
            left.append(Left.of(row, refusal.message))
        else:
            raise result
    return AppendResult(new, there), left


def print_left(what: str, left: Sequence[Left]) -> None:
    """A list of events, not longer than a screen."""
    if not left:
        return
    bad(f"{len(left)} events {what}:")
    rows = [[str(one.seq), one.source, identifier(one.key), one.state, short(one.why)] for one in left[:SHOWN]]
    print_columns(rows, heading=["#", "source", "key", "state", "why"])
    if len(left) > SHOWN:
        echo(f"... and {len(left) - SHOWN} more; --json has them all.")
