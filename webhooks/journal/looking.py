"""Looking for events as people do. A text is looked for in each body here, since a store may hold it sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from webhooks.journal import records
from webhooks.journal.filter import Filter, finder
from webhooks.journal.model import Cursor, Kind, Row, State
from webhooks.journal.protocol import EVERYTHING

PAGE: Final = 500
"""Rows read at once where each is looked into."""


class Looked:
    """`rows`, `count`, `seqs` and `kinds` of a store that answers `_page` and `_all`."""

    def rows(
        self, filter: Filter = EVERYTHING, *, after: Cursor = "", limit: int = 100, newest_first: bool = False
    ) -> list[Row]:
        """Events in order of arrival, or the other way."""
        if not filter.text:
            return self._page(filter, after, limit, newest_first=newest_first)
        found: list[Row] = []
        for row in self._holding(filter, after, newest_first=newest_first):
            found.append(row)
            if len(found) >= limit:
                break
        return found

    def count(self, filter: Filter = EVERYTHING) -> int:
        """How many events the filter means."""
        if filter.text:
            return len(self.seqs(filter))
        found: int = self._all("count", filter)[0][0]
        return found

    def seqs(self, filter: Filter = EVERYTHING) -> list[int]:
        """The events that the filter means now."""
        if filter.text:
            return [row.seq for row in self._holding(filter)]
        return [row[0] for row in self._all("seqs", filter)]

    def kinds(self, filter: Filter = EVERYTHING) -> list[Kind]:
        """Counted by source, type, state and reason."""
        if filter.text:
            filter = replace(filter, text="", seqs=tuple(self.seqs(filter)))
        return [
            Kind(source, type_, State(state), reason, count, records.moment(first), records.moment(last), latest)
            for source, type_, state, reason, count, first, last, latest in self._all("kinds", filter)
        ]

    def _holding(self, filter: Filter, after: Cursor = "", *, newest_first: bool = False) -> Iterator[Row]:
        """The rows that hold the filter's text, looked into one by one."""
        holds, filter = finder(filter.text), replace(filter, text="")
        while page := self._page(filter, after, PAGE, newest_first=newest_first):
            yield from (row for row in page if holds(row.event, row.reason))
            after = page[-1].cursor

    def _page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Row]:
        """Rows behind a cursor, by a filter without a text."""
        raise NotImplementedError

    def _all(self, name: str, filter: Filter) -> list[Any]:
        """The answer of the query of this name, by a filter without a text."""
        raise NotImplementedError
