"""A journal of version 0.1.0 is migrated in place, in steps that may be interrupted."""

import os
import random
import signal
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from support.events import NOW, event
from webhooks.errors import JournalUnavailable
from webhooks.journal import AppendResult, Filter, SqliteJournal, State
from webhooks.journal.records import micros
from webhooks.journal.sqlite import migrate

SCHEMA = Path(__file__).parent / "fixtures" / "schema_0_1_0.sql"
SCHEMA_8 = Path(__file__).parent / "fixtures" / "schema_8.sql"
STEPS = [step for step in sorted(map(int, migrate.MIGRATIONS)) if step > 3]
INSERT = """
INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem,
                    state, due_at, settled_at, reason, lease, leased_until)
VALUES (:source, :key, 'thing.done', :now, :now, 'event', 'verified', '{"x-kept":"1"}', '{}', x'7b7d', '', :state,
        :due_at, :settled_at, :reason, :lease, :leased_until)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a journal with events in each state: new, handed back, leased, with an expired lease, and settled."""
    path, now = tmp_path / "j.db", micros(NOW)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(SCHEMA.read_text())

    def insert(key: str, state: State = State.PENDING, **more: object) -> None:
        settled = None if state is State.PENDING else now
        params = {"key": key, "state": state.value, "source": "acme", "now": now, "due_at": 0, "settled_at": settled}
        db.execute(INSERT, {**params, "reason": "", "lease": None, "leased_until": None, **more})

    insert("new")
    insert("handed back", due_at=now - 1, reason="503")
    insert("due later", due_at=now + 60_000_000, reason="503")
    insert("leased", lease="w:1", leased_until=now + 60_000_000)
    insert("lease ran out", lease="w:2", leased_until=now - 1)
    for state in State:
        insert(f"is {state}", state, source="other")
    db.execute("INSERT INTO notes VALUES ('n', '{}', 1)")
    db.close()
    return path


def schema(path: Path) -> set[tuple[str, str]]:
    db = sqlite3.connect(path)
    objects = {
        (name, " ".join(sql.split())) for name, sql in db.execute("SELECT name, sql FROM sqlite_master WHERE sql > ''")
    }
    assert db.execute("PRAGMA user_version").fetchone() == (migrate.LATEST,)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    return objects


def assert_whole(path: Path) -> None:
    journal = SqliteJournal(path)
    assert len(journal.rows()) == 5 + len(State)
    claims = journal.claim(100, worker="w", now=NOW, lease=timedelta(minutes=1))
    assert [leased.event.id for leased in claims] == ["new", "handed back", "lease ran out", "is pending"]
    assert journal.census().by_source["other"] == dict.fromkeys(State, 1)
    assert [row.event.id for row in journal.rows(Filter(states=(State.DEAD,)), newest_first=True)] == ["is dead"]
    assert journal.append([event("new"), event("newer")], now=NOW) == AppendResult(1, 1)
    assert journal.notes()["n"]
    journal.close()
    fresh = path.with_name("fresh.db")
    SqliteJournal(fresh).close()
    assert schema(path) == schema(fresh)


def test_a_journal_of_version_0_1_0_is_migrated_in_place(path: Path) -> None:
    assert_whole(path)


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_migration_continues_at_the_interrupted_step(
    path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(step)
    with monkeypatch.context() as patch:
        patch.setitem(migrate.MIGRATIONS, name, migrate.MIGRATIONS[name] + "\nSELECT * FROM absent;")
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="absent"):
                SqliteJournal(path)
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA user_version").fetchone() == (max(done for done in (3, *STEPS) if done < step),)
        assert db.execute("SELECT count(*) FROM events").fetchone() == (5 + len(State),)
        db.close()
    assert_whole(path)


def test_a_process_of_version_0_1_0_can_neither_store_nor_claim_after_the_migration(path: Path) -> None:
    """Its providers receive 503 and retry: nothing is stored where the new version does not find it."""
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("SELECT count(*) FROM events").fetchone()
    SqliteJournal(path).close()
    params = {"key": "by the old version", "state": "pending", "source": "acme", "now": micros(NOW), "due_at": 0}
    with pytest.raises(sqlite3.OperationalError, match="no column"):
        old.execute(INSERT, {**params, "settled_at": None, "reason": "", "lease": None, "leased_until": None})
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        old.execute("UPDATE events SET lease = 'old:1' WHERE state = 'pending' AND leased_until IS NULL")
    old.close()
    assert_whole(path)


def test_seqs_of_events_deleted_before_the_migration_are_not_assigned_again(path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    last = db.execute("SELECT max(seq) FROM events").fetchone()[0]
    db.execute("DELETE FROM events WHERE seq = ?", (last,))
    db.close()
    journal = SqliteJournal(path)
    assert journal.end() == str(last)
    journal.append([event("newer")], now=NOW)
    newer = journal.find("acme", "newer")
    assert newer is not None
    assert newer.seq == last + 1
    journal.close()


def fill(path: Path, count: int, size: int = 1000) -> None:
    """Add delivered events by SQL."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(
        """
        WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
        INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body,
                            problem, state, due_at, settled_at)
        SELECT 'filled', hex(randomblob(12)), 'thing.done', 1, n, 'event', 'verified', '{}', '{}', randomblob(?), '',
               'delivered', 0, n
        FROM numbers
        """,
        (count, size),
    )
    db.close()


def contents(path: Path, *tables: str) -> set[tuple[object, ...]]:
    """Return name and body of the events in these tables; each is there once."""
    db = sqlite3.connect(path)
    there = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    rows = [
        row for table in tables if table in there for row in db.execute(f"SELECT seq, event_key, body FROM {table}")
    ]
    db.close()
    assert len(rows) == len(set(rows))
    return set(rows)


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_events_are_moved_some_at_a_time_with_lines_of_progress_and_the_file_does_not_grow(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    fill(path, 2000)
    before, size = contents(path, "events"), path.stat().st_size
    monkeypatch.setattr(migrate, "MOVED_AT_ONCE", 500)
    monkeypatch.setattr(migrate, "REPORT_EVERY", seconds)
    with caplog.at_level("INFO", logger="webhooks.journal"):
        SqliteJournal(path).close()
    total = len(before)
    lines = [(line.getMessage(), vars(line)["events"]) for line in caplog.records if line.name == "webhooks.journal"]
    moving = [("migrating the journal", moved) for moved in (range(0, total, 500) if not seconds else (0,))]
    assert lines == [*moving, ("migrated the journal", total)]
    assert contents(path, "events") == before
    assert path.stat().st_size < 1.5 * size


def test_a_migration_that_is_killed_again_and_again_loses_nothing(path: Path) -> None:
    fill(path, 2000)
    before = contents(path, "events")
    chance, kills, done = random.Random(11), 0, False
    while not done:
        child = os.fork()
        if not child:
            migrate.MOVED_AT_ONCE = 1  # type: ignore[misc]
            SqliteJournal(path)
            os._exit(0)
        if kills < 40:
            time.sleep(chance.uniform(0, 0.03))
            os.kill(child, signal.SIGKILL)
        done = os.waitpid(child, 0)[1] == 0
        kills += not done
        assert contents(path, "events", "former_events") == before
    assert kills > 3
    journal = SqliteJournal(path)
    assert contents(path, "events") == before
    assert journal.count(Filter(sources=("filled",), states=(State.DELIVERED,))) == 2000
    assert journal.count() == len(before)
    journal.close()


def test_a_journal_of_schema_8_is_migrated_too(path: Path) -> None:
    """Its columns and indexes were in the repository for a time and were never released."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(SCHEMA_8.read_text())
    db.close()
    assert_whole(path)
