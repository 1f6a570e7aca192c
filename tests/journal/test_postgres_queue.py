"""The queue on PostgreSQL: shared between sources, and exact if two workers use one event at the same time."""

import threading
import time
from collections import Counter
from datetime import timedelta

import psycopg
import pytest

from support.events import NOW, event
from webhooks.journal import Settlement, State
from webhooks.journal.postgres import PostgresJournal

LEASE = timedelta(seconds=60)


def test_small_claims_reach_every_source_on_postgresql(postgres_url: str) -> None:
    journal = PostgresJournal(postgres_url)
    journal.open()
    journal.append([event(str(number), source=source) for source in "abcdef" for number in range(60)], now=NOW)
    seen: Counter[str] = Counter()
    for _ in range(60):
        claims = journal.claim(2, worker="w", now=NOW, lease=LEASE)
        seen.update(claim.event.source for claim in claims)
        journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=NOW)
    assert sum(seen.values()) == 120
    assert set(seen) == set("abcdef")
    journal.close()


def test_a_backlog_due_later_hides_no_event_that_is_due_now(postgres_url: str) -> None:
    journal = PostgresJournal(postgres_url)
    journal.open()
    journal.append([event(str(number), source="late") for number in range(50)], now=NOW)
    later = NOW + timedelta(hours=1)
    journal.settle(
        [
            Settlement(claim=claim, state=State.PENDING, due_at=later, reason="503")
            for claim in journal.claim(50, worker="w", now=NOW, lease=LEASE)
        ],
        now=NOW,
    )
    assert journal.claim(10, worker="w", now=NOW, lease=LEASE) == []
    journal.append([event("quick", source="new")], now=NOW)
    assert [claim.event.id for claim in journal.claim(10, worker="w", now=NOW, lease=LEASE)] == ["quick"]
    assert len(journal.claim(100, worker="w", now=later, lease=LEASE)) == 51
    journal.close()


@pytest.mark.parametrize("act", ["settle", "hand back", "renew"])
def test_a_worker_that_waited_while_another_took_its_lease_has_lost_it(postgres_url: str, act: str) -> None:
    journal = PostgresJournal(postgres_url)
    journal.open()
    journal.append([event("taken"), event("kept")], now=NOW)
    claims = journal.claim(2, worker="slow", now=NOW, lease=LEASE)
    done: list[set[int]] = []

    def late() -> None:
        if act == "renew":
            done.append(journal.renew(claims, now=NOW, lease=LEASE))
        else:
            state = State.DELIVERED if act == "settle" else State.PENDING
            done.append(journal.settle([Settlement(claim=claim, state=state) for claim in claims], now=NOW))

    with psycopg.connect(postgres_url) as other:
        other.execute("UPDATE segue_queue SET lease = 'quick:1' WHERE seq = %s", (claims[0].seq,))
        thread = threading.Thread(target=late)
        thread.start()
        with psycopg.connect(postgres_url, autocommit=True) as watch:
            until = time.monotonic() + 20
            while not watch.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert time.monotonic() < until
        other.commit()
    thread.join(20)
    assert done == [{claims[1].seq}]
    row = journal.get(claims[0].seq)
    assert row is not None
    assert row.state is State.PENDING
    assert sum(journal.census().by_state.values()) == 2
    journal.close()
