"""Looking for events as people do. A text is looked for in each body here, since a store may hold it sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from webhooks.journal import records
from webhooks.journal.encryption import Encryption
from webhooks.journal.filter import Filter, finder
from webhooks.journal.model import Cursor, EventGroup, Row, SearchResult, State
from webhooks.journal.protocol import EVERYTHING, MOST_SEARCHED

PAGE: Final = 500
"""Rows read at once where each is looked into."""


class TextSearch:
    """`rows`, `search`, `count`, `seqs` and `kinds` of a store that answers `_page`, `_row`, `_cursor` and `_all`."""

    _seal: Encryption

    def rows(
        self, filter: Filter = EVERYTHING, *, after: Cursor = "", limit: int = 100, newest_first: bool = False
    ) -> list[Row]:
        """Events in order of arrival, or the other way."""
        if not filter.text:
            return [self._row(record) for record in self._page(filter, after, limit, newest_first=newest_first)]
        holding = (record for record, holds in self._looked_into(filter, after, newest_first=newest_first) if holds)
        return [self._row(record) for record in islice(holding, limit)]

    def search(
        self,
        filter: Filter = EVERYTHING,
        *,
        after: Cursor = "",
        limit: int = 100,
        newest_first: bool = False,
        most: int = MOST_SEARCHED,
    ) -> SearchResult:
        """A page, and how far a text was looked for."""
        found: list[Any] = []
        if not filter.text:
            found = self._page(filter, after, limit + 1, newest_first=newest_first)
            following = self._cursor(found[limit - 1]) if len(found) > limit else ""
            return SearchResult(rows=tuple(self._row(record) for record in found[:limit]), next=following)
        searched, last, following = 0, None, ""
        for record, holds in self._looked_into(filter, after, newest_first=newest_first, page=min(PAGE, most)):
            if searched == most or (holds and len(found) == limit):
                following = self._cursor(last)
                break
            searched, last = searched + 1, record
            if holds:
                found.append(record)
        return SearchResult(
            rows=tuple(self._row(record) for record in found),
            next=following,
            searched=searched,
            searched_to=None if last is None else records.moment(last["received_at"]),
        )

    def count(self, filter: Filter = EVERYTHING) -> int:
        """How many events the filter means."""
        if filter.text:
            return len(self.seqs(filter))
        found: int = self._all("count", filter)[0][0]
        return found

    def seqs(self, filter: Filter = EVERYTHING) -> list[int]:
        """The events that the filter means now."""
        if filter.text:
            return [record["seq"] for record, holds in self._looked_into(filter) if holds]
        return [row[0] for row in self._all("seqs", filter)]

    def event_groups(self, filter: Filter = EVERYTHING) -> list[EventGroup]:
        """Counted by source, type, state and reason."""
        if filter.text:
            filter = replace(filter, text="", seqs=tuple(self.seqs(filter)))
        return [
            EventGroup(source, type_, State(state), reason, count, records.moment(first), records.moment(last), latest)
            for source, type_, state, reason, count, first, last, latest in self._all("kinds", filter)
        ]

    def _looked_into(
        self, filter: Filter, after: Cursor = "", *, newest_first: bool = False, page: int = PAGE
    ) -> Iterator[tuple[Any, bool]]:
        """Each record that the filter means without its text, and whether it holds that."""
        holds, filter = finder(filter.text), replace(filter, text="")
        while found := self._page(filter, after, page, newest_first=newest_first):
            for record in found:
                yield record, holds(record["event_key"], record["reason"], records.body(record, self._seal))
            after = self._cursor(found[-1])

    def _page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Any]:
        """Records behind a cursor, by a filter without a text."""
        raise NotImplementedError

    def _row(self, record: Any) -> Row:
        """A record as people see it."""
        raise NotImplementedError

    def _cursor(self, record: Any) -> Cursor:
        """A record's place in the order."""
        raise NotImplementedError

    def _all(self, name: str, filter: Filter) -> list[Any]:
        """The answer of the query of this name, by a filter without a text."""
        raise NotImplementedError
