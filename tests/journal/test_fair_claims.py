"""Claims are shared between sources, whatever waits for one of them."""

from collections import Counter
from datetime import timedelta

from events import NOW, event
from webhooks.journal import Settlement, State
from webhooks.journal.postgres import PostgresJournal

LEASE = timedelta(seconds=60)


def test_a_claim_smaller_than_the_number_of_sources_comes_round_to_all_of_them(postgres_url: str) -> None:
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


def test_a_backlog_that_is_due_later_hides_nothing_that_is_due_now(postgres_url: str) -> None:
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
    assert [claim.event.key for claim in journal.claim(10, worker="w", now=NOW, lease=LEASE)] == ["quick"]
    assert len(journal.claim(100, worker="w", now=later, lease=LEASE)) == 51
    journal.close()
