"""Searching for events. A text is searched for in Python, since a body may be stored encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from webhooks.journal import records
from webhooks.journal.encryption import Encryption
from webhooks.journal.filter import Filter, text_matcher
from webhooks.journal.model import Cursor, EventGroup, Row, SearchResult, State
from webhooks.journal.protocol import EVERYTHING, MAX_SEARCHED

PAGE: Final = 500
"""Rows read at once in a text search."""


class TextSearch:
    """`rows`, `search`, `count`, `seqs` and `event_groups` of a store with `_page`, `_row`, `_cursor` and `_all`."""

    _encryption: Encryption

    def rows(
        self, filter: Filter = EVERYTHING, *, after: Cursor = "", limit: int = 100, newest_first: bool = False
    ) -> list[Row]:
        """Return events in order of arrival, or newest first."""
        if not filter.text:
            return [self._row(record) for record in self._page(filter, after, limit, newest_first=newest_first)]
        matching = (record for record, matches in self._searched(filter, after, newest_first=newest_first) if matches)
        return [self._row(record) for record in islice(matching, limit)]

    def search(
        self,
        filter: Filter = EVERYTHING,
        *,
        after: Cursor = "",
        limit: int = 100,
        newest_first: bool = False,
        max_searched: int = MAX_SEARCHED,
    ) -> SearchResult:
        """Return a page, and how many events were searched for a text."""
        selected: list[Any] = []
        if not filter.text:
            selected = self._page(filter, after, limit + 1, newest_first=newest_first)
            following = self._cursor(selected[limit - 1]) if len(selected) > limit else ""
            return SearchResult(rows=tuple(self._row(record) for record in selected[:limit]), next=following)
        searched, last, following = 0, None, ""
        for record, matches in self._searched(
            filter, after, newest_first=newest_first, page_size=min(PAGE, max_searched)
        ):
            if searched == max_searched or (matches and len(selected) == limit):
                following = self._cursor(last)
                break
            searched, last = searched + 1, record
            if matches:
                selected.append(record)
        return SearchResult(
            rows=tuple(self._row(record) for record in selected),
            next=following,
            searched=searched,
            searched_to=None if last is None else records.moment(last["received_at"]),
        )

    def count(self, filter: Filter = EVERYTHING) -> int:
        """Return the number of events that the filter selects."""
        if filter.text:
            return len(self.seqs(filter))
        count: int = self._all("count", filter)[0][0]
        return count

    def seqs(self, filter: Filter = EVERYTHING) -> list[int]:
        """Return the seqs of the events that the filter selects."""
        if filter.text:
            return [record["seq"] for record, matches in self._searched(filter) if matches]
        return [row[0] for row in self._all("seqs", filter)]

    def event_groups(self, filter: Filter = EVERYTHING) -> list[EventGroup]:
        """Return event counts by source, type, state and reason."""
        if filter.text:
            filter = replace(filter, text="", seqs=tuple(self.seqs(filter)))
        return [
            EventGroup(source, type_, State(state), reason, count, records.moment(first), records.moment(last), latest)
            for source, type_, state, reason, count, first, last, latest in self._all("event_groups", filter)
        ]

    def _searched(
        self, filter: Filter, after: Cursor = "", *, newest_first: bool = False, page_size: int = PAGE
    ) -> Iterator[tuple[Any, bool]]:
        """Yield each record that the filter selects without its text, and whether it contains the text."""
        matches, filter = text_matcher(filter.text), replace(filter, text="")
        while page := self._page(filter, after, page_size, newest_first=newest_first):
            for record in page:
                yield record, matches(record["event_key"], record["reason"], records.body(record, self._encryption))
            after = self._cursor(page[-1])

    def _page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Any]:
        """Return records after a cursor, by a filter without a text."""
        raise NotImplementedError

    def _row(self, record: Any) -> Row:
        """Return the row of a record."""
        raise NotImplementedError

    def _cursor(self, record: Any) -> Cursor:
        """Return a record's place in the order of arrival."""
        raise NotImplementedError

    def _all(self, name: str, filter: Filter) -> list[Any]:
        """Return the rows of the query with this name, by a filter without a text."""
        raise NotImplementedError
