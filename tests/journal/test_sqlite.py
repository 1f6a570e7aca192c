"""Features of the SQLite journal alone: durability, sharing a file, and errors of the disk."""

import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from support.events import NOW, event
from support.journals import file_of
from webhooks.errors import JournalError, JournalUnavailable, SettingsError
from webhooks.journal import (
    AppendResult,
    AuditContext,
    ChangeResult,
    Settlement,
    SqliteJournal,
    State,
    open_journal,
    per_process,
)
from webhooks.journal.encryption import Encryption
from webhooks.journal.sqlite import file as module
from webhooks.journal.sqlite import migrate

WRITER = """
import sys
if sys.argv[2] == "gevent":
    from gevent import monkey; monkey.patch_all()
import threading
from support.events import NOW, event
from webhooks.journal import SqliteJournal
journal = SqliteJournal(sys.argv[1])
def write(writer):
    number = 0
    while True:
        number += 1
        key = f"{sys.argv[3]}-{writer}-{number}"
        journal.append([event(key)], now=NOW)
        sys.stdout.write(key + "\\n"); sys.stdout.flush()
threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
"""


KILLED = """
import sys
from gevent import monkey; monkey.patch_all()
import gevent, random
from support.events import NOW, event
from webhooks.errors import JournalUnavailable
from webhooks.journal import SqliteJournal
journal = SqliteJournal(sys.argv[1])
acked, wrong, doomed = [], [], set()
def append(key):
    try:
        journal.append([event(key)], now=NOW)
        acked.append(key)
    except JournalUnavailable:
        pass
    except BaseException as error:
        if gevent.getcurrent() not in doomed: wrong.append(repr(error))
draw = random.Random(7)
for round_ in range(40):
    greenlets = [gevent.spawn(append, f"{round_}-{number}") for number in range(12)]
    gevent.sleep(draw.random() / 500 if round_ % 2 else 0)
    for greenlet in draw.sample(greenlets, 4):
        doomed.add(greenlet)
        greenlet.kill(block=False)
    assert len(gevent.joinall(greenlets, timeout=20)) == 12
print("killed" if len(acked) < 480 else "nothing was killed")
print("wrong:", wrong)
print("missing:", [key for key in acked if journal.find("acme", key) is None])
print("then:", journal.append([event("last")], now=NOW).new)
"""


def open_files(pid: int, folder: Path) -> set[str]:
    return {Path(file.path).name for file in psutil.Process(pid).open_files() if Path(file.path).parent == folder}


def writer(path: Path, kind: str, name: str) -> "subprocess.Popen[str]":
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), kind, name], stdout=subprocess.PIPE, text=True, env=env
    )


