"""A SQLite journal's watch looks at the last assigned seq."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.events import NOW, event
from webhooks.errors import JournalUnavailable
from webhooks.journal import Settlement, SqliteJournal, State
from webhooks.journal.sqlite.watch import INTERVAL, UNAVAILABLE, AppendWatch


class Looks:
    """A watch whose thread has ended, and the number of its calls of `wake`."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.woken = 0
        self.watch = AppendWatch(journal.end, self.wake)
        self.watch.close()
        self.woken = 0
        self.watch.look()

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "j.db")
    yield opened
    opened.close()


def test_a_worker_is_not_woken_by_its_own_claims_and_settlements(journal: SqliteJournal) -> None:
    looks = Looks(journal)
    journal.append([event("a"), event("b")], now=NOW)
    assert looks.watch.look() == INTERVAL
    assert looks.woken == 1, "once for a batch"
    claims = journal.claim(10, worker="w", now=NOW, lease=timedelta(minutes=1))
    journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=NOW)
    assert looks.watch.look() == INTERVAL
    assert looks.woken == 1


def test_a_worker_is_woken_by_an_append_through_another_connection(journal: SqliteJournal, tmp_path: Path) -> None:
    looks = Looks(journal)
    other = SqliteJournal(tmp_path / "j.db")
    other.append([event("a")], now=NOW)
    other.close()
    looks.watch.look()
    assert looks.woken == 1


def test_a_journal_that_cannot_be_read_is_looked_at_again_a_second_later() -> None:
    failing = True
    asked, woken = threading.Event(), threading.Event()

    def end() -> str:
        asked.set()
        if failing:
            raise JournalUnavailable("the disk is full", hint="Free space.")
        return "1"

    watch = AppendWatch(end, woken.set)
    assert asked.wait(30)
    assert watch.look() == UNAVAILABLE
    assert not woken.is_set()
    failing = False
    assert watch.look() == INTERVAL
    assert woken.is_set()
    watch.close()
    assert "journal watch" not in {thread.name for thread in threading.enumerate()}
