"""An operator's statement waits while another transaction moves its event between PostgreSQL's tables."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from support.events import event
from webhooks.errors import JournalUnavailable
from webhooks.journal import AuditContext, ChangeResult, Claim, Settlement, State, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.postgres import PostgresJournal, changes, columns
from webhooks.journal.postgres.connections import RETRIES, Connection, connect
from webhooks.journal.records import micros

NOW = datetime.now(UTC)
BY = AuditContext(actor="ann", reason="why")


@pytest.fixture
def journal(postgres_url: str) -> Iterator[PostgresJournal]:
    opened = PostgresJournal(postgres_url, span=timedelta(0))
    opened.open()
    opened.append([event("a"), event("b")], now=NOW)
    yield opened
    opened.close()


def claim(journal: PostgresJournal) -> list[Claim]:
    return journal.claim(9, worker="w", now=datetime.now(UTC), lease=timedelta(minutes=1))


def start(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    return thread, answers


def wait_for_a_blocked_session(db: Connection) -> None:
    while not db.one("SELECT count(*) FROM pg_locks WHERE NOT granted")["count"]:
        pass


def test_a_drop_that_waited_for_a_settlement_drops_the_settled_event(
    journal: PostgresJournal, postgres_url: str
) -> None:
    one, two = claim(journal)
    ends = [Settlement(claim=one, state=State.DEAD), Settlement(claim=two, state=State.DELIVERED)]
    params = columns.settle_params([records.settle_params(end, NOW, Encryption()) for end in ends], NOW) | {
        "wall": micros(datetime.now(UTC))
    }
    with connect(postgres_url) as db:
        with db.transaction():
            db.all(changes.SQL["settle"], params)
            thread, answers = start(lambda: journal.drop([one.seq, two.seq], by=BY, now=NOW))
            wait_for_a_blocked_session(db)
        thread.join(20)
    assert answers == [ChangeResult(1, 1)]
    assert [row.state for row in journal.rows()] == [State.DROPPED, State.DELIVERED]
    assert [line.events for line in journal.audits()] == [("acme/a",)]
    assert journal.census().by_state == {State.DROPPED: 1, State.DELIVERED: 1}


def test_a_replay_that_waited_for_a_drop_replays_the_dropped_event(
    journal: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = claim(journal)
    journal.settle([Settlement(claim=leased, state=State.DEAD) for leased in (one, two)], now=NOW)
    audit_change = changes._audit_change
    started: list[tuple[threading.Thread, list[Any]]] = []

    def in_the_middle(db: Connection, action: str, *more: Any) -> None:
        if action == "drop":
            started.append(start(lambda: journal.replay([one.seq, two.seq], by=BY, now=NOW)))
            wait_for_a_blocked_session(db)
        audit_change(db, action, *more)

    monkeypatch.setattr(changes, "_audit_change", in_the_middle)
    assert journal.drop([one.seq], by=BY, now=NOW) == ChangeResult(1, 0)
    ((thread, answers),) = started
    thread.join(20)
    assert answers == [ChangeResult(2, 0)]
    assert journal.census().by_state == {State.PENDING: 2}
    assert [entry.outcome for entry in journal.rows()[0].history] == ["dead", "dropped", "replayed"]
    assert [line.events for line in journal.audits()] == [("acme/a", "acme/b"), ("acme/a",)]


def test_a_transaction_ended_by_a_deadlock_is_retried(journal: PostgresJournal) -> None:
    seqs = [leased.seq for leased in claim(journal)]
    meet, ended = threading.Barrier(2), threading.Event()

    def lock(order: list[int]) -> int:
        tries = []

        def work(db: Connection) -> int:
            tries.append(1)
            if len(tries) == 2:
                ended.wait(20)  # else it may lock its first event before the other one, which waits for it, does
            for number, seq in enumerate(order):
                db.one("SELECT 1 FROM segue_queue WHERE seq = %(seq)s FOR UPDATE", {"seq": seq})
                if number == 0 and len(tries) == 1:
                    meet.wait(20)
            return len(tries)

        count = journal.database.transact(work)
        ended.set()
        return count

    threads = [start(lambda order=order: lock(order)) for order in (seqs, seqs[::-1])]  # type: ignore[misc]
    for thread, _ in threads:
        thread.join(30)
    assert sorted(answers[0] for _, answers in threads) == [1, 2]


def test_repeated_deadlocks_make_the_journal_unavailable(journal: PostgresJournal) -> None:
    tries = []

    def work(_: Connection) -> None:
        tries.append(1)
        raise psycopg.errors.DeadlockDetected("deadlock detected")

    with pytest.raises(JournalUnavailable, match="deadlock detected"):
        journal.database.transact(work)
    assert len(tries) == RETRIES + 1
    assert len(claim(journal)) == 2
