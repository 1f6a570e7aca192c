"""Features of the PostgreSQL journal alone: several machines, partitions, an unavailable server."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from support.events import MINUTE, NOW, event
from support.postgres_server import Server
from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import AppendResult, AuditContext, Claim, Filter, Settlement, State, open_journal
from webhooks.journal.postgres import PostgresJournal, connections, database, migrate, schema
from webhooks.journal.postgres import partitions as partitions_

LEASE = timedelta(seconds=60)
DAY = timedelta(days=1)
BY = AuditContext(actor="ann", reason="why")
Open = Callable[..., PostgresJournal]


@pytest.fixture
def opened(postgres_url: str) -> Iterator[Open]:
    journals = []

    def open_(**how: timedelta) -> PostgresJournal:
        journals.append(PostgresJournal(postgres_url, **how))  # type: ignore[arg-type]
        journals[-1].open()
        return journals[-1]

    yield open_
    for journal in journals:
        journal.close()


@pytest.fixture
def sql(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        yield db


def claim(journal: PostgresJournal, limit: int = 100, *, now: datetime = NOW, worker: str = "w") -> list[Claim]:
    return journal.claim(limit, worker=worker, now=now, lease=LEASE)


def end(journal: PostgresJournal, claims: list[Claim], state: State = State.DELIVERED, now: datetime = NOW) -> None:
    journal.settle([Settlement(claim=leased, state=state) for leased in claims], now=now)


def keys(claims: list[Claim]) -> list[str]:
    return [leased.event.id for leased in claims]


def partitions(sql: psycopg.Connection) -> set[str]:
    tables = sql.execute("SELECT relname FROM pg_class WHERE relname ~ '^segue_events_[0-9]+$'").fetchall()
    return {name for (name,) in tables}


# appending


def test_concurrent_appends_share_a_few_commits(opened: Open) -> None:
    journal = opened()
    with ThreadPoolExecutor(40) as pool:
        stored = list(pool.map(lambda n: journal.append([event(str(n))], now=NOW), range(400)))
    assert stored == [AppendResult(1, 0)] * 400
    assert journal.stats.groups < 300
    assert journal.count() == 400


def test_two_journals_with_the_same_keys_during_a_rotation_store_each_once(opened: Open) -> None:
    one, two, tidy = opened(), opened(), opened(span=timedelta(0))
    names = [str(number % 60) for number in range(600)]
    stop = threading.Event()

    def rotate() -> None:
        while not stop.is_set():
            tidy.prune({}, now=NOW)

    rotating = threading.Thread(target=rotate)
    rotating.start()
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(journal.append, [event(name)], now=NOW) for name in names for journal in (one, two)]
    stop.set()
    rotating.join()
    assert sum(job.result().new for job in jobs) == 60
    assert one.count() == 60
    assert sorted(row.event.id for row in one.rows(limit=1000)) == sorted({*names})


def test_keys_in_any_order_from_two_journals_cause_no_deadlock(opened: Open) -> None:
    one, two = opened(), opened()
    names = [str(number) for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        jobs = []
        for start in range(20):
            batch = [event(f"{start}.{name}") for name in names]
            jobs += [pool.submit(one.append, batch, now=NOW), pool.submit(two.append, batch[::-1], now=NOW)]
    assert sum(job.result().new for job in jobs) == 20 * 200


def test_a_text_that_postgresql_cannot_store_fails_its_own_call_only(opened: Open) -> None:
    journal = opened()
    bad = [event("n\0ul"), event("b", raw="text"), event("c", occurred_at="soon"), event("d", type=3)]
    with ThreadPoolExecutor(12) as pool:
        jobs = [pool.submit(journal.append, [bad_event], now=NOW) for bad_event in bad * 3]
        good = [pool.submit(journal.append, [event(f"good{n}")], now=NOW) for n in range(12)]
    for job in jobs:
        with pytest.raises(JournalError, match="cannot be stored"):
            job.result()
    assert all(job.result() == AppendResult(1, 0) for job in good)


def test_under_gevent_it_works_from_greenlets(postgres_url: str) -> None:
    script = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from support.events import NOW, event
from webhooks.journal import open_journal
journal = open_journal(sys.argv[1])
ticks = []
def tick():
    while True:
        gevent.sleep(0.002); ticks.append(1)
gevent.spawn(tick)
jobs = [gevent.spawn(journal.append, [event(str(n))], now=NOW) for n in range(200)]
gevent.joinall(jobs, raise_error=True, timeout=60)
print(sum(job.value.new for job in jobs), journal.stats.groups < 200, len(ticks) > 2)
"""
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script, postgres_url],
        capture_output=True, text=True, timeout=90, check=False, env={**os.environ, "PYTHONPATH": tests},
    )  # fmt: skip
    assert done.stdout == "200 True True\n", done.stderr