def in_child(work: Callable[[], bool]) -> bool:
    """Return whether `work` is true in a fork of this process."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_it_runs_in_wal_mode_with_full_synchronous(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    writer = file_of(journal)._writer
    assert writer is not None
    assert writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    journal.close()


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_acknowledged_events_survive_sigkill_of_two_writers(tmp_path: Path, kind: str) -> None:
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
    writer = file_of(journal)._writer
    assert writer is not None
    writer.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    journal.database.file.run._lock.acquire()  # type: ignore[attr-defined]
    threads = [threading.Thread(target=journal.append, args=([event(str(n))],), kwargs={"now": NOW}) for n in range(50)]
    for thread in threads:
        thread.start()
    while len(journal.database.group._waiting) < 49:
        pass
    assert journal.rows() == []
    journal.database.file.run._lock.release()  # type: ignore[attr-defined]
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


def test_two_processes_never_lease_the_same_event(tmp_path: Path) -> None:
    journals = [SqliteJournal(tmp_path / "j.db") for _ in range(2)]
    journals[0].append([event(str(number)) for number in range(300)], now=NOW)
    claimed: list[int] = []

    def work(journal: SqliteJournal) -> None:
        while claims := journal.claim(7, worker="w", now=NOW, lease=timedelta(minutes=1)):
            done = journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=NOW)
            claimed.extend(done)

    threads = [threading.Thread(target=work, args=(journal,)) for journal in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(claimed) == list(range(1, 301))
    assert journals[1].census().by_state == {State.DELIVERED: 300}
    for journal in journals:
        journal.close()


def test_a_full_disk_stores_nothing_and_is_reported_until_space_is_free(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("before")], now=NOW)
    writer = file_of(journal)._writer
    assert writer is not None
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(JournalUnavailable, match="full") as caught:
        journal.append([event(str(n), raw=os.urandom(100_000)) for n in range(5)], now=NOW)
    assert caught.value.hint
    assert [row.event.id for row in journal.rows()] == ["before"]
    assert journal.append([event("after")], now=NOW).new == 1
    journal.close()


def test_a_file_size_limit_of_the_system_is_a_full_disk_too(tmp_path: Path) -> None:
    script = (
        "import os, resource, signal, sys; from support.events import NOW, event; from webhooks.journal import SqliteJournal\n"
        "from webhooks.errors import JournalUnavailable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "journal = SqliteJournal(sys.argv[1]); journal.append([event('a')], now=NOW)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))\n"
        "try: journal.append([event(str(n), raw=os.urandom(50_000)) for n in range(20)], now=NOW)\n"
        "except JournalUnavailable: print('unavailable')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "print(journal.append([event('b')], now=NOW).new, [row.event.id for row in journal.rows()])\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "j.db")], capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout.splitlines() == ["unavailable", "1 ['a', 'b']"], done.stderr


def test_too_little_free_space_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: os.terminal_size((0, 0)) and type("U", (), {"free": 1024})())
    with pytest.raises(JournalUnavailable, match="1 KiB are free"):
        journal.check()
    journal.close()


def test_a_removed_file_is_noticed_before_an_event_is_acknowledged(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("a")], now=NOW)
    assert len(journal.rows()) == 1
    for part in tmp_path.glob("j.db*"):
        part.unlink()
    with pytest.raises(JournalUnavailable):
        journal.append([event("b")], now=NOW)
    assert journal.append([event("b")], now=NOW).new == 1
    assert [row.event.id for row in journal.rows()] == ["b"]
    journal.close()


def test_a_replaced_file_is_noticed_too(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    SqliteJournal(tmp_path / "other.db").close()
    (tmp_path / "other.db").rename(tmp_path / "j.db")
    with pytest.raises(JournalUnavailable, match="replaced"):
        journal.append([event("a")], now=NOW)
    journal.close()


def test_a_removed_log_is_noticed_and_stored_events_are_kept(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("a")], now=NOW)
    assert len(journal.rows()) == 1
    (tmp_path / "j.db-wal").unlink()
    with pytest.raises(JournalUnavailable, match="removed"):
        journal.append([event("b")], now=NOW)
    assert [row.event.id for row in journal.rows()] == ["a"]
    assert journal.append([event("b"), event("a")], now=NOW) == AppendResult(1, 1)
    assert [row.event.id for row in journal.rows()] == ["a", "b"]
    journal.close()
    assert sqlite3.connect(tmp_path / "j.db").execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_file_removed_during_the_commit_is_noticed(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")

    def work(_: sqlite3.Connection) -> None:
        for part in tmp_path.glob("j.db*"):
            part.unlink()

    with pytest.raises(JournalUnavailable, match="removed"):
        journal.database.file.write(work)
    journal.close()


def test_readiness_notices_a_removed_file(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.check()
    (tmp_path / "j.db").unlink()
    with pytest.raises(JournalUnavailable):
        journal.check()
    journal.check()
    journal.close()


def test_a_removed_folder_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    journal = SqliteJournal(tmp_path / "data" / "j.db")
    (tmp_path / "data").rename(tmp_path / "gone")
    for use in (journal.check, journal.rows, lambda: journal.append([event("a")], now=NOW)):
        with pytest.raises(JournalUnavailable):
            use()
    (tmp_path / "gone").rename(tmp_path / "data")
    journal.check()
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)
    journal.close()


def test_a_file_damaged_while_in_use_is_unavailable_until_it_is_restored(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event(str(number), raw=os.urandom(3000)) for number in range(50)], now=NOW)
    journal.close()
    whole = (tmp_path / "j.db").read_bytes()
    with (tmp_path / "j.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (len(whole) - 4096))
    with pytest.raises(JournalUnavailable):
        journal.append([event("new")], now=NOW)
    journal.close()
    (tmp_path / "j.db").write_bytes(whole)
    assert journal.append([event("new"), event("7")], now=NOW) == AppendResult(1, 1)
    journal.close()


def test_a_folder_that_may_not_be_written_is_unavailable(tmp_path: Path) -> None:
    def attempt() -> bool:
        tmp_path.chmod(0o500)
        if os.getuid() == 0:
            os.chown(tmp_path, 65534, 65534)
            os.chdir(tmp_path)
            os.setuid(65534)
        try:
            SqliteJournal("j.db")
        except JournalUnavailable as error:
            return (
                f"the user {pwd.getpwuid(os.geteuid()).pw_name} may not" in error.message
                and "SEGUE_DATABASE" in error.hint
            )
        return False

    assert in_child(attempt)


def test_a_log_that_grew_during_a_long_read_shrinks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAL_BYTES", 100_000)
    monkeypatch.setattr(module, "WAL_PAGES", 10)
    journal = SqliteJournal(tmp_path / "j.db")
    reader = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM notes").fetchall()
    for number in range(20):
        journal.append([event(str(number), raw=os.urandom(50_000))], now=NOW)
    assert (tmp_path / "j.db-wal").stat().st_size > 1_000_000
    reader.close()
    for number in range(3):
        journal.append([event(f"small {number}")], now=NOW)
    assert (tmp_path / "j.db-wal").stat().st_size <= 100_000
    journal.close()


def test_a_damaged_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "j.db").write_bytes(b"this is no database at all, whatever its name says" * 100)
    with pytest.raises(JournalUnavailable, match="no SQLite database"):
        SqliteJournal(tmp_path / "j.db")


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        SqliteJournal(tmp_path / "no" / "j.db")


def test_a_journal_from_a_newer_segue_is_left_alone(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "j.db").close()
    db = sqlite3.connect(tmp_path / "j.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalError, match="schema version 99") as caught:
        SqliteJournal(tmp_path / "j.db")
    assert "newer version" in caught.value.hint
    assert open_files(os.getpid(), tmp_path) == set()
    db = sqlite3.connect(tmp_path / "j.db")
    assert db.execute("PRAGMA user_version").fetchone() == (99,)
    db.close()


def test_a_journal_of_the_first_schema_is_migrated(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    old.executescript(f"PRAGMA journal_mode=WAL; BEGIN; {migrate.MIGRATIONS['1']} PRAGMA user_version = 1; COMMIT;")
    insert = (
        "INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body,"
        " problem, state, due_at, reason) VALUES ('acme', ?, 't', 1, 2, 'event', 'verified', '{}', '{}', x'00', '',"
        " 'pending', 3, '')"
    )
    old.execute(insert, ("before",))
    journal = SqliteJournal(tmp_path / "j.db")
    with pytest.raises(sqlite3.OperationalError, match="state"):
        old.execute(insert, ("after",))
    rows = journal.rows()
    assert [(row.event.id, row.replay_generation, row.history) for row in rows] == [("before", 0, ())]
    unchanged = journal.replay([rows[0].seq], by=AuditContext(actor="w", reason="r"), now=NOW)
    assert unchanged == ChangeResult(0, 1)
    assert len(journal.claim(9, worker="w", now=NOW, lease=timedelta(minutes=1))) == 1
    old.close()
    journal.close()


def test_the_audit_log_cannot_be_changed_even_by_sql(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.audit("prune", {}, by=AuditContext(actor="w", reason="r"), now=NOW)
    other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    for sql in ("DELETE FROM audit", "UPDATE audit SET who = 'eve'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(sql)
    other.close()
    assert [line.actor for line in journal.audits()] == ["w"]
    journal.close()


def test_a_file_system_without_wal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: real(":memory:", isolation_level=None))
    with pytest.raises(JournalUnavailable, match="does not support WAL"):
        SqliteJournal(tmp_path / "j.db")


def test_a_bug_in_a_transaction_rolls_it_back(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO notes (name, value, at) VALUES ('half', '{}', 0)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal.database.file.write(half)
    assert journal.notes() == {}
    journal.close()


def test_a_forked_child_opens_its_own_connections(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("parent")], now=NOW)
    journal.rows()

    def child() -> bool:
        start = threading.Barrier(8)

        def append(number: int) -> None:
            start.wait(10)
            journal.append([event(f"child {number}")], now=NOW)

        threads = [threading.Thread(target=append, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return len(journal.rows()) == 9

    assert in_child(child)
    assert len(journal.rows()) == 9
    assert journal.append([event("parent again")], now=NOW) == AppendResult(1, 0)
    journal.close()


def test_a_child_does_not_keep_the_lock_of_a_parent_that_was_killed(tmp_path: Path) -> None:
    """A fork in the middle of a commit copies the lock's descriptor; the lock lasts until every copy is closed."""
    journal = SqliteJournal(tmp_path / "j.db")

    def parent() -> bool:
        journal.append([event("mine")], now=NOW)
        with file_of(journal)._turn():
            child = os.fork()
            if child == 0:
                journal.notes()
                signal.pause()
            (tmp_path / "child").write_text(str(child))
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                if "j.db.lock" not in open_files(child, tmp_path):
                    return True
                time.sleep(0.005)
            return False

    try:
        assert in_child(parent)
        assert in_child(lambda: SqliteJournal(tmp_path / "j.db").append([event("next")], now=NOW).new == 1)
    finally:
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)
        journal.close()


