"""A journal of version 0.1.0 is migrated in place, in steps that may be interrupted."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from support.events import NOW, event
from webhooks.errors import JournalUnavailable
from webhooks.journal import AppendResult, Filter, SqliteJournal, State
from webhooks.journal.records import micros
from webhooks.journal.sqlite import file as file_module

SCHEMA = Path(__file__).parent / "fixtures" / "schema_0_1_0.sql"
LATEST = max(map(int, file_module.MIGRATIONS))
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
    assert db.execute("PRAGMA user_version").fetchone() == (LATEST,)
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


@pytest.mark.parametrize("step", range(4, LATEST + 1))
def test_an_interrupted_migration_continues_at_the_interrupted_step(
    path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(step)
    with monkeypatch.context() as patch:
        patch.setitem(file_module.MIGRATIONS, name, file_module.MIGRATIONS[name] + " SELECT * FROM absent;")  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="absent"):
                SqliteJournal(path)
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA user_version").fetchone() == (step - 1,)
        assert db.execute("SELECT count(*) FROM events").fetchone() == (5 + len(State),)
        db.close()
    assert_whole(path)


def test_version_0_1_0_still_writes_to_a_journal_that_is_migrated_meanwhile(path: Path) -> None:
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("SELECT count(*) FROM events").fetchone()
    SqliteJournal(path).close()
    params = {"key": "by the old version", "state": "pending", "source": "acme", "now": micros(NOW), "due_at": 0}
    old.execute(INSERT, {**params, "settled_at": None, "reason": "", "lease": None, "leased_until": None})
    claim = """
        UPDATE events SET lease = 'old:1', leased_until = ? WHERE seq IN (
            SELECT seq FROM events WHERE state = 'pending' AND (due_at <= ?) AND leased_until IS NULL ORDER BY seq LIMIT 9
        ) RETURNING event_key
    """
    keys = [row[0] for row in old.execute(claim, (micros(NOW) + 60_000_000, micros(NOW)))]
    old.close()
    assert sorted(keys) == ["by the old version", "handed back", "is pending", "new"]
    journal = SqliteJournal(path)
    assert [leased.event.id for leased in journal.claim(9, worker="w", now=NOW, lease=timedelta(minutes=1))] == [
        "lease ran out"
    ]
    journal.close()
