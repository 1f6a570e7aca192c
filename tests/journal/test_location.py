"""A SQLite path that cannot be used: the message says why, the hint says what to do, and nothing is changed."""

import errno
import os
import pwd
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from webhooks.errors import JournalUnavailable
from webhooks.journal import open_journal
from webhooks.journal.sqlite import location

SPACE = "Check the disk's space"


def refused(path):
    with pytest.raises(JournalUnavailable) as caught:
        open_journal(f"sqlite:///{path}")
    assert SPACE not in caught.value.hint
    return caught.value.message, caught.value.hint


def other_program(path, *statements):
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


@pytest.mark.parametrize("text", [b"hello", b"# Notes\n" * 400, b"\x00" * 2000, b"PK\x03\x04" + bytes(5000)])
def test_another_kind_of_file_is_named_and_left_alone(tmp_path: Path, text) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(text)
    message, hint = refused(path)
    assert "is another kind of file, no SQLite database" in message
    assert f"SEGUE_DATABASE=sqlite:///{tmp_path}/segue-journal.db" in hint
    assert path.read_bytes() == text
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE users (id INTEGER)"],
        ["CREATE TABLE users (id INTEGER)", "PRAGMA user_version = 1"],
        ["CREATE TABLE users (id INTEGER)", "PRAGMA user_version = 9000"],
        ["CREATE TABLE events (id INTEGER)", "PRAGMA user_version = 2"],
        ["PRAGMA journal_mode=WAL", "CREATE TABLE users (id INTEGER)"],
        ["PRAGMA application_id = 1196444487"],
    ],
)
def test_the_database_of_another_program_is_named_and_left_alone(tmp_path: Path, statements) -> None:
    path = tmp_path / "app.db"
    other_program(path, *statements)
    before = path.read_bytes()
    message, hint = refused(path)
    assert "is the SQLite database of another program" in message
    assert f"SEGUE_DATABASE=sqlite:///{tmp_path}/segue-journal.db" in hint
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["app.db"]


def test_an_empty_file_and_an_empty_database_become_journals(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    other_program(tmp_path / "vacuumed.db", "CREATE TABLE t (a)", "DROP TABLE t")
    for name in ("empty.db", "vacuumed.db"):
        open_journal(f"sqlite:///{tmp_path}/{name}").close()


def test_a_missing_folder_is_reported_with_the_command_that_creates_it(tmp_path: Path) -> None:
    message, hint = refused(tmp_path / "no" / "such" / "segue.db")
    assert f"its folder {tmp_path}/no/such does not exist" in message
    assert f"mkdir -p {tmp_path}/no/such" in hint


def test_three_slashes_that_were_meant_as_four_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """sqlite:///data/segue.db is relative, and the intended absolute folder exists."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    (tmp_path / "data").mkdir()
    _, hint = refused(str(tmp_path / "data" / "segue.db").lstrip("/"))
    assert f"SEGUE_DATABASE=sqlite:///{tmp_path}/data/segue.db" in hint
    assert "Three slashes" in hint


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    message, hint = refused(tmp_path)
    assert f"{tmp_path} is a folder" in message
    assert f"sqlite:///{tmp_path}/segue.db" in hint
    assert not tmp_path.with_name(tmp_path.name + ".lock").exists()


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert f"{tmp_path}/data is a file, not a folder" in refused(tmp_path / "data" / "segue.db")[0]


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "segue.db").symlink_to(tmp_path / "volume" / "segue.db")
    message, hint = refused(tmp_path / "segue.db")
    assert "it is a link to" in message
    assert "Mount" in hint


def test_a_device_is_named() -> None:
    assert "is no regular file" in refused("/dev/null")[0]


def as_another_user(folder, name="segue.db"):
    """Return the error for a user without rights, from a fork: root may write everywhere."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            open_journal(f"sqlite:///{name}")
        except JournalUnavailable as error:
            os.write(writer, f"{error.message} | {error.hint}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()


@pytest.fixture
def shared_folder():
    """Return a folder that every user can access; pytest's own belongs to one user."""
    import shutil
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="segue-location-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_without_permission_is_reported_with_the_user(shared_folder) -> None:
    shared_folder.chmod(0o555)
    output = as_another_user(shared_folder)
    assert f"may not write in the folder {shared_folder}" in output
    assert f"chown {pwd.getpwuid(os.getuid() or 65534).pw_name} {shared_folder}" in output
    assert SPACE not in output


def test_a_folder_that_may_not_be_entered_is_reported_with_the_user(shared_folder) -> None:
    (shared_folder / "data").mkdir(mode=0o700)
    if os.getuid():
        (shared_folder / "data").chmod(0)
    output = as_another_user(shared_folder, "data/sub/segue.db")
    (shared_folder / "data").chmod(0o700)
    assert f"may not enter the folder {shared_folder}/data" in output
    assert "SEGUE_DATABASE" in output


def test_a_file_without_permission_is_reported_with_the_user(shared_folder) -> None:
    path = shared_folder / "segue.db"
    path.touch()
    path.chmod(0o400)
    shared_folder.chmod(0o777)
    output = as_another_user(shared_folder)
    assert f"may not read and write {path}" in output
    assert SPACE not in output


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_in_the_error(tmp_path: Path, number) -> None:
    error = location.unavailable(tmp_path / "segue.db", OSError(number, os.strerror(number)))
    assert "its disk is full" in error.message
    assert error.hint.startswith("Free space on the disk")


def test_a_full_database_is_named_in_the_error(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        db.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as caught:
            db.execute("CREATE TABLE t (a)")
    assert "its disk is full" in location.unavailable(tmp_path / "a.db", caught.value).message


def test_a_read_only_disk_is_named_in_the_error(tmp_path: Path) -> None:
    error = location.unavailable(tmp_path / "segue.db", OSError(errno.EROFS, "Read-only file system"))
    assert "is mounted read-only" in error.message


def test_a_lock_held_by_another_program_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    open_journal(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path, timeout=0)) as one, closing(sqlite3.connect(path, timeout=0)) as two:
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            two.execute("BEGIN IMMEDIATE")
    assert "another program keeps it locked" in location.unavailable(path, caught.value).message


def damaged(path):
    open_journal(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"\xff" * 100 + path.read_bytes()[100:])


def test_a_journal_whose_first_bytes_are_damaged_is_to_be_restored(tmp_path: Path) -> None:
    damaged(tmp_path / "segue.db")
    (tmp_path / "segue.db-wal").touch()
    message, hint = refused(tmp_path / "segue.db")
    assert "its first bytes are damaged" in message
    assert "restore it from a backup" in hint
    (tmp_path / "segue.db-wal").unlink()
    assert "restore it from a backup" in refused(tmp_path / "segue.db")[1]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda url: url.replace("@", "wrong@"), "Check the user and the password"),
        (lambda url: url.rpartition("/")[0] + "/no_such_database", "CREATE DATABASE"),
        (lambda url: url.replace("@127.0.0.1", "@no.such.host.invalid"), "Check the host's name"),
        (lambda url: f"{url}?sslmode=require", "sslmode=disable"),
        (lambda url: url.rpartition("@")[0] + "@127.0.0.1:1/x", "No server listens there"),
    ],
)
def test_a_wrong_postgresql_address_gets_the_fitting_hint(postgres_server, change, hint) -> None:
    url = change(postgres_server.url())
    with pytest.raises(JournalUnavailable) as caught:
        open_journal(url)
    assert hint in caught.value.hint
    assert "Is it up" not in caught.value.hint
    assert postgres_server._password not in caught.value.message + caught.value.hint
