"""The PostgreSQL journal's indexes: each is used by a query, as EXPLAIN shows, and there is none without a use."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from support.events import NOW, event
from webhooks.journal import Filter, Settlement, State, queries
from webhooks.journal.postgres import PostgresJournal
from webhooks.journal.postgres import database as module
from webhooks.journal.records import micros

PARTITIONS = queries.load("postgres/partitions")
TIMES = {"now": micros(NOW), "wall": micros(NOW)}
CLAIM = {"least": 5, "limit": 5, "lease": "w:1", "span": 1, **TIMES}
AGES = {"states": ["dead"], "before": [micros(NOW)], "limit": 10}


def columns(name: str) -> str:
    """Return a named query with its columns."""
    return module.SQL[name].format(columns=module.SQL["columns"], where="TRUE")


DEAD, DEAD_PARAMS = module._query("rows_newest_first", Filter(states=(State.DEAD,)))
QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "segue_events_1_pkey": (columns("get"), {"seq": 1}),
    "segue_events_1_event_key_source_segment_key": (columns("find"), {"source": "acme", "event_key": "1"}),
    "segue_events_1_tx_seq_idx": (
        columns("rows"), {"after_tx": "0", "after_seq": 0, "horizon": "9999", "limit": 10},
    ),
    "segue_queue_pkey": (module.SQL["renew"], {"seq": [1], "lease": ["w:1"], "until": 1, "wall": micros(NOW)}),
    "segue_queue_ready": (module._CLAIM, CLAIM),
    "segue_queue_segment": (PARTITIONS["lock_waiting"], {"id": 1}),
    "segue_outcomes_1_pkey": (columns("get"), {"seq": 1}),
    "segue_outcomes_1_state_seq_idx": (DEAD, {**DEAD_PARAMS, "before": 1 << 62, "limit": 10}),
    "segue_outcomes_0_age": (PARTITIONS["prune_kept"], AGES),
    "segue_segments_pkey": (PARTITIONS["close"], {"id": 1}),
    "segue_tokens_pkey": (
        "SELECT value FROM segue_tokens WHERE source = %(source)s AND token = %(token)s", {"source": "a", "token": "t"},
    ),
    "segue_notes_pkey": (module.SQL["noted"], {"name": "n"}),
    "segue_tallies_pkey": ("SELECT amount FROM segue_tallies WHERE name = %(name)s", {"name": "n"}),
    "segue_audit_pkey": (module.SQL["audits"], {"before": 9, "event": "", "limit": 10}),
}  # fmt: skip
"""A query for each index. Those of tokens and tallies recognise a stored name; the partition 0 has the same as 1."""


@pytest.fixture
def sql(postgres_url: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    journal = PostgresJournal(postgres_url, span=timedelta(days=1))
    journal.open()
    journal.append([event(str(number)) for number in range(300)], now=NOW)
    claims = journal.claim(200, worker="w", now=NOW, lease=timedelta(minutes=1))
    journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=NOW)
    with psycopg.connect(postgres_url, autocommit=True, row_factory=dict_row) as db:
        db.execute("ANALYZE")
        for other in ("seqscan", "bitmapscan"):
            db.execute(f"SET enable_{other} = off")  # they are cheaper as long as there are few events
        yield db
    journal.close()


@pytest.mark.parametrize("index", QUERIES)
def test_each_index_is_used(sql: psycopg.Connection[dict[str, Any]], index: str) -> None:
    query, params = QUERIES[index]
    plan = "\n".join(row["QUERY PLAN"] for row in sql.execute(f"EXPLAIN {query}".encode(), params))
    assert f"using {index} on" in plan, plan


def test_there_is_no_index_without_a_use(sql: psycopg.Connection[dict[str, Any]]) -> None:
    indexes = sql.execute(
        "SELECT indexname AS relname FROM pg_indexes WHERE schemaname = current_schema() AND tablename LIKE 'segue\\_%'"
    )
    names = {row["relname"] for row in indexes}
    partitions = {name for name in names if name.startswith(("segue_events_0", "segue_outcomes_0"))} - set(QUERIES)
    parents = {"segue_events_pkey", "segue_events_order", "segue_outcomes_pkey", "segue_outcomes_state"}
    parents |= {"segue_events_event_key_source_segment_key", "segue_schema_pkey"}
    assert {name.replace("_0_", "_1_") for name in partitions} <= set(QUERIES)
    assert names - partitions - parents == set(QUERIES)