def test_a_child_of_a_fork_uses_connections_of_its_own(opened: Open) -> None:
    journal = opened()
    journal.append([event("before")], now=NOW)
    pid = os.fork()
    if pid == 0:  # pragma: no cover - another process
        code = 1
        try:
            journal.append([event("child")], now=NOW)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    journal.append([event("after")], now=NOW)
    assert {row.event.id for row in journal.rows()} == {"before", "child", "after"}


def test_another_process_leaves_the_connections_of_the_first_alone(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened()
    journal.count()
    before = set(journal.database.connections._idle)
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as in the child of a fork
    with ThreadPoolExecutor(2) as pool:
        with journal._databases._locks.setdefault(-1, threading.Lock()):
            jobs = [pool.submit(journal.append, [event("a")], now=NOW) for _ in range(2)]
            time.sleep(0.2)
        assert sum(job.result().new for job in jobs) == 1
    assert not before & set(journal.database.connections._idle)
    assert not any(connection.closed for connection in before)


def test_a_connection_that_was_closed_is_not_used(opened: Open) -> None:
    journal = opened()
    journal.count()
    for idle in journal.database.connections._idle:
        idle.close()
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)


# claiming


def test_the_backlog_of_a_source_does_not_delay_another_source(opened: Open) -> None:
    journal = opened()
    journal.append([event(str(n), source="big") for n in range(500)], now=NOW)
    journal.append([event(str(n), source="small") for n in range(5)], now=NOW)
    first = [leased.event.source for leased in claim(journal, 20)]
    assert first.count("small") == 5
    assert first.count("big") == 15


def test_concurrent_claims_share_all_events_without_duplicates(opened: Open) -> None:
    workers = [opened() for _ in range(4)]
    workers[0].append([event(str(n), source=f"s{n % 3}") for n in range(400)], now=NOW)

    def drain(journal: PostgresJournal) -> list[str]:
        drained_keys: list[str] = []
        while mine := claim(journal, 17, worker=str(id(journal))):
            drained_keys += keys(mine)
            end(journal, mine)
        return drained_keys

    with ThreadPoolExecutor(4) as pool:
        drained = list(pool.map(drain, workers))
    assert sorted(key for drained_keys in drained for key in drained_keys) == sorted(str(n) for n in range(400))
    assert workers[0].census().by_state == {State.DELIVERED: 400}


