"""What only the SQLite journal has to prove: durability, sharing a file, and saying so when the disk will not have it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from events import NOW, event
from webhooks.errors import JournalError, JournalUnavailable, SettingsError
from webhooks.journal import SqliteJournal, State, open_journal
from webhooks.journal import sqlite as module

WRITER = """
import sys
if sys.argv[2] == "gevent":
    from gevent import monkey; monkey.patch_all()
import threading
from events import NOW, event
from webhooks.journal import SqliteJournal
journal = SqliteJournal(sys.argv[1])
def write(lane):
    number = 0
    while True:
        number += 1
        key = f"{sys.argv[3]}-{lane}-{number}"
        journal.append([event(key)], now=NOW)
        sys.stdout.write(key + "\\n"); sys.stdout.flush()
threads = [threading.Thread(target=write, args=(lane,)) for lane in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
"""


def writer(path: Path, kind: str, name: str) -> "subprocess.Popen[str]":
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), kind, name], stdout=subprocess.PIPE, text=True, env=env
    )


def test_it_runs_in_wal_mode_with_full_synchronous(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    assert journal._writer is not None
    assert journal._writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert journal._writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    journal.close()


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_what_was_acknowledged_is_there_after_sigkill_of_two_writers(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "j.db"
    for round_ in range(3):
        writers = [writer(path, kind, f"{round_}{name}") for name in "ab"]
        acked = []
        for process in writers:
            assert process.stdout is not None
            acked += [process.stdout.readline().strip() for _ in range(40)]
        for process in writers:
            process.send_signal(signal.SIGKILL)
        for process in writers:
            assert process.stdout is not None
            acked += [line.strip() for line in process.stdout if line.endswith("\n")]
            process.wait(10)
            process.stdout.close()
        journal = SqliteJournal(path)
        missing = [key for key in acked if journal.find("acme", key) is None]
        journal.close()
        assert missing == []
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_many_appends_share_few_commits(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    commits: list[str] = []
    assert journal._writer is not None
    journal._writer.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    journal._run._lock.acquire()  # type: ignore[attr-defined]
    threads = [threading.Thread(target=journal.append, args=([event(str(n))],), kwargs={"now": NOW}) for n in range(50)]
    for thread in threads:
        thread.start()
    while len(journal._group._waiting) < 49:
        pass
    assert journal.rows() == []
    journal._run._lock.release()  # type: ignore[attr-defined]
    for thread in threads:
        thread.join()
    assert len(journal.rows()) == 50
    assert len(commits) == 2
    journal.close()


def test_two_processes_agree_on_what_is_a_duplicate(tmp_path: Path) -> None:
    one, two = SqliteJournal(tmp_path / "j.db"), SqliteJournal(tmp_path / "j.db")
    assert one.append([event("a")], now=NOW).new == 1
    assert two.append([event("a")], now=NOW).duplicate == 1
    one.close()
    two.close()


def test_a_full_disk_stores_nothing_and_says_so_until_there_is_room(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("before")], now=NOW)
    assert journal._writer is not None
    pages = journal._writer.execute("PRAGMA page_count").fetchone()[0]
    journal._writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(JournalUnavailable, match="full") as caught:
        journal.append([event(str(n), raw=b"x" * 100_000) for n in range(5)], now=NOW)
    assert caught.value.hint
    assert [row.event.key for row in journal.rows()] == ["before"]
    assert journal.append([event("after")], now=NOW).new == 1
    journal.close()


def test_a_file_size_limit_of_the_system_is_a_full_disk_too(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from events import NOW, event; from webhooks.journal import SqliteJournal\n"
        "from webhooks.errors import JournalUnavailable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "journal = SqliteJournal(sys.argv[1]); journal.append([event('a')], now=NOW)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))\n"
        "try: journal.append([event(str(n), raw=b'x' * 50_000) for n in range(20)], now=NOW)\n"
        "except JournalUnavailable: print('unavailable')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "print(journal.append([event('b')], now=NOW).new, [row.event.key for row in journal.rows()])\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "j.db")], capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout.splitlines() == ["unavailable", "1 ['a', 'b']"], done.stderr


def test_too_little_free_space_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    monkeypatch.setattr(
        module.shutil, "disk_usage", lambda _: os.terminal_size((0, 0)) and type("U", (), {"free": 1024})()
    )
    with pytest.raises(JournalUnavailable, match="1 KiB are free"):
        journal.check()
    journal.close()


def test_a_file_taken_away_is_noticed_before_anything_is_claimed_stored(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("a")], now=NOW)
    assert len(journal.rows()) == 1
    for part in tmp_path.glob("j.db*"):
        part.unlink()
    with pytest.raises(JournalUnavailable):
        journal.append([event("b")], now=NOW)
    assert journal.append([event("b")], now=NOW).new == 1
    assert [row.event.key for row in journal.rows()] == ["b"]
    journal.close()


def test_a_file_put_in_its_place_is_noticed_too(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    SqliteJournal(tmp_path / "other.db").close()
    (tmp_path / "other.db").rename(tmp_path / "j.db")
    with pytest.raises(JournalUnavailable, match="replaced"):
        journal.append([event("a")], now=NOW)
    journal.close()


def test_a_damaged_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "j.db").write_bytes(b"this is no database at all, whatever its name says" * 100)
    with pytest.raises(JournalUnavailable, match="not a database"):
        SqliteJournal(tmp_path / "j.db")


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        SqliteJournal(tmp_path / "no" / "j.db")


def test_a_journal_from_a_newer_segue_is_left_alone(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "j.db").close()
    db = sqlite3.connect(tmp_path / "j.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalError, match="schema 99"):
        SqliteJournal(tmp_path / "j.db")


def test_where_wal_cannot_be_had_it_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect
    monkeypatch.setattr(module.sqlite3, "connect", lambda *_, **__: real(":memory:", isolation_level=None))
    with pytest.raises(JournalUnavailable, match="cannot be had here"):
        SqliteJournal(tmp_path / "j.db")


def test_a_bug_in_a_transaction_rolls_it_back(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO notes (name, value, at) VALUES ('half', '{}', 0)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal._write(half)
    assert journal.notes() == {}
    journal.close()


def test_a_forked_child_opens_its_own_connections(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("parent")], now=NOW)
    journal.rows()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            journal.append([event("child")], now=NOW)
            code = 0 if len(journal.rows()) == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    journal._pid = -1  # as a child would find it
    journal.append([event("parent again")], now=NOW)
    assert len(journal.rows()) == 3
    journal.close()


def test_reading_while_another_writes_does_not_wait(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("a")], now=NOW)
    other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert len(journal.rows()) == 1
    other.execute("ROLLBACK")
    other.close()
    journal.close()
    journal.close()


def test_a_journal_is_opened_by_its_url(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/a.db", str(tmp_path / "b.db")):
        opened = open_journal(url)
        opened.append([event("a")], now=NOW)
        assert opened.census().by_state == {State.PENDING: 1}
        opened.close()
    assert {path.name for path in tmp_path.glob("*.db")} == {"a.db", "b.db"}
    with pytest.raises(SettingsError, match="'mysql'"):
        open_journal("mysql://x")


def test_the_memory_of_duplicates_lasts_as_long_as_the_row(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("a", problem="x")], now=NOW)
    journal.prune({State.DEAD: timedelta(hours=72)}, now=NOW + timedelta(hours=71))
    assert journal.append([event("a")], now=NOW).duplicate == 1
    assert json.dumps(journal.notes()) == "{}"
    journal.close()
