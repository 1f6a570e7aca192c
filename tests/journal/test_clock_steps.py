"""A SQLite journal after the clock was an hour ahead: no event waits for that hour."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.events import NOW, event
from webhooks.journal import AuditContext, Claim, Settlement, SqliteJournal, State

HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=60)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "segue.db")
    yield opened
    opened.close()


def keys(claims: list[Claim]) -> list[str]:
    return [claim.event.id for claim in claims]


def test_an_event_stored_while_the_clock_was_ahead_is_due_by_the_right_clock(journal: SqliteJournal) -> None:
    journal.append([event("a", received_at=NOW + HOUR)], now=NOW + HOUR)
    assert keys(journal.claim(10, worker="w", now=NOW, lease=LEASE)) == ["a"]


def test_a_lease_taken_while_the_clock_was_ahead_expires_by_the_right_clock(journal: SqliteJournal) -> None:
    journal.append([event("a")], now=NOW)
    (lost,) = journal.claim(10, worker="gone", now=NOW + HOUR, lease=LEASE)
    assert keys(journal.claim(10, worker="w", now=NOW, lease=LEASE)) == ["a"]
    assert journal.settle([Settlement(claim=lost, state=State.DELIVERED)], now=NOW) == set()


def test_a_lease_that_was_just_renewed_is_not_taken_for_one_of_a_wrong_clock(journal: SqliteJournal) -> None:
    journal.append([event("a")], now=NOW)
    journal.renew(journal.claim(10, worker="busy", now=NOW, lease=LEASE), now=NOW + LEASE, lease=LEASE)
    assert journal.claim(10, worker="w", now=NOW, lease=LEASE) == []


@pytest.mark.parametrize("reason", ["many batches are under way", ""])
def test_retries_set_while_the_clock_was_ahead_are_due_by_the_right_clock(journal: SqliteJournal, reason: str) -> None:
    journal.append([event("retry"), event("later"), event("back")], now=NOW)
    ahead = NOW + HOUR
    retry, later, back = journal.claim(10, worker="w", now=ahead, lease=LEASE)
    due = ahead + timedelta(minutes=5)
    settled = [
        Settlement(claim=retry, state=State.PENDING, reason="503", due_at=due),
        Settlement(claim=later, state=State.PENDING, reason=reason, due_at=due, attempt=False),
        Settlement(claim=back, state=State.PENDING, attempt=False),
    ]
    journal.settle(settled, now=ahead)
    assert keys(journal.claim(10, worker="w", now=NOW, lease=LEASE)) == ["retry", "later", "back"]


def test_a_replay_with_a_later_due_time_waits(journal: SqliteJournal) -> None:
    journal.append([event("a")], now=NOW)
    (claim,) = journal.claim(10, worker="w", now=NOW, lease=LEASE)
    journal.settle([Settlement(claim=claim, state=State.DELIVERED)], now=NOW)
    journal.replay(journal.seqs(), by=AuditContext(actor="ann", reason="a test"), now=NOW, due_at=NOW + HOUR)
    assert journal.claim(10, worker="w", now=NOW, lease=LEASE) == []
    assert keys(journal.claim(10, worker="w", now=NOW + HOUR, lease=LEASE)) == ["a"]


def test_a_claim_that_waited_longer_than_a_lease_takes_no_lease_that_has_begun_meanwhile(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append([event("a")], now=NOW)
    waited = timedelta(seconds=100)
    lease = timedelta(seconds=10)
    (leased,) = journal.claim(10, worker="quick", now=NOW + waited, lease=lease)
    readings = iter([0.0, waited.total_seconds()])  # before and after the wait for the file's lock
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: next(readings, waited.total_seconds()))
        assert journal.claim(10, worker="late", now=NOW, lease=lease) == []
    assert journal.renew([leased], now=NOW + waited, lease=lease) == {leased.seq}
