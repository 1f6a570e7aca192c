"""Journals for commands that read: opened if they exist, empty until then, and never created or changed."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from support.events import NOW, event
from webhooks.errors import JournalAbsent, JournalError, JournalOutdated, JournalUnavailable
from webhooks.journal import Journal, State, left_out_by, open_existing, open_journal
from webhooks.journal.absent import AbsentJournal
from webhooks.journal.open import is_absent
from webhooks.journal.sqlite import location

LEASE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a store without a journal."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/segue.db"
    postgres: str = request.getfixturevalue("postgres_url")
    return postgres


def test_an_absent_journal_is_empty_refuses_writes_and_becomes_the_journal(url: str) -> None:
    journal = open_existing(url)
    absent = is_absent(journal)
    assert isinstance(journal, AbsentJournal)
    assert absent is not None
    assert "no journal at" in absent.message
    assert journal.rows() == []
    assert journal.end() == absent.beginning
    assert journal.census().size_bytes == 0
    for write in (
        lambda: journal.append([event("a")], now=NOW),
        lambda: journal.claim(1, worker="w", now=NOW, lease=LEASE) or journal.note("n", {}, now=NOW),
        journal.check,
    ):
        with pytest.raises(JournalAbsent):
            write()
    created = open_journal(url)
    created.append([event("a")], now=NOW)
    assert [row.event.id for row in journal.rows()] == ["a"]
    assert is_absent(journal) is None
    assert journal.end() == created.end()
    journal.close()
    created.close()


def test_an_absent_journal_can_be_closed(url: str) -> None:
    journal = open_existing(url)
    journal.close()
    assert isinstance(journal, AbsentJournal)
    journal._empty.database.abandon()
    assert is_absent(journal) is not None


def test_an_existing_journal_is_read_and_changed_only_by_a_command_that_changes(url: str) -> None:
    open_journal(url).close()
    read, changed = open_existing(url), open_existing(url, change=True)
    changed.append([event("a")], now=NOW)
    assert [row.event.id for row in read.rows()] == ["a"]
    assert read.census().size_bytes > 0
    read.close()
    changed.close()


def test_a_file_opened_only_for_reading_refuses_writes_and_knows_its_disk(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/segue.db"
    open_journal(url).close()
    journal: Journal = open_existing(url)
    with pytest.raises(JournalError, match="opened only for reading"):
        journal.note("n", {}, now=NOW)
    file = journal.database.file  # type: ignore[attr-defined]
    assert file.free() > 0
    file.abandon()
    assert journal.rows() == []
    journal.close()


def test_a_file_of_an_earlier_schema_is_reported(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/segue.db"
    open_journal(url).close()
    with sqlite3.connect(tmp_path / "segue.db") as db:
        db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(JournalOutdated, match="schema version 1") as caught:
        open_existing(url)
    assert "segue migrate" in caught.value.hint


def test_a_file_whose_log_was_removed_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    writer = open_journal(f"sqlite:///{path}")
    writer.append([event("a")], now=NOW)
    path.with_name("segue.db-wal").unlink()
    with pytest.raises(JournalUnavailable, match="its log was removed"):
        open_existing(f"sqlite:///{path}")
    writer.close()


def test_tables_that_may_not_be_created_are_reported_with_the_command(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("CREATE TABLE segue_events (id integer)")
    with pytest.raises(JournalUnavailable) as caught:
        open_journal(postgres_url)
    assert "Or run `segue migrate` as the owner." in caught.value.hint


def test_a_path_where_no_file_can_be_created_is_reported_without_a_write(tmp_path: Path) -> None:
    assert location.creation_fault(tmp_path / "segue.db") == ""
    assert "does not exist" in location.creation_fault(tmp_path / "none" / "segue.db")
    assert list(tmp_path.iterdir()) == []


def test_the_setting_that_leaves_an_event_out_is_read_from_its_reason() -> None:
    reason = "a test order; set SEGUE_SHOP_ENVIRONMENT=both to deliver these"
    assert left_out_by(State.IGNORED, reason) == "SEGUE_SHOP_ENVIRONMENT=both"
    assert left_out_by(State.IGNORED, "not a customer event") == left_out_by(State.DEAD, reason) == ""
