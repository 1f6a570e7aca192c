"""Rows of another journal: those that fit are stored, the others are returned with the reason."""

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

import pytest

from support.messages import AT, event
from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import AppendResult, Journal, Row
from webhooks.journal.protocol import EventOperations
from webhooks.operations.load import SkippedEvent, load_each


class Picky:
    """A journal that raises `error` for a load with the key `bad`, and has the key `old`."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.loaded: list[str] = []

    def load(self, rows: Iterable[Row]) -> AppendResult:
        keys = [row.event.id for row in rows]
        if "bad" in keys:
            raise self.error
        self.loaded += keys
        return AppendResult(len(keys) - keys.count("old"), keys.count("old"))


def rows(journal: Journal, *keys: str) -> list[Row]:
    journal.append([event(1)], now=AT)
    (row,) = journal.rows()
    return [replace(row, event=replace(row.event, id=key)) for key in keys]


def loaded(journal: object, batch: list[Row]) -> tuple[AppendResult, list[SkippedEvent]]:
    return load_each(cast("EventOperations", journal), batch)


def test_all_rows_that_fit_are_stored_and_the_other_is_returned(journal: Journal) -> None:
    picky = Picky(JournalError("its key is too long"))
    batch = rows(journal, "a", "bad", "old", "b", "c")
    stored, skipped = loaded(picky, batch)
    assert stored == AppendResult(3, 1)
    assert skipped == [SkippedEvent(batch[1].seq, "shop", "bad", "pending", "its key is too long")]
    assert picky.loaded == ["a", "old", "b", "c"]
    assert loaded(picky, []) == (AppendResult(0, 0), [])


@pytest.mark.parametrize("error", [JournalUnavailable("the disk is full"), RuntimeError("a bug")])
def test_an_unavailable_journal_is_an_error_of_the_whole(journal: Journal, error: Exception) -> None:
    with pytest.raises(JournalUnavailable):
        loaded(Picky(error), rows(journal, "a", "bad"))
