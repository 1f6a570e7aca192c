"""A file of the journal removed or replaced while several processes use it: acknowledged events are kept."""

import contextlib
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.events import NOW, event
from support.journal_process import JournalProcess
from webhooks.errors import JournalUnavailable
from webhooks.journal import AppendResult, Settlement, SqliteJournal, State, open_existing
from webhooks.journal.runners import runner
from webhooks.journal.sqlite import file as file_module
from webhooks.journal.sqlite import open_files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "j.db"


@pytest.fixture
def three(path: Path) -> Iterator[list[JournalProcess]]:
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(JournalProcess(path)) for _ in range(3)]
        for place, process in enumerate(processes):
            assert process.append(f"first {place}")
        yield processes


def remove(*ends: str) -> Callable[[Path, JournalProcess], None]:
    def act(path: Path, _: JournalProcess) -> None:
        for end in ends:
            Path(f"{path}{end}").unlink(missing_ok=True)

    return act


def replace_log(path: Path, process: JournalProcess) -> None:
    """Replace the log by a copy of an earlier log, whose frames are valid."""
    copy = path.with_name("copy")
    shutil.copy(f"{path}-wal", copy)
    assert process.append(f"after copy {len(process.acked)}")
    copy.rename(f"{path}-wal")


REMOVED = {
    "the log": remove("-wal"),
    "the log's index": remove("-shm"),
    "both": remove("-wal", "-shm"),
    "the log and all locks": remove("-wal", ".lock"),
    "the lock": remove(".lock"),
    "the log, by an earlier one": replace_log,
}


