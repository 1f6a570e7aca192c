"""Choose the index for a filter of the SQLite journal. A filter reads the states; only a key or the event's own time
is read from the events, whose rows contain their bodies.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from webhooks.journal import queries, records
from webhooks.journal.filter import Filter
from webhooks.journal.model import State

SQL: Final = queries.load("sqlite/queries")
FEW: Final = 20_000
"""Events that are sorted for a page; if a filter may select more, the rows are read in their order."""
_PENDING: Final = "state = 'pending'"
_SETTLED: Final = "state <> 'pending'"
_UNDELIVERED: Final = "state NOT IN ('pending', 'delivered')"


@dataclass(frozen=True, slots=True)
class IndexRange:
    """A part of the events in an index: those of one state, or all."""

    index: str = ""
    where: str = "TRUE"


class Selection:
    """A filter without its text, as queries of this database."""

    def __init__(self, db: sqlite3.Connection, filter: Filter) -> None:
        self._db = db
        self._filter = filter
        params = records.filter_params(filter, pattern=_glob)
        self._params = {
            name: records.json(value) if isinstance(value, list) else value for name, value in params.items()
        }
        if filter.sources or filter.keys:
            patterns = self._params.get("sources", '["*"]')
            sources = [row[0] for row in db.execute(SQL["sources"], (patterns,))]
            self._params["sources"] = records.json(sources)
        self._where = " AND ".join(SQL[f"where {part}"] for part in self._params) or SQL["where"]

    def page(self, after: int, limit: int, *, newest_first: bool) -> list[int]:
        """Return the seqs of a page after a position, or before it."""
        name = "rows_newest_first" if newest_first else "rows"
        seqs: list[int] = []
        for part in self._in_order():
            rows = self._run(name, part, after=after, limit=limit)
            seqs += [row[0] for row in rows]
        return sorted(seqs, reverse=newest_first)[:limit]

    def count(self) -> int:
        """Return the number of selected events."""
        return sum(self._run("count", part)[0][0] for part in self._ranges())

    def seqs(self) -> list[int]:
        """Return all seqs, in order."""
        return sorted(row[0] for part in self._ranges() for row in self._run("seqs", part))

    def event_groups(self) -> list[Any]:
        """Return counts by source, type, state and reason, in this order."""
        return sorted(tuple(row) for part in self._ranges() for row in self._run("event_groups", part))

    def _ranges(self) -> list[IndexRange]:
        """Return index ranges that contain each selected event once."""
        filter = self._filter
        if filter.seqs is not None or filter.keys:
            return [IndexRange("NOT INDEXED")]
        if not (filter.states or filter.sources):
            return [IndexRange()]
        states = filter.states or tuple(State)
        settled = [state for state in dict.fromkeys(states) if state is not State.PENDING]
        ranges = [
            IndexRange("INDEXED BY states_settled", f"{_SETTLED} AND state = '{state.value}'") for state in settled
        ]
        return ranges + [IndexRange("INDEXED BY states_queue", _PENDING)] * (State.PENDING in states)

    def _in_order(self) -> list[IndexRange]:
        """Return the ranges for a page: of few events, or in order of arrival."""
        ranges = self._ranges()
        if self._filter.keys or self._filter.seqs is not None:
            return ranges
        if ranges == [IndexRange()]:
            return [IndexRange("NOT INDEXED")]
        left = FEW
        for part in ranges:
            left -= self._up_to(part, left + 1)
            if left < 0:
                break
        else:
            return ranges
        if self._filter.states and not {State.PENDING, State.DELIVERED} & set(self._filter.states):
            states = dict.fromkeys(self._filter.states)
            where = [f"{_UNDELIVERED} AND state = '{state.value}'" for state in states]
            return [IndexRange("INDEXED BY states_undelivered", condition) for condition in where]
        return [IndexRange("NOT INDEXED")]

    def _up_to(self, part: IndexRange, most: int) -> int:
        where = f"{part.where} AND {SQL['where sources']}" if self._filter.sources else part.where
        query = SQL["up_to"].format(index=part.index, where=where)
        count: int = self._db.execute(query, {**self._params, "most": most}).fetchone()[0]
        return count

    def _run(self, name: str, part: IndexRange, **more: int) -> list[Any]:
        query = SQL[name].format(index=part.index, where=f"{part.where} AND {self._where}")
        return self._db.execute(query, {**self._params, **more}).fetchall()


def _glob(pattern: str) -> str:
    """Return a GLOB pattern of SQLite: of its special characters a filter has only `*`."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
