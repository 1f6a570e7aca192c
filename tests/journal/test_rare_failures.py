"""Failures of the stores that other tests do not reach: rare permissions, keys that are gone, values out of range."""

import os
import pwd
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.events import NOW, event
from webhooks.errors import JournalAbsent, JournalError, JournalOutdated
from webhooks.journal import Settlement, SqliteJournal, State, former, records
from webhooks.journal.absent import EmptyFile
from webhooks.journal.encryption import Encryption
from webhooks.journal.sqlite import location
from webhooks.journal.sqlite.migrate import LATEST
from webhooks.journal.sqlite.read_only import ReadOnlyFile

KEY, OTHER = bytes(range(32)).hex(), bytes(range(1, 33)).hex()


def run_here(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.append([event("a")], now=NOW)
    journal.close()
    return tmp_path / "segue.db"


# a journal that is only read


def set_version(path: Path, version: int) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


def count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


def test_a_journal_that_is_read_says_how_much_is_free_and_stores_nothing(path: Path) -> None:
    file = ReadOnlyFile(path, run_here)
    assert file.read(count) == 1
    assert file.free() > 0
    with pytest.raises(JournalError, match="opened only for reading"):
        file.write(lambda _: None)
    file.abandon()
    file.close()


def test_a_value_that_no_query_can_take_is_refused_while_reading(path: Path) -> None:
    file = ReadOnlyFile(path, run_here)
    with pytest.raises(JournalError, match="cannot be stored"):
        file.read(lambda db: db.execute("SELECT ?", (1 << 70,)).fetchone())
    file.close()


@pytest.mark.parametrize(
    ("version", "error"), [(0, JournalAbsent), (LATEST - 1, JournalOutdated), (LATEST + 1, JournalError)]
)
def test_a_schema_of_another_version_is_named_while_reading(
    path: Path, version: int, error: type[JournalError]
) -> None:
    set_version(path, version)
    with pytest.raises(error):
        ReadOnlyFile(path, run_here).read(count)


def test_a_journal_that_does_not_exist_takes_no_transaction(tmp_path: Path) -> None:
    absent = JournalAbsent("no journal yet")
    file = EmptyFile(absent, tmp_path / "segue.db", run_here)
    with pytest.raises(JournalAbsent):
        file.transact(lambda _: None)


# encrypted with a key that is gone


def test_a_body_whose_key_is_gone_is_not_taken_for_an_equal_one() -> None:
    content = Encryption((KEY,)).encrypt("acme", "old", ("{}", "{}", b"body"))
    query = former.FormerKeyQuery("acme", "old", b"body")
    stored = former.StoredKey("order.paid", content=content)
    assert former._is_same(query, stored, "order.paid", Encryption((KEY,)))
    assert not former._is_same(query, stored, "order.paid", Encryption((OTHER,)))


def test_a_search_reads_an_empty_body_if_its_key_is_gone() -> None:
    headers, envelope, body = Encryption((KEY,)).encrypt("acme", "a", ("{}", "{}", b"body"))
    record = {"source": "acme", "event_key": "a", "headers": headers, "envelope": envelope, "body": body}
    assert records.body(record, Encryption((KEY,))) == b"body"
    assert records.body(record, Encryption((OTHER,))) == b""


# what a user may not do


def test_a_folder_that_cannot_be_entered_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def stat(self: Path, **more: bool) -> os.stat_result:
        if self == tmp_path / "closed":
            raise PermissionError(13, "Permission denied")
        return real(self, **more)

    monkeypatch.setattr(Path, "stat", stat)
    error = location.unavailable(tmp_path / "closed" / "segue.db", OSError(13, "Permission denied"))
    assert "may not enter the folder" in error.message


@pytest.mark.parametrize(
    ("refused", "expected"), [("folder", "may not write in the folder"), ("file", "may not read and write")]
)
def test_a_folder_or_file_without_permission_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch, refused: str, expected: str
) -> None:
    denied = path.parent if refused == "folder" else path
    monkeypatch.setattr(os, "access", lambda name, _mode: Path(name) != denied)
    error = location.unavailable(path, OSError(13, "Permission denied"))
    assert expected in error.message
    assert "chown" in error.hint


def test_a_disk_that_is_mounted_read_only_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mounted:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda _: Mounted)
    assert "mounted read-only" in location.unavailable(path, OSError(13, "Permission denied")).message


def test_a_user_id_without_a_name_is_shown_as_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def getpwuid(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    assert location._user() == str(os.geteuid())


def test_a_damaged_catalogue_of_a_file_is_no_other_programs_database(path: Path) -> None:
    class Broken:
        def execute(self, _: str) -> None:
            error = sqlite3.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error

    with pytest.raises(sqlite3.DatabaseError):
        location.refuse_foreign(Broken(), path)  # type: ignore[arg-type]


def test_a_retry_is_shown_as_waiting(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    from webhooks.deliver.leases import _log

    journal = SqliteJournal(tmp_path / "segue.db")
    journal.append([event("a")], now=NOW)
    (claim,) = journal.claim(1, worker="w", now=NOW, lease=NOW - NOW.replace(hour=NOW.hour - 1))
    with caplog.at_level("INFO", logger="webhooks.events"):
        _log(Settlement(claim=claim, state=State.PENDING, reason="503"), warn=True)
    journal.close()
    assert [record.message for record in caplog.records] == ["waiting"]
