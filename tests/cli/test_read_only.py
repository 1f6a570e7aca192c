"""Commands that read create nothing and say which journal they read; on either store."""

import os
import re
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from support.commands import CommandRunner, Shop
from webhooks.errors import JournalAbsent, JournalError
from webhooks.journal import AuditContext, Filter, is_absent, open_existing, open_journal
from webhooks.journal.absent import AbsentJournal

NOW = datetime.now(UTC)
READERS = {
    "status": ["status"],
    "status json": ["status", "--json"],
    "alerts json": ["alerts", "--json"],
    "events": ["events"],
    "events text": ["events", "--text", "ada"],
    "show": ["show", "1"],
    "dead": ["dead"],
    "tail": ["tail", "--no-follow"],
    "tail from start": ["tail", "--no-follow", "--from", "start", "--json"],
    "audit": ["audit"],
    "alerts": ["alerts"],
    "check": ["check"],
    "doctor": ["doctor", "--timeout", "1"],
    "catalog": ["catalog"],
    "sources": ["sources"],
    "namespace": ["namespace"],
    "export": ["export", "all.jsonl"],
    "replay": ["replay", "--all"],
    "replay dry run": ["replay", "--all", "--dry-run"],
    "drop dry run": ["drop", "--state", "dead", "--dry-run", "--reason", "r"],
    "prune": ["prune"],
    "reencrypt dry run": ["reencrypt", "--dry-run"],
}
SAYS_NOTHING_OF_IT = {"catalog", "sources", "status json", "alerts json"}


def tree(folder):
    """Every file and folder in it, with its content."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(Path(folder).rglob("*"))}


def tables(url):
    with psycopg.connect(url) as db:
        return {name for (name,) in db.execute("SELECT relname FROM pg_class WHERE relname LIKE 'segue%'")}


@pytest.fixture(params=["sqlite", "postgres"])
def absent_journal(request: pytest.FixtureRequest, tmp_path: Path):
    """The settings of a journal that does not exist, and how it is named."""
    if request.param == "sqlite":
        return {"SEGUE_DATABASE": ""}, str(tmp_path / "segue.db")
    url = request.getfixturevalue("postgres_url")
    return {"SEGUE_DATABASE": url}, url.rpartition("@")[2].partition("?")[0]


@pytest.mark.parametrize("command", READERS.values(), ids=READERS)
def test_a_command_that_reads_creates_nothing_and_names_the_journal(
    run: CommandRunner, absent_journal, tmp_path: Path, command, request: pytest.FixtureRequest
) -> None:
    settings, name = absent_journal
    settings = {key: value for key, value in settings.items() if value}
    before = tree(tmp_path)
    result = run(*command, SEGMENT_WRITE_KEY="wk", **settings)
    assert tree(tmp_path) == before
    if settings:
        assert tables(settings["SEGUE_DATABASE"]) == set()
    assert "Traceback" not in result.output
    if request.node.callspec.id.partition("-")[2] not in SAYS_NOTHING_OF_IT:
        text = re.sub(r"[\s;]+", " ", result.output)
        assert f"{name} yet `segue serve` creates it" in text, text


def test_a_journal_without_events_is_named(run: CommandRunner, database: str, tmp_path: Path) -> None:
    open_journal(database).close()
    result = run("events")
    assert "has no events" in result.output
    assert "segue.db" in result.output


@pytest.mark.parametrize("command", ["status", "events", "dead", "audit", "alerts", "tail --no-follow"])
def test_a_command_that_reads_leaves_no_file_beside_a_journal(
    run: CommandRunner, filled: Shop, tmp_path: Path, command
) -> None:
    rows = filled.journal.rows()
    filled.journal.close()
    for part in tmp_path.glob("segue.db.*"):
        part.unlink()
    before = set(tree(tmp_path))
    assert run(*command.split()).exit_code in {0, 1}
    assert set(tree(tmp_path)) <= before
    journal = open_existing(f"sqlite:///{tmp_path}/segue.db")
    assert journal.rows() == rows
    journal.close()


def test_read_only_journal_can_be_read(run: CommandRunner, filled: Shop, tmp_path: Path) -> None:
    filled.journal.close()
    journal = open_existing(f"sqlite:///{tmp_path}/segue.db")
    with pytest.raises(JournalError, match="opened only for reading"):
        journal.note("n", {}, now=NOW)
    assert journal.count() == 6
    journal.close()


def test_older_schema_is_reported_and_not_changed(run: CommandRunner, tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    open_journal(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 1")
    result = run("status")
    assert result.exit_code == 1
    assert "has schema version 1" in result.output
    assert "segue migrate" in result.output
    assert run("check", "--strict", SEGMENT_WRITE_KEY="wk").exit_code == 0  # `segue serve` brings it up to date
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


def test_empty_file_counts_as_absent_journal(run: CommandRunner, tmp_path: Path) -> None:
    (tmp_path / "segue.db").touch()
    assert "segue.db yet" in run("events").output
    assert (tmp_path / "segue.db").stat().st_size == 0


@pytest.mark.parametrize("command", [["status"], ["check"]])
def test_missing_folder_is_reported_and_not_created(run: CommandRunner, tmp_path: Path, command) -> None:
    result = run(*command, SEGUE_DATABASE=f"sqlite:///{tmp_path}/no/segue.db", SEGMENT_WRITE_KEY="wk")
    assert result.exit_code == 1
    assert "does not exist" in result.output
    assert not (tmp_path / "no").exists()


def test_check_reports_that_a_journal_cannot_be_created(run: CommandRunner, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    result = run("check", SEGMENT_WRITE_KEY="wk")
    tmp_path.chmod(0o700)
    assert result.exit_code == 1
    assert "may not write in the folder" in result.output


def test_an_absent_journal_is_empty_until_it_is_there(absent_journal, tmp_path: Path) -> None:
    url = absent_journal[0]["SEGUE_DATABASE"] or f"sqlite:///{tmp_path}/segue.db"
    absent = open_existing(url)
    assert isinstance(absent, AbsentJournal)
    assert is_absent(absent)
    assert (absent.rows(), absent.count(), absent.seqs(), absent.event_groups(), absent.audits()) == ([], 0, [], [], [])
    assert (absent.find("a", "b"), absent.get(1), absent.notes(), absent.tallies()) == (None, None, {}, {})
    assert absent.count(Filter(text="x", keys=("k",))) == 0
    assert absent.census().by_state == {}
    start = absent.end()
    for write in (
        lambda: absent.note("n", {}, now=NOW),
        lambda: absent.audit("a", {}, by=AuditContext(actor="w", reason=""), now=NOW),
        absent.check,
    ):
        with pytest.raises(JournalAbsent):
            write()
    made = open_journal(url)
    made.append([event_of("k")], now=NOW)
    assert [row.event.id for row in absent.rows(after=start)] == ["k"]
    assert is_absent(absent) is None
    made.close()
    absent.close()


def test_tail_waits_for_a_journal_that_is_not_there_yet(run: CommandRunner, tmp_path: Path) -> None:
    def arrive():
        time.sleep(1)
        journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
        journal.append([event_of("late")], now=NOW)
        journal.close()
        time.sleep(1.5)
        os.kill(os.getpid(), 15)

    thread = threading.Thread(target=arrive)
    thread.start()
    result = run("tail")
    thread.join()
    assert result.exit_code == 0, result.output
    assert "late" in result.output


def event_of(key):
    from translators.kit import Event

    return Event(source="acme", id=key, type="t", raw=b"{}", occurred_at=NOW, received_at=NOW)
