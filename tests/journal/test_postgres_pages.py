"""Pages of a PostgreSQL journal: the number of rows that a page reads."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from webhooks.journal import Filter, State
from webhooks.journal.postgres import PostgresJournal
from webhooks.journal.postgres import database as module

EVENTS = 50_000
FILL = """
INSERT INTO segue_events (segment, seq, source, event_key, type, occurred_at, received_at, clock, trust, headers,
                          envelope, problem, body)
SELECT 1, n, 'acme', n::text, 'thing.done', 1, 1, 'event', 'verified', '{}', '{}', '', repeat('x', 300)::bytea
FROM generate_series(1, %(events)s) AS n;
INSERT INTO segue_outcomes (segment, seq, source, state, settled_at, due_at, attempts, reason, edition, history)
SELECT 1, n, 'acme', CASE WHEN n %% 100 = 0 THEN 'dead' ELSE 'delivered' END, 1, 1, 1, '', 0, '[]'
FROM generate_series(1, %(events)s) AS n;
"""


@pytest.fixture
def journal(postgres_url: str) -> Iterator[PostgresJournal]:
    opened = PostgresJournal(postgres_url)
    opened.open()
    with psycopg.connect(postgres_url, autocommit=True) as db:
        for statement in FILL.split(";")[:2]:
            db.execute(statement, {"events": EVENTS})
        db.execute("ANALYZE")
    yield opened
    opened.close()


def rows_read(plan: dict[str, Any]) -> float:
    below = sum(rows_read(part) for part in plan.get("Plans", []))
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
    read: float = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return read + below


@pytest.mark.parametrize("filter", [Filter(), Filter(states=(State.DEAD,)), Filter(types=("thing.*",))], ids=repr)
@pytest.mark.parametrize("before", [1 << 62, EVENTS // 2])
def test_a_page_newest_first_reads_the_rows_of_the_page(
    journal: PostgresJournal, postgres_url: str, filter: Filter, before: int
) -> None:
    query, params = module._query("rows_newest_first", filter)
    with psycopg.connect(postgres_url) as db:
        explain: Any = f"EXPLAIN (ANALYZE, FORMAT JSON) {query}"
        plan = db.execute(explain, {**params, "before": before, "limit": 20}).fetchone()
    assert plan is not None
    assert rows_read(plan[0][0]["Plan"]) < EVENTS / 10


def test_pages_newest_first_hold_each_event_once(journal: PostgresJournal) -> None:
    seen: list[int] = []
    after = ""
    while page := journal.rows(Filter(states=(State.DEAD,)), after=after, limit=70, newest_first=True):
        seen += [row.seq for row in page]
        after = page[-1].cursor
    assert seen == list(range(EVENTS, 0, -100))