def test_a_machine_whose_clock_is_ahead_takes_no_lease_of_another(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, now = opened(), datetime.now(NOW.tzinfo)
    journal.append([event("a", received_at=now)], now=now)
    (mine,) = claim(journal, now=now)
    ahead = now + timedelta(hours=1)
    with monkeypatch.context() as wrong:
        wrong.setattr(database, "wall", lambda: round(ahead.timestamp() * 1e6))
        assert claim(journal, now=ahead, worker="ahead") == []
        assert journal.renew([mine], now=ahead, lease=LEASE) == {mine.seq}
    assert claim(journal, now=now) == []
    assert keys(claim(journal, now=now + 2 * LEASE)) == ["a"]


def test_events_stored_by_a_machine_whose_clock_is_ahead_are_due_at_once(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, now = opened(), datetime.now(NOW.tzinfo)
    ahead = now + timedelta(hours=1)
    with monkeypatch.context() as wrong:
        wrong.setattr(database, "wall", lambda: round(ahead.timestamp() * 1e6))
        journal.append([event("a", received_at=ahead)], now=ahead)
    assert keys(claim(journal, now=now + timedelta(seconds=1))) == ["a"]


def test_a_worker_is_woken_when_another_process_stores(opened: Open) -> None:
    journal, other = opened(), opened()
    woken = threading.Event()
    unwatch = journal.watch(woken.set)
    assert woken.wait(10)  # for events stored before LISTEN
    woken.clear()
    time.sleep(database.NOTIFY_INTERVAL)
    other.append([event("a")], now=NOW)
    assert woken.wait(5)
    other.append([event("b")], now=NOW)  # notified a moment ago: not again
    unwatch()


# the order of arrival


def test_a_tail_waits_for_a_transaction_that_may_still_store(opened: Open, sql: psycopg.Connection) -> None:
    journal = opened()
    journal.append([event("first")], now=NOW)
    with psycopg.connect(sql.info.dsn, password=sql.info.password) as slow:
        slow.execute("SELECT pg_advisory_xact_lock_shared('segue_events'::regclass::oid::bigint::int, 1)")
        slow.execute(
            "INSERT INTO segue_events SELECT segment, nextval('segue_seq'), pg_current_xact_id(), source, 'late', type,"
            " occurred_at, received_at, clock, trust, headers, envelope, problem, body FROM segue_events"
        )
        slow.execute(
            "INSERT INTO segue_queue SELECT e.seq, q.segment, q.source, q.received_at, q.due_at, lease, leased_until,"
            " attempts, reason, edition, history FROM segue_queue AS q, segue_events AS e WHERE e.event_key = 'late'"
        )
        journal.append([event("early")], now=NOW)
        seen = journal.rows()
        place = journal.end()
        assert [row.event.id for row in seen] == ["first"]
        assert [row.event.id for row in journal.rows(newest_first=True)] == ["early", "first"]
        slow.commit()
    assert [row.event.id for row in journal.rows(after=seen[-1].cursor)] == ["late", "early"]
    assert [row.event.id for row in journal.rows(after=place)] == ["late", "early"]


def test_after_a_dump_was_restored_on_another_server_the_order_goes_on(
    opened: Open, sql: psycopg.Connection, postgres_url: str
) -> None:
    journal = opened()
    journal.append([event("old")], now=NOW)
    sql.execute("UPDATE segue_events SET tx = '999999999'")
    migrate(postgres_url)
    journal.append([event("new")], now=NOW)
    assert [row.event.id for row in journal.rows()] == ["old", "new"]


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "1-x", f"1-{10**20}"])
def test_a_cursor_of_another_journal_is_refused(opened: Open, cursor: str) -> None:
    with pytest.raises(JournalError, match="no cursor"):
        opened().rows(after=cursor)


# partitions


def test_an_old_partition_is_dropped_whole_and_rows_that_must_stay_are_moved(
    opened: Open, sql: psycopg.Connection
) -> None:
    journal = opened(span=timedelta(0))
    journal.append([event(f"{n}", problem="x" if n == 3 else "") for n in range(6)], now=NOW)
    mine = claim(journal)
    end(journal, mine[:3])
    end(journal, mine[3:4], State.UNSUPPORTED)
    ages = {State.DELIVERED: DAY, State.DEAD: 30 * DAY}
    assert journal.prune(ages, now=NOW + DAY) == 0
    assert journal.prune(ages, now=NOW + DAY + MINUTE) == 3
    assert partitions(sql) == {"segue_events_0", "segue_events_2"}
    census = journal.census()
    assert census.by_state == {State.DEAD: 1, State.UNSUPPORTED: 1, State.PENDING: 1}
    assert census.unsupported_types == {("acme", "thing.done"): 1}
    assert sorted(row.event.id for row in journal.rows()) == ["3", "4", "5"]
    assert journal.append([event("3"), event("0")], now=NOW) == AppendResult(1, 1)
    end(journal, mine[4:])  # a lease outlives the move
    assert journal.replay(journal.seqs(Filter(states=(State.DEAD,))), by=BY, now=NOW).changed == 1
    assert journal.prune(dict.fromkeys(State, DAY), now=NOW + 99 * DAY) == 2
    assert {row.state for row in journal.rows()} == {State.PENDING}


