"""A damaged SQLite file: noticed, noted for readiness, verified, and ready again when it is intact."""

import os
import random
import sqlite3
from pathlib import Path

import pytest

from support.events import NOW, event
from support.journals import file_of
from webhooks.errors import JournalUnavailable
from webhooks.journal import Filter, Journal, SqliteJournal, State, Verification
from webhooks.journal.sqlite import damage

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "j.db"
    journal = SqliteJournal(path)
    journal.append([event(str(number), raw=os.urandom(3000)) for number in range(300)], now=NOW)
    journal.close()
    return path


def damaged(path: Path) -> bytes:
    """Overwrite pages in the middle of the file; return the previous content."""
    whole = path.read_bytes()
    first = len(whole) // PAGE // 2
    with path.open("r+b") as file:
        file.seek(first * PAGE)
        file.write(random.Random(7).randbytes(10 * PAGE))
    return whole


def test_damage_found_by_one_process_makes_all_not_ready_until_it_is_repaired(path: Path) -> None:
    whole = damaged(path)
    worker, web = SqliteJournal(path), SqliteJournal(path)
    web.check()
    with pytest.raises(JournalUnavailable, match="it is damaged") as caught:
        worker.rows(limit=1000)
    assert "docs/operating.md" in caught.value.hint
    for journal in (web, worker):
        with pytest.raises(JournalUnavailable, match="is damaged") as caught:
            journal.check()
        assert caught.value.hint == damage.HINT
        journal.close()
    path.write_bytes(whole)
    assert web.verify() == Verification()
    web.check()
    assert not Path(f"{path}.damaged").exists()
    web.close()
    worker.close()


def test_the_note_of_damage_found_by_a_transaction_is_readable_only_by_its_owner(path: Path) -> None:
    damaged(path)
    journal = SqliteJournal(path)
    with pytest.raises(JournalUnavailable, match="it is damaged"):
        journal.database.file.write(lambda db: db.execute("UPDATE events SET problem = 'x'"))
    assert Path(f"{path}.damaged").stat().st_mode & 0o777 == 0o600
    journal.close()


@pytest.mark.parametrize("full", [False, True])
def test_verify_finds_the_damage_and_notes_it(path: Path, full: bool) -> None:
    damaged(path)
    journal = SqliteJournal(path)
    verification = journal.verify(full=full)
    assert verification.problems
    assert all("\n" not in problem for problem in verification.problems)
    with pytest.raises(JournalUnavailable, match="is damaged"):
        journal.check()
    journal.close()


def test_another_file_in_the_place_of_the_damaged_one_is_ready(path: Path) -> None:
    other = path.with_name("other.db")
    SqliteJournal(other).close()
    damage.note(str(path), "malformed")
    journal = SqliteJournal(path)
    with pytest.raises(JournalUnavailable, match="malformed"):
        journal.check()
    journal.close()
    other.replace(path)
    journal.check()
    assert not Path(f"{path}.damaged").exists()
    journal.close()


def test_verify_ends_in_time_and_says_that_it_did_not_read_all(path: Path) -> None:
    damage.note(str(path), "malformed")
    journal = SqliteJournal(path)
    assert journal.verify(seconds=0) == Verification(complete=False)
    assert Path(f"{path}.damaged").exists(), "what was not read may be damaged still"
    assert journal.verify() == Verification()
    journal.close()


def test_verify_raises_an_error_that_is_no_damage(path: Path) -> None:
    journal = SqliteJournal(path)
    connection = file_of(journal)._writer
    assert connection is not None
    connection.set_authorizer(lambda *_: 1)
    with pytest.raises(Exception, match="not authorized"):
        damage.verify(connection, full=False, seconds=5)
    connection.set_authorizer(None)
    journal.close()


def test_a_note_of_damage_that_cannot_be_written_hides_no_error(path: Path) -> None:
    Path(f"{path}.damaged").mkdir()
    damage.note(str(path), "malformed")
    damage.refuse(str(path))


def test_an_interrupted_verify_is_incomplete_without_problems(path: Path) -> None:
    db = sqlite3.connect(path)
    db.set_progress_handler(lambda: 1, 1)
    assert damage.verify(db, full=False, seconds=60) == Verification(complete=False)
    db.close()


def test_verify_reports_a_file_that_sqlite_cannot_read(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)  # after the header, in the schema
        file.write(b"\xff" * PAGE)
    db = sqlite3.connect(path)
    assert damage.verify(db, full=True, seconds=60).problems[0].endswith("malformed")
    db.close()


def test_every_store_is_verified(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    assert journal.verify(full=True) == Verification()
    assert journal.count(Filter()) == 1


@pytest.mark.parametrize("cause", [None, OSError("the disk has gone")])
def test_an_event_is_read_without_its_state_only_if_that_is_damaged(
    path: Path, cause: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = SqliteJournal(path)
    assert journal.get(1) is not None
    (root,) = journal.database.file.read(
        lambda db: db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'states'").fetchone()
    )
    journal.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    journal = SqliteJournal(path)
    row = journal.get(1)
    assert row is not None
    assert (row.state, row.reason) == (State.DEAD, "its state cannot be read: the file is damaged")
    assert journal.get(10_000) is None

    def unavailable(_: object) -> None:
        raise JournalUnavailable("no disk", hint="Mount it.") from cause

    monkeypatch.setattr(journal.database.file, "read", unavailable)
    with pytest.raises(JournalUnavailable, match="no disk"):
        journal.get(1)
    monkeypatch.undo()
    journal.close()