def test_the_first_use_after_a_fork_opens_connections_once_for_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("a")], now=NOW)
    assert [row.event.id for row in journal.rows()] == ["a"]
    parents, inherited = journal.database, len(per_process._inherited)
    parent_file = file_of(journal)
    connections = (parent_file._writing, parent_file._reading)
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as in a child
    threads = [threading.Thread(target=journal.notes) for _ in range(4)]
    with journal._databases._locks.setdefault(-1, threading.Lock()):
        for thread in threads:
            thread.start()
        while len(busy := [thread for thread in threads if thread.is_alive()]) < 4:
            pass
    for thread in busy:
        thread.join(10)
    assert parents in per_process._inherited[inherited:]
    assert (parent_file._writing, parent_file._reading) == connections
    assert [files.db.execute("SELECT 1").fetchone()[0] for files in connections if files is not None] == [1, 1]
    assert journal.database.file is not parents.file
    assert journal.append([event("a"), event("b")], now=NOW) == AppendResult(1, 1)
    journal.close()
    monkeypatch.setattr(os, "getpid", lambda: -2)  # forked while nothing was open
    assert journal.append([event("b"), event("c")], now=NOW) == AppendResult(1, 1)
    journal.close()


def test_greenlets_killed_at_any_moment_fail_alone_and_block_no_other(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "j.db")], capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout.splitlines() == ["killed", "wrong: []", "missing: []", "then: 1"], done.stderr


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


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://user:hush@db/segue", "begins with 'mysql'"),
        ("sqlite://segue.db", "begins with 'sqlite'"),
        ("sqlite:segue.db", "begins with 'sqlite'"),
        ("sqlite:///", "names no file"),
        ("", "names no file"),
    ],
)
def test_a_url_of_another_kind_is_refused_with_a_hint_and_without_its_password(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        open_journal(url)
    assert "use sqlite:///segue.db" in caught.value.message
    assert "hush" not in caught.value.message


def test_duplicates_are_recognised_as_long_as_the_row_exists(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append([event("a", problem="x")], now=NOW)
    journal.prune({State.DEAD: timedelta(hours=72)}, now=NOW + timedelta(hours=71))
    assert journal.append([event("a")], now=NOW).duplicate == 1
    assert json.dumps(journal.notes()) == "{}"
    journal.close()


def test_check_writes_a_new_value_each_time_so_that_it_is_synced(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.check()
    log = tmp_path / "j.db-wal"
    sizes = [log.stat().st_size]
    for _ in range(3):
        journal.check()
        sizes.append(log.stat().st_size)
    assert sorted(set(sizes)) == sizes, "SQLite writes nothing if a value stays the same"


def test_many_settled_events_are_pruned_up_to_the_limit_oldest_first(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    journal.append([event(str(number), problem="x") for number in range(1200)], now=NOW)
    assert journal.prune({State.DEAD: timedelta(minutes=1)}, now=NOW + timedelta(minutes=2), limit=1100) == 1100
    assert {row.event.id for row in journal.rows()} == {str(number) for number in range(1100, 1200)}
    assert journal.prune({State.DEAD: timedelta(minutes=1)}, now=NOW + timedelta(minutes=2)) == 100
    journal.close()


def test_a_value_that_cannot_be_searched_for_is_no_outage(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    with pytest.raises(JournalError) as caught:
        journal.database.file.read(lambda db: db.execute("SELECT ?", (1 << 70,)))
    assert not isinstance(caught.value, JournalUnavailable)
    journal.close()


def test_long_bodies_are_stored_compressed_and_short_bodies_of_earlier_files_are_read(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    raw = b'{"id": "x"}' * 300
    journal.append([event("long", raw=raw), event("plain", raw=raw)], now=NOW)

    def uncompressed(db: sqlite3.Connection) -> int:
        db.execute("UPDATE events SET body = ? WHERE event_key = 'plain'", (raw,))
        length: int = db.execute("SELECT length(body) FROM events WHERE event_key = 'long'").fetchone()[0]
        return length

    assert journal.database.file.write(uncompressed) < len(raw) / 10
    assert [row.event.raw for row in journal.rows()] == [raw, raw]
    claims = journal.claim(9, worker="w", now=NOW, lease=timedelta(minutes=1))
    assert [claim.event.raw for claim in claims] == [raw, raw]
    journal.close()


def test_a_compressed_body_is_encrypted_and_compressed_again(tmp_path: Path) -> None:
    key, raw = bytes(range(32)).hex(), b'{"id": "x"}' * 300
    for keys, current in (((), "plain"), ((key,), Encryption((key,)).current), (("plain", key), "plain")):
        journal = SqliteJournal(tmp_path / "j.db", encryption=Encryption(keys))
        journal.append([event("a", raw=raw)], now=NOW)
        journal.reencrypt()
        assert journal.reencrypt(dry_run=True).by_key == {current: 1}
        assert [row.event.raw for row in journal.rows()] == [raw]
        journal.close()