def test_a_partition_with_many_rows_that_must_stay_is_kept(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = opened(span=timedelta(0))
    journal.append([event(str(n)) for n in range(10)], now=NOW)
    end(journal, claim(journal, 5))
    monkeypatch.setattr(partitions_, "FEW", 2)
    assert journal.prune({State.DELIVERED: MINUTE}, now=NOW + DAY) == 0
    assert journal.count() == 10


def test_a_partition_whose_events_were_settled_late_is_examined_and_kept(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(span=timedelta(0))
    journal.append([event(str(n)) for n in range(10)], now=NOW)
    end(journal, claim(journal), now=NOW + DAY)
    monkeypatch.setattr(partitions_, "FEW", 2)
    assert journal.prune({State.DELIVERED: MINUTE}, now=NOW + DAY) == 0
    assert journal.prune({State.DELIVERED: MINUTE}, now=NOW + 2 * DAY) == 10


def test_a_partition_whose_events_are_being_settled_is_kept_for_later(opened: Open, sql: psycopg.Connection) -> None:
    journal = opened(span=timedelta(0))
    journal.append([event(str(n)) for n in range(4)], now=NOW)
    end(journal, claim(journal, 3))
    with psycopg.connect(sql.info.dsn, password=sql.info.password) as busy:
        busy.execute("SELECT FROM segue_queue FOR UPDATE")
        assert journal.prune({State.DELIVERED: MINUTE}, now=NOW + DAY) == 0
    assert journal.prune({State.DELIVERED: MINUTE}, now=NOW + DAY) == 3


def test_a_partition_is_kept_for_later_during_a_long_read(
    opened: Open, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions_, "TRIES", 2)
    journal = opened(span=timedelta(0))
    journal.append([event("a", problem="x")], now=NOW)
    with psycopg.connect(sql.info.dsn, password=sql.info.password) as reader:
        reader.execute("SELECT FROM segue_events")
        assert journal.prune({State.DEAD: MINUTE}, now=NOW + DAY) == 0
        assert journal.append([event("b")], now=NOW) == AppendResult(1, 0)
    assert journal.prune({State.DEAD: MINUTE}, now=NOW + DAY) == 1


def test_a_partition_is_open_for_its_span(opened: Open, sql: psycopg.Connection) -> None:
    journal = opened(span=DAY)
    journal.append([event("a")], now=NOW)
    journal.prune({}, now=datetime.now(NOW.tzinfo))
    assert partitions(sql) == {"segue_events_0", "segue_events_1"}
    journal.prune({}, now=datetime.now(NOW.tzinfo) + DAY + MINUTE)
    assert partitions(sql) == {"segue_events_0", "segue_events_1", "segue_events_2"}


def test_one_process_prunes_at_a_time(opened: Open, sql: psycopg.Connection) -> None:
    journal = opened(span=timedelta(0))
    journal.append([event("a", problem="x")], now=NOW)
    with psycopg.connect(sql.info.dsn, password=sql.info.password) as other:
        other.execute("SELECT pg_advisory_xact_lock('segue_events'::regclass::oid::bigint::int, 2)")
        assert journal.prune({State.DEAD: MINUTE}, now=NOW + DAY) == 0
    assert journal.prune({State.DEAD: MINUTE}, now=NOW + DAY) == 1


def test_counts_are_summed_and_stay_the_same(
    opened: Open, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions_, "COUNTS", 5)
    journal = opened()
    for number in range(10):
        journal.append([event(str(number), problem="x")], now=NOW)
    before = journal.census()
    journal.prune({}, now=NOW)
    assert journal.census().by_source == before.by_source
    assert sql.execute("SELECT count(*) FROM segue_counts").fetchone() == (1,)


# an unavailable server


def test_acknowledged_events_survive_a_killed_server_which_is_reported_meanwhile(
    postgres_server: Server,
) -> None:
    journal = PostgresJournal(postgres_server.url())
    journal.open()
    journal.append([event("a")], now=NOW)
    postgres_server.kill()
    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="PostgreSQL cannot be used") as caught:
            journal.append([event("b")], now=NOW)
        assert "postgres:" not in caught.value.message
    postgres_server.start()
    assert journal.append([event("a"), event("b")], now=NOW) == AppendResult(1, 1)
    journal.check()
    journal.close()


def test_a_server_that_hangs_times_out_and_is_used_again_when_it_responds(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STATEMENT_SECONDS", 0.5)
    monkeypatch.setattr(connections, "CONNECT", 2)
    journal = PostgresJournal(postgres_server.url())
    journal.open()
    postgres_server.pause()
    with pytest.raises(JournalUnavailable, match=r"no response within|timeout"):
        journal.append([event("a")], now=NOW)
    postgres_server.resume()
    assert journal.append([event("a")], now=NOW).new + journal.append([event("a")], now=NOW).duplicate >= 1
    journal.close()


def test_a_journal_may_be_opened_while_its_server_is_unavailable(postgres_server: Server) -> None:
    url = postgres_server.url()
    postgres_server.stop()
    with pytest.raises(JournalUnavailable):
        open_journal(url)
    journal = open_journal(url, wait_for_server=True)
    with pytest.raises(JournalUnavailable):
        journal.append([event("a")], now=NOW)
    postgres_server.start()
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)
    journal.note("moved", {"to": "elsewhere"}, now=NOW)
    journal.close()
    postgres_server.stop()
    journal = open_journal(url, wait_for_server=True)
    postgres_server.start()
    with pytest.raises(JournalUnavailable, match="was moved to elsewhere"):
        journal.check()
    journal.close()


def test_a_worker_that_watches_goes_on_after_a_restart(postgres_server: Server) -> None:
    journal = PostgresJournal(postgres_server.url())
    journal.open()
    woken = threading.Event()
    unwatch = journal.watch(woken.set)
    assert woken.wait(10)
    woken.clear()
    postgres_server.restart()
    assert woken.wait(15)
    unwatch()
    journal.close()


def test_a_wakeup_that_fails_costs_nothing(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = opened()

    def fail(_: object) -> None:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(database, "_notify", fail)
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)


def test_a_server_that_does_not_sync_is_not_ready() -> None:
    with Server(settings={"fsync": "off"}) as server:
        journal = PostgresJournal(server.url())
        journal.open()
        with pytest.raises(JournalUnavailable, match="fsync=off"):
            journal.check()
        journal.close()


def test_commits_are_synchronous_whatever_the_role_sets(postgres_server: Server) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute("ALTER ROLE postgres SET synchronous_commit TO off")
    with connections.connect(postgres_server.url()) as ours:
        assert ours.one("SHOW synchronous_commit") == {"synchronous_commit": "on"}


def test_of_several_hosts_the_writable_one_is_used(postgres_server: Server) -> None:
    url = postgres_server.url().replace("@127.0.0.1", "@127.0.0.1:1,127.0.0.1")
    with connections.connect(url) as ours:
        assert ours.info.port == postgres_server.port


def test_a_connection_that_cannot_be_set_up_is_not_kept(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def fail(self: connections.Connection, *_: object) -> None:
        made.append(self)
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(connections.Connection, "execute", fail)
    with pytest.raises(psycopg.OperationalError):
        connections.connect(postgres_url)
    assert made[0].closed


# tables


def test_any_number_of_processes_may_migrate_at_once(postgres_url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: migrate(postgres_url), range(6)))
    assert sorted(done) == [(0, schema.LATEST), *[(schema.LATEST, schema.LATEST)] * 5]


def test_older_tables_are_not_migrated_on_open_and_newer_ones_are_used(
    postgres_url: str, sql: psycopg.Connection
) -> None:
    migrate(postgres_url)
    sql.execute("INSERT INTO segue_schema (version) VALUES (%s)", (schema.LATEST + 1,))
    open_journal(postgres_url).close()
    sql.execute("DELETE FROM segue_schema")
    sql.execute("INSERT INTO segue_schema (version) VALUES (-1)")
    with pytest.raises(JournalError, match="have version -1, and this Segue needs") as caught:
        open_journal(postgres_url)
    assert "segue migrate" in caught.value.hint


def test_a_process_that_starts_while_another_creates_the_tables_waits(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = schema.MIGRATIONS | {"2": schema.MIGRATIONS["2"] + "\n; SELECT pg_sleep(1.5);"}
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    making = threading.Thread(target=migrate, args=(postgres_url,))
    making.start()
    with psycopg.connect(postgres_url, autocommit=True) as db:
        while db.execute("SELECT to_regclass('segue_queue')").fetchone() == (None,):
            time.sleep(0.01)
    journal = PostgresJournal(postgres_url)
    journal.open()
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)
    journal.close()
    making.join()


def test_a_missing_table_is_named_with_a_hint(opened: Open, sql: psycopg.Connection) -> None:
    journal = opened()
    sql.execute("DROP TABLE segue_notes")
    with pytest.raises(JournalUnavailable, match="segue_notes") as caught:
        journal.notes()
    assert "segue migrate" in caught.value.hint


def test_a_role_without_rights_gets_a_hint(postgres_server: Server) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute("CREATE ROLE poor LOGIN PASSWORD 'poor'")
    url = f"postgresql://poor:poor@127.0.0.1:{postgres_server.port}/postgres"
    with pytest.raises(JournalUnavailable, match="this PostgreSQL role lacks a right") as caught:
        open_journal(url)
    assert "segue migrate" in caught.value.hint


def test_a_migration_that_fails_leaves_the_tables_as_they_were(
    postgres_url: str, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres_url)
    following = str(schema.LATEST + 1)
    monkeypatch.setitem(schema.MIGRATIONS, following, "CREATE TABLE segue_more (id integer); SELECT 1 / 0")
    monkeypatch.setattr(schema, "LATEST", schema.LATEST + 1)
    with pytest.raises(JournalUnavailable, match="division by zero"):
        migrate(postgres_url)
    assert sql.execute("SELECT to_regclass('segue_more')").fetchone() == (None,)


def test_the_audit_log_cannot_be_changed(opened: Open, sql: psycopg.Connection) -> None:
    opened().audit("prune", {}, by=BY, now=NOW)
    for statement in (
        "UPDATE segue_audit SET who = 'x'", "DELETE FROM segue_audit", "TRUNCATE segue_audit",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            sql.execute(statement)


@pytest.mark.parametrize(
    "use",
    [
        lambda journal: journal.audits(event=("acme", "a\0")),
        lambda journal: journal.remember("acme\0", "t", "v", now=NOW, until=NOW),
    ],
    ids=["read", "write"],
)
def test_a_value_that_no_statement_can_take_is_no_outage(
    opened: Open, use: Callable[[PostgresJournal], object]
) -> None:
    journal = opened()
    with pytest.raises(JournalError, match="a value cannot be stored") as caught:
        use(journal)
    assert not isinstance(caught.value, JournalUnavailable)
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)
