"""Searching for events. A text is searched for in Python, since a body may be stored encrypted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, Protocol

from webhooks.journal import records
from webhooks.journal.encryption import Encryption
from webhooks.journal.filter import Filter, text_matcher
from webhooks.journal.model import Cursor, EventGroup, Row, SearchResult, State
from webhooks.journal.records import Record

PAGE: Final = 500
"""Rows read at once in a text search."""


class EventPages(Protocol):
    """Stored events by filters without a text. A record is a row of the store."""

    def page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> Sequence[Record]:
        """Return records after a cursor, or before it if newest first."""
        ...

    def cursor(self, record: Record) -> Cursor:
        """Return a record's place in the order of arrival."""
        ...

    def count(self, filter: Filter) -> int:
        """Return the number of events that the filter selects."""
        ...

    def seqs(self, filter: Filter) -> list[int]:
        """Return the seqs of these events, in order."""
        ...

    def event_groups(self, filter: Filter) -> Sequence[Record]:
        """Return source, type, state, reason, count, first and last time of receipt, and latest seq of each group."""
        ...


class EventSearch:
    """Read events by any filter. See `webhooks.journal.protocol.EventQueries`."""

    def __init__(self, pages: EventPages, encryption: Encryption) -> None:
        self._pages = pages
        self._encryption = encryption

    def row(self, record: Record) -> Row:
        """Return the row of a record."""
        return records.row(record, self._encryption, self._pages.cursor(record))

    def rows(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Row]:
        """Return events in order of arrival, or newest first."""
        if not filter.text:
            return [self.row(record) for record in self._pages.page(filter, after, limit, newest_first=newest_first)]
        matching = (record for record, matches in self._searched(filter, after, newest_first=newest_first) if matches)
        return [self.row(record) for record in islice(matching, limit)]

    def search(
        self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool, max_searched: int
    ) -> SearchResult:
        """Return a page, and how many events were searched for a text."""
        selected: list[Record] = []
        if not filter.text:
            selected = [*self._pages.page(filter, after, limit + 1, newest_first=newest_first)]
            following = self._pages.cursor(selected[limit - 1]) if len(selected) > limit else ""
            return SearchResult(rows=tuple(self.row(record) for record in selected[:limit]), next=following)
        searched, last, following = 0, None, ""
        for record, matches in self._searched(
            filter, after, newest_first=newest_first, page_size=min(PAGE, max_searched)
        ):
            if searched == max_searched or (matches and len(selected) == limit):
                following = self._pages.cursor(last)
                break
            searched, last = searched + 1, record
            if matches:
                selected.append(record)
        return SearchResult(
            rows=tuple(self.row(record) for record in selected),
            next=following,
            searched=searched,
            searched_to=None if last is None else records.moment(last["received_at"]),
        )

    def count(self, filter: Filter) -> int:
        """Return the number of events that the filter selects."""
        if filter.text:
            return len(self.seqs(filter))
        return self._pages.count(filter)

    def seqs(self, filter: Filter) -> list[int]:
        """Return the seqs of the events that the filter selects."""
        if filter.text:
            return [record["seq"] for record, matches in self._searched(filter) if matches]
        return self._pages.seqs(filter)

    def event_groups(self, filter: Filter) -> list[EventGroup]:
        """Return event counts by source, type, state and reason."""
        if filter.text:
            filter = replace(filter, text="", seqs=tuple(self.seqs(filter)))
        return [
            EventGroup(source, type_, State(state), reason, count, records.moment(first), records.moment(last), latest)
            for source, type_, state, reason, count, first, last, latest in self._pages.event_groups(filter)
        ]

    def _searched(
        self, filter: Filter, after: Cursor = "", *, newest_first: bool = False, page_size: int = PAGE
    ) -> Iterator[tuple[Record, bool]]:
        """Yield each record that the filter selects without its text, and whether it contains the text."""
        matches, filter = text_matcher(filter.text), replace(filter, text="")
        while page := self._pages.page(filter, after, page_size, newest_first=newest_first):
            for record in page:
                yield record, matches(record["event_key"], record["reason"], records.body(record, self._encryption))
            after = self._pages.cursor(page[-1])
