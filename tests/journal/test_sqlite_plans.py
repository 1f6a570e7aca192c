"""The SQLite journal with a backlog: frequent queries use an index, whatever the number of events."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.events import NOW, event
from support.journals import file_of
from webhooks.journal import Filter, Settlement, SqliteJournal, State
from webhooks.journal.records import micros
from webhooks.journal.sqlite import filter as sqlite_filter

LEASE = timedelta(minutes=1)
FILL = (
    """
    WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
    INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem)
    SELECT :source, n, 'thing.done', :now, :now + n, 'event', 'verified', '{}', '{}', zeroblob(:size), '' FROM numbers
    """,
    """
    INSERT INTO states (seq, source, type, received_at, state, attempts, due_at, settled_at, reason, edition, history)
    SELECT seq, source, type, received_at, :state, 0, :due_at,
           CASE WHEN :state = 'pending' THEN NULL ELSE received_at END, :reason, 0, '[]'
    FROM events WHERE seq > coalesce((SELECT max(seq) FROM states), 0)
    """,
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "j.db")
    yield opened
    opened.close()


def fill(
    journal: SqliteJournal,
    count: int,
    *,
    source: str = "acme",
    state: State = State.PENDING,
    due_at: int = 0,
    reason: str = "",
    size: int = 200,
) -> None:
    params = {
        "source": source, "count": count, "now": micros(NOW), "state": state.value, "due_at": due_at, "reason": reason,
        "size": size,
    }  # fmt: skip
    journal.database.file.write(lambda db: [db.execute(statement, params) for statement in FILL])


def statements(journal: SqliteJournal, work: Callable[[], object]) -> list[str]:
    """Return the statements that `work` runs, with their values."""
    journal.rows(limit=1)
    ran: list[str] = []
    for files in (file_of(journal)._writing, file_of(journal)._reading):
        assert files is not None
        files.db.set_trace_callback(ran.append)
    work()
    for files in (file_of(journal)._writing, file_of(journal)._reading):
        assert files is not None
        files.db.set_trace_callback(None)
    return [statement for statement in ran if statement.split()[0] not in {"BEGIN", "COMMIT", "PRAGMA"}]


def plan(journal: SqliteJournal, work: Callable[[], object]) -> list[str]:
    """Return SQLite's plan of the statements of `work` on events."""
    db = sqlite3.connect(journal.path)
    lines = [row[3] for statement in statements(journal, work) for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    db.close()
    return lines


def faults(lines: list[str], *, counted: bool = False, sorted_: bool = False) -> list[str]:
    """Return lines whose cost grows with the journal: a scan (of an index alone, if `counted`), a sort (of a few, if `sorted_`)."""
    return [
        line
        for line in lines
        if (
            line.startswith(("SCAN events", "SCAN states", "SCAN oldest"))
            and not (counted and "USING COVERING INDEX" in line)
        )
        or ("TEMP B-TREE" in line and not sorted_)
    ]


def steps(journal: SqliteJournal, work: Callable[[], object]) -> int:
    """Return the number of SQLite instructions, in tens."""
    journal.rows(limit=1)
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1

    for files in (file_of(journal)._writing, file_of(journal)._reading):
        assert files is not None
        files.db.set_progress_handler(tick, 10)
    work()
    for files in (file_of(journal)._writing, file_of(journal)._reading):
        assert files is not None
        files.db.set_progress_handler(None, 0)
    return count


def claim(journal: SqliteJournal, limit: int = 100) -> list[tuple[str, str]]:
    claims = journal.claim(limit, worker="w", now=NOW, lease=LEASE)
    return [(leased.event.source, leased.event.id) for leased in claims]


def test_frequent_queries_use_an_index_without_a_sort(journal: SqliteJournal) -> None:
    fill(journal, 500)
    fill(journal, 500, source="other", state=State.DELIVERED)

    def work() -> None:
        journal.append([event("a"), event("b")], now=NOW)
        claims = journal.claim(300, worker="w", now=NOW, lease=LEASE)
        journal.renew(claims, now=NOW, lease=LEASE)
        journal.settle([Settlement(claim=leased, state=State.DELIVERED) for leased in claims[:200]], now=NOW)
        back = NOW + timedelta(minutes=1)
        journal.settle([Settlement(claim=leased, state=State.PENDING, due_at=back) for leased in claims[200:]], now=NOW)
        journal.find("acme", "1")
        journal.get(1)
        journal.end()
        journal.notes()
        journal.rows(after="5", limit=50)
        journal.rows(newest_first=True)
        journal.rows(after="900", newest_first=True)

    lines = plan(journal, work)
    assert len(lines) > 20
    assert faults(lines) == []


def test_counts_and_the_oldest_of_each_source_read_an_index_only(journal: SqliteJournal) -> None:
    fill(journal, 500)
    fill(journal, 500, source="other", state=State.UNSUPPORTED)
    lines = plan(journal, journal.census)
    assert faults(lines, counted=True) == []
    assert journal.census().oldest_by_source == {"acme": NOW + timedelta(microseconds=1)}
    lines = plan(journal, lambda: journal.prune({State.UNSUPPORTED: timedelta(days=1)}, now=NOW))
    assert faults(lines, counted=True) == []


@pytest.mark.parametrize(
    "filter",
    [
        Filter(states=(State.DEAD,)),
        Filter(states=(State.DEAD, State.PENDING), sources=("ac*",)),
        Filter(sources=("acme",), types=("thing.*",)),
        Filter(keys=("17",)),
        Filter(keys=("17",), sources=("acme",)),
        Filter(seqs=(1, 2, 3)),
        Filter(states=(State.DELIVERED,), settled_until=NOW),
    ],
    ids=repr,
)
@pytest.mark.parametrize("few", [0, sqlite_filter.FEW])
def test_a_filter_reads_no_event_that_its_index_leaves_out(
    journal: SqliteJournal, filter: Filter, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_filter, "FEW", few)
    for source in ("acme", "other"):
        for state in State:
            fill(journal, 30, source=f"{source} {state}", state=state)

    def work() -> None:
        journal.rows(filter, newest_first=True)
        journal.rows(filter, after="3")
        journal.count(filter)
        journal.seqs(filter)
        journal.event_groups(filter)

    assert faults(plan(journal, work), counted=True, sorted_=True) == []


def test_pages_of_rare_states_among_many_events_are_the_same_by_each_index(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state in (State.DEAD, State.DELIVERED, State.IGNORED, State.PENDING):
        for source in ("a", "b"):
            fill(journal, 7, source=f"{source} {state}", state=state)
    filters = [
        Filter(states=(State.DEAD, State.IGNORED)), Filter(states=(State.DEAD,), sources=("a*",)),
        Filter(states=(State.PENDING, State.DEAD)), Filter(sources=("b*",)), Filter(sources=("none",)),
    ]  # fmt: skip
    pages = {}
    for few in (0, 10, 1000):
        monkeypatch.setattr(sqlite_filter, "FEW", few)
        pages[few] = [
            [row.seq for row in journal.rows(filter, after=after, limit=5, newest_first=newest)]
            for filter in filters
            for newest in (True, False)
            for after in ("", "20")
        ]
    assert pages[0] == pages[10] == pages[1000]
    assert pages[0][0] == [42, 41, 40, 39, 38]


def test_a_claim_costs_the_same_from_a_hundred_thousand_events_as_from_a_thousand(journal: SqliteJournal) -> None:
    fill(journal, 1000)
    few = steps(journal, lambda: claim(journal))
    fill(journal, 100_000, source="large")
    many = steps(journal, lambda: claim(journal))
    assert many < 2 * few
    assert steps(journal, lambda: journal.claim(0, worker="w", now=NOW, lease=LEASE)) < few / 10


def test_a_backlog_due_later_does_not_slow_the_claims_of_other_sources(journal: SqliteJournal) -> None:
    """An endpoint that is no longer configured: its events are returned to the queue for a minute, again and again."""
    fill(journal, 10)
    few = steps(journal, lambda: claim(journal))
    soon = micros(NOW + timedelta(minutes=1))
    fill(journal, 100_000, source="gone", due_at=soon, reason="its endpoint is not configured")
    fill(journal, 100_000, source="paced", due_at=micros(NOW + timedelta(days=3)))
    journal.append([event("quick")], now=NOW)
    assert steps(journal, lambda: journal.claim(10, worker="w", now=NOW, lease=LEASE)) < 2 * few
    journal.append([event("quick too")], now=NOW)
    assert claim(journal) == [("acme", "quick too")]
    claims = journal.claim(9000, worker="w", now=NOW + timedelta(minutes=1, seconds=1), lease=LEASE)
    assert {leased.event.source for leased in claims} == {"acme", "gone"}, (
        "their leases have run out, its time has come"
    )


def test_pages_newest_first_cost_the_same_however_far_back(journal: SqliteJournal) -> None:
    fill(journal, 50_000, state=State.DELIVERED)
    first = steps(journal, lambda: journal.rows(limit=50, newest_first=True))
    far = steps(journal, lambda: journal.rows(after="100", limit=50, newest_first=True))
    assert far < 2 * first


def test_claims_are_renewed_and_settled_by_one_statement_each(journal: SqliteJournal) -> None:
    fill(journal, 20)
    claims = journal.claim(20, worker="w", now=NOW, lease=LEASE)
    again = NOW + timedelta(minutes=1)
    settlements = [
        Settlement(
            claim=leased,
            state=(State.DELIVERED, State.DEAD, State.PENDING)[place % 3],
            reason="[500] \u2028 '\"",
            attempt=True,
        )
        for place, leased in enumerate(claims)
    ]
    renewals = statements(journal, lambda: journal.renew(claims, now=NOW, lease=LEASE))
    settled = statements(journal, lambda: journal.settle(settlements, now=again))
    assert [statement.split()[0] for statement in (*renewals, *settled)] == ["UPDATE", "UPDATE"]
    assert journal.census().by_state == {State.DELIVERED: 7, State.DEAD: 7, State.PENDING: 6}
    row = journal.get(claims[2].seq)
    assert row is not None
    assert (row.reason, row.attempts, row.leased_until) == ("[500] \u2028 '\"", 1, None)


SEVERAL = Filter(states=(State.DEAD, State.IGNORED))
WORK_BY_INDEX: dict[str, Callable[[SqliteJournal], object]] = {
    "events_key": lambda journal: journal.find("acme", "1"),
    "states_queue": lambda journal: journal.claim(10, worker="w", now=NOW, lease=LEASE),
    "states_settled": lambda journal: journal.prune({State.DEAD: timedelta()}, now=NOW),
    "states_undelivered": lambda journal: journal.rows(SEVERAL),
    "states_unsupported": lambda journal: journal.census(),
}
"""Each index, and one of the uses that would read all events without it."""


@pytest.mark.parametrize("index", WORK_BY_INDEX)
def test_each_index_is_used(journal: SqliteJournal, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_filter, "FEW", 0)
    for state in State:
        fill(journal, 10, source=str(state), state=state)
    lines = plan(journal, lambda: WORK_BY_INDEX[index](journal))
    assert any(f"INDEX {index} " in f"{line} " for line in lines), lines


def test_there_is_no_index_without_a_use(journal: SqliteJournal) -> None:
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    assert {name for (name,) in journal.database.file.read(lambda db: db.execute(query).fetchall())} == set(
        WORK_BY_INDEX
    )