def integrity(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as db:
        result: str = db.execute("PRAGMA integrity_check").fetchone()[0]
        return result


def stored(path: Path) -> set[str]:
    journal = SqliteJournal(path)
    keys = {row.event.id for row in journal.rows(limit=100_000)}
    journal.close()
    return keys


@pytest.mark.parametrize("what", REMOVED)
def test_a_file_removed_under_three_processes_loses_no_acknowledged_event(
    what: str, path: Path, three: list[JournalProcess]
) -> None:
    draw = random.Random(what)
    for round_ in range(4):
        for number in range(30):
            assert draw.choice(three).append(f"{round_} {number}")
        REMOVED[what](path, draw.choice(three))
        refused = [process.append(f"{round_} then {place}") for place, process in enumerate(three)].count(False)
        assert refused <= 3
        for place, process in enumerate(draw.sample(three, 3)):
            assert process.append(f"{round_} again {place}")
    acked = {key for process in three for key in process.acked}
    for process in three:
        assert acked <= set(process.keys())
        process.kill()
    assert acked <= stored(path)
    assert integrity(path) == "ok"


def test_one_process_works_while_others_with_the_removed_log_open_are_idle(
    path: Path, three: list[JournalProcess]
) -> None:
    one, two, three_ = three
    Path(f"{path}-wal").unlink()
    assert not one.append("refused")
    for number in range(20):
        assert one.append(str(number))
    assert two.keys() == one.keys()
    assert three_.call("claim") == {"ok": 23}
    assert two.append("two")
    assert three_.append("three")


@pytest.mark.parametrize("command", ["close", "keys", "claim"])
def test_closing_a_removed_log_last_keeps_the_new_log_of_a_killed_process(
    command: str, path: Path, three: list[JournalProcess]
) -> None:
    """SQLite sees no other user of the database, and removes the log by its name."""
    one, two, idle = three
    Path(f"{path}-wal").unlink()
    assert not one.append("refused")
    assert one.append("in the new log")
    one.kill()
    two.kill()
    idle.call(command)
    idle.kill()
    assert stored(path) == {"first 0", "first 1", "first 2", "in the new log"}


def test_a_new_process_starts_no_log_before_the_removed_one_is_saved(path: Path, three: list[JournalProcess]) -> None:
    Path(f"{path}-wal").unlink()
    with JournalProcess(path) as new:
        assert "not yet saved" in new.call("append", "new")["unavailable"]
        assert three[0].call("claim") == {"ok": 3}, "a claim looks before it writes, and recovers"
        assert new.append("new")
    assert three[1].keys() == ["first 0", "first 1", "first 2", "new"]


def test_a_removed_log_is_saved_before_the_journal_is_closed(path: Path, three: list[JournalProcess]) -> None:
    Path(f"{path}-wal").unlink()
    assert three[0].call("close") == {"ok": None}
    for process in three:
        process.kill()
    assert stored(path) == {"first 0", "first 1", "first 2"}


def test_a_removed_log_is_saved_when_the_read_in_progress_has_ended(path: Path, three: list[JournalProcess]) -> None:
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchall()
    assert three[0].append("behind the read")
    Path(f"{path}-wal").unlink()
    for process in three:
        assert not process.append("refused")
        assert "unavailable" in process.call("keys")
    reader.execute("COMMIT")
    reader.close()
    for place, process in enumerate(three):
        assert not process.append("refused") or place
        assert process.append(f"again {place}")
    assert len(three[0].keys()) == 7


@pytest.mark.parametrize("kept", [True, False], ids=["renamed", "removed"])
def test_a_replaced_database_is_used_and_the_old_one_keeps_its_events(
    path: Path, three: list[JournalProcess], kept: bool
) -> None:
    other = path.with_name("other.db")
    journal = SqliteJournal(other)
    journal.append([event("restored")], now=NOW)
    journal.close()
    if kept:
        path.rename(path.with_name("old.db"))
    other.rename(path)
    for place, process in enumerate(three):
        assert not process.append("refused")
        assert process.append(f"second {place}")
    assert sorted(three[0].keys()) == ["restored", "second 0", "second 1", "second 2"]
    assert integrity(path) == "ok"
    if kept:
        assert stored(path.with_name("old.db")) == {"first 0", "first 1", "first 2"}


def test_a_database_removed_under_three_processes_is_created_again_for_all(
    path: Path, three: list[JournalProcess]
) -> None:
    for part in path.parent.glob("j.db*"):
        part.unlink()
    for place, process in enumerate(three):
        assert not process.append("refused")
        assert process.append(f"second {place}")
    assert three[2].keys() == ["second 0", "second 1", "second 2"]


def test_a_commit_during_which_the_log_was_removed_is_not_acknowledged(path: Path) -> None:
    one, two = SqliteJournal(path), SqliteJournal(path)
    two.append([event("a")], now=NOW)

    def work(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO notes (name, value, at) VALUES ('n', '{}', 0)")
        Path(f"{path}-wal").unlink()

    with pytest.raises(JournalUnavailable, match="removed"):
        one.database.file.write(work)
    assert two.append([event("a"), event("b")], now=NOW) == AppendResult(1, 1)
    one.close()
    two.close()


def test_journals_of_one_file_in_one_process_recover_together(path: Path) -> None:
    journals = [SqliteJournal(path) for _ in range(3)]
    for place, journal in enumerate(journals):
        journal.append([event(str(place))], now=NOW)
        assert len(journal.rows()) == place + 1
    Path(f"{path}-wal").unlink()
    with pytest.raises(JournalUnavailable, match="removed"):
        journals[0].append([event("refused")], now=NOW)
    for place, journal in enumerate(journals):
        assert journal.append([event(f"again {place}")], now=NOW) == AppendResult(1, 0)
    Path(f"{path}-wal").unlink()
    journals.append(SqliteJournal(path))
    assert {len(journal.rows()) for journal in journals} == {6}
    for journal in journals:
        journal.close()
    assert len(stored(path)) == 6


def test_a_reader_recovers_a_removed_log_and_returns_its_result(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([event("a")], now=NOW)
    journal.rows()
    Path(f"{path}-shm").unlink()
    assert [row.event.id for row in journal.rows()] == ["a"]

    def vanish(db: sqlite3.Connection) -> int:
        Path(f"{path}-wal").unlink()
        count: int = db.execute("SELECT count(*) FROM events").fetchone()[0]
        return count

    with pytest.raises(JournalUnavailable, match="removed"):
        journal.database.file.read(vanish)

    def fail(_: sqlite3.Connection) -> None:
        if not fail.__dict__.setdefault("done", []):
            fail.__dict__["done"].append(1)
            Path(f"{path}-wal").unlink()
            raise sqlite3.OperationalError("disk I/O error")

    journal.rows()
    assert journal.database.file.read(fail) is None
    with pytest.raises(JournalUnavailable, match="no such table"):
        journal.database.file.read(lambda db: db.execute("SELECT * FROM absent"))
    assert len(journal.rows()) == 1
    journal.close()


def test_the_open_database_file_is_never_opened_again_since_closing_it_ends_locks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = os.open

    def open_and_count(name: str, *rest: Any) -> int:
        opened.append(str(name))
        return real(name, *rest)

    monkeypatch.setattr(os, "open", open_and_count)
    journal = SqliteJournal(path)
    journal.rows()
    journal.database.file.close()
    journal.append([event("a")], now=NOW)
    assert opened.count(str(path)) == 2, "once to make it, and once in vain, with O_EXCL"
    journal.close()


def test_a_log_renamed_before_a_kill_gets_its_name_back(path: Path) -> None:
    with JournalProcess(path) as process:
        process.append("a")
        process.kill()
    Path(f"{path}-wal").rename(f"{path}-wal.kept")
    assert stored(path) == {"a"}
    assert not Path(f"{path}-wal.kept").exists()


def test_files_that_are_not_open_in_this_process_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_module, "are_open_here", lambda _: False)
    with pytest.raises(JournalUnavailable, match="removed or replaced"):
        SqliteJournal(path)
    monkeypatch.undo()
    journal = SqliteJournal(path)
    monkeypatch.setattr(file_module, "are_open_here", lambda _: False)
    with pytest.raises(JournalUnavailable, match="removed or replaced"):
        journal.rows()
    monkeypatch.undo()
    monkeypatch.setattr(os, "listdir", lambda _: (_ for _ in ()).throw(OSError))
    assert journal.rows() == []
    journal.close()


def test_an_unchanged_folder_costs_one_system_call_for_each_check(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "SETTLED_NS", -1)
    journal = SqliteJournal(path)
    journal.append([event("a")], now=NOW)
    asked: list[str] = []
    real = os.stat

    def stat_and_count(name: str, **options: Any) -> os.stat_result:
        asked.append(Path(name).name)
        return real(name, **options)

    monkeypatch.setattr(os, "stat", stat_and_count)
    journal.append([event("b")], now=NOW)
    monkeypatch.undo()
    assert asked == ["j.db.lock", path.parent.name, path.parent.name]
    journal.close()


def test_a_link_to_the_database_has_the_locks_of_the_database(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    one, two = SqliteJournal(link), SqliteJournal(path)
    for journal in (one, two):
        for _ in range(2):
            journal.append([event("a")], now=NOW)
    assert [row.event.id for row in one.rows()] == ["a"]
    assert {part.name for part in path.parent.iterdir()} == {
        "link.db", "j.db", "j.db-wal", "j.db-shm", "j.db.lock", "j.db.open",
    }  # fmt: skip
    one.close()
    two.close()


def test_a_claim_is_settled_after_the_log_was_removed(path: Path) -> None:
    web, worker = SqliteJournal(path), SqliteJournal(path)
    web.append([event("a")], now=NOW)
    (claim,) = worker.claim(10, worker="w", now=NOW, lease=timedelta(minutes=1))
    Path(f"{path}-wal").unlink()
    done = [Settlement(claim=claim, state=State.DELIVERED)]
    with pytest.raises(JournalUnavailable):
        worker.settle(done, now=NOW)
    assert worker.settle(done, now=NOW) == {claim.seq}
    web.close()
    worker.close()


def test_an_io_error_after_the_log_was_removed_recovers_too(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([event("a")], now=NOW)

    def fail(_: sqlite3.Connection) -> None:
        Path(f"{path}-wal").unlink()
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(JournalUnavailable, match="disk I/O error"):
        journal.database.file.write(fail)
    assert journal.append([event("a"), event("b")], now=NOW) == AppendResult(1, 1)
    journal.close()


def test_closing_waits_for_reads_in_progress_to_save_a_removed_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(path)
    journal.append([event("a")], now=NOW)
    reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchall()
    journal.append([event("b")], now=NOW)
    Path(f"{path}-wal").unlink()
    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="reads in progress"):
            journal.append([event("c")], now=NOW)
    ending = threading.Timer(0.3, reader.close)
    ending.start()
    journal.close()
    ending.join()
    assert stored(path) == {"a", "b"}


def test_a_journal_whose_folder_is_moved_and_moved_back_is_read_again(path: Path) -> None:
    (path.parent / "data").mkdir()
    journal = SqliteJournal(path.parent / "data" / "j.db")
    journal.append([event("a")], now=NOW)
    journal.rows()
    (path.parent / "data").rename(path.parent / "moved")
    with pytest.raises(JournalUnavailable):
        journal.rows()
    (path.parent / "moved").rename(path.parent / "data")
    assert len(journal.rows()) == 1
    (path.parent / "data").rename(path.parent / "moved")
    journal.close()


def test_a_process_that_read_first_finds_the_files_that_others_have_open(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([event("a")], now=NOW)
    other = file_module.SqliteFile(path, runner())
    count = "SELECT count(*) FROM events"
    assert other.read(lambda db: db.execute(count).fetchone()[0]) == 1
    assert other._writer is None
    other.close()
    journal.close()
    Path(f"{path}.open").unlink()
    assert other.read(lambda db: db.execute(count).fetchone()[0]) == 1
    other.close()


def test_a_process_with_other_files_than_the_recorded_ones_is_unavailable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = SqliteJournal(path)
    Path(f"{path}-wal").unlink()
    monkeypatch.setattr(file_module.SqliteFile, "_in_process", lambda self: [self])
    with pytest.raises(JournalUnavailable, match="not yet saved"):
        SqliteJournal(path)
    with pytest.raises(JournalUnavailable, match="removed"):
        journal.append([event("a")], now=NOW)
    SqliteJournal(path).close()


def test_an_old_log_is_not_saved_again_over_the_new_one(
    path: Path,
) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").write_bytes(b"new")
    database = open_files.identity(str(path)).database
    users = open_files.FileUsers(str(path))
    users.join()
    users.record(open_files.identity(str(path)))
    old = open_files.OpenFiles(
        str(path), open_files.FileIdentity(database, (0, 1), (0, 2)), sqlite3.connect(":memory:")
    )
    recovery = open_files.Recovery(old, users)
    recovery.save()
    with open_files.keep_new_log(str(path), old.identity):
        assert not Path(f"{path}-wal").exists()
    assert Path(f"{path}-wal").read_bytes() == b"new"
    users.leave()
    old.db.close()


def test_a_log_of_other_events_is_renamed(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([event("a")], now=NOW)
    shutil.copy(f"{path}-wal", f"{path}-copy")
    journal.append([event("b")], now=NOW)
    Path(f"{path}-copy").rename(f"{path}-wal")
    with pytest.raises(JournalUnavailable, match="replaced"):
        journal.append([event("c")], now=NOW)
    assert len(journal.rows()) == 2
    assert Path(f"{path}-wal.unused").exists()
    journal.close()


def test_a_removed_lock_file_is_created_again(path: Path) -> None:
    journal = SqliteJournal(path)
    Path(f"{path}.lock").unlink()
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)
    assert Path(f"{path}.lock").exists()
    journal.close()


def test_a_read_only_command_refuses_a_removed_log_until_it_is_saved(path: Path, three: list[JournalProcess]) -> None:
    command = open_existing(str(path))
    assert len(command.rows()) == 3
    Path(f"{path}-wal").unlink()
    with pytest.raises(JournalUnavailable, match="its log was removed"):
        command.rows()
    assert not Path(f"{path}-wal").exists(), "a reader begins no log"
    assert not three[0].append("refused")
    assert three[0].append("in the new log")
    assert len(command.rows()) == 4
    command.close()


def test_a_read_only_command_removes_no_log_that_is_newer_than_its_own(path: Path) -> None:
    SqliteJournal(path).close()
    command = open_existing(str(path))
    assert command.rows() == [], "it may write, for there was no log"
    with JournalProcess(path) as process:
        assert process.append("a")
        Path(f"{path}-wal").unlink()
        assert not process.append("refused")
        assert process.append("in the new log")
        process.kill()
    command.close()
    assert stored(path) == {"a", "in the new log"}


def test_a_renamed_log_gets_its_name_back_from_its_users(path: Path, three: list[JournalProcess]) -> None:
    Path(f"{path}-wal").rename(f"{path}-wal.kept")
    assert not three[0].append("refused")
    for place, process in enumerate(three):
        assert process.append(f"again {place}") or process.append(f"again {place}")
    assert len(three[1].keys()) == 6
    assert not Path(f"{path}-wal.kept").exists()


def test_a_renamed_log_gets_its_name_back_in_the_process_that_has_it_open(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([event("a")], now=NOW)
    Path(f"{path}-wal").rename(f"{path}-wal.kept")
    with pytest.raises(JournalUnavailable, match="removed or replaced"):
        journal.append([event("refused")], now=NOW)
    journal.append([event("b")], now=NOW)
    assert [row.event.id for row in journal.rows()] == ["a", "b"]
    journal.close()
    assert not Path(f"{path}-wal.kept").exists()


def test_a_renamed_log_never_replaces_its_successor(path: Path) -> None:
    with JournalProcess(path) as process:
        process.append("a")
        Path(f"{path}-wal.kept").write_bytes(Path(f"{path}-wal").read_bytes())
        process.append("b")
        process.kill()
    assert stored(path) == {"a", "b"}
    assert Path(f"{path}-wal.unused").exists()
    assert not Path(f"{path}-wal.kept").exists()
