"""The PostgreSQL that tests bring along is a real one, which can be killed and comes back with what it had committed."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from support.postgres_server import Server, fresh_database
from support.temporary import temporary_root


@pytest.fixture
def table(postgres_server: Server) -> Server:
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute("CREATE TABLE kept (n int)")
        db.execute("INSERT INTO kept VALUES (1)")
    return postgres_server


def rows(server: Server) -> list[tuple[int]]:
    with psycopg.connect(server.url()) as db:
        return db.execute("SELECT n FROM kept").fetchall()


@pytest.mark.parametrize("end", ["kill", "immediate", "fast"])
def test_it_comes_back_with_what_was_committed(table: Server, end: str) -> None:
    if end == "kill":
        table.kill()
    else:
        table.stop(mode=end)
    with pytest.raises(psycopg.OperationalError):
        rows(table)
    table.start()
    assert rows(table) == [(1,)]


def test_while_it_is_paused_it_does_not_answer(table: Server) -> None:
    table.pause()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(table.url(), connect_timeout=2)
    table.resume()
    assert rows(table) == [(1,)]


def test_a_fresh_database_is_empty_and_gone_at_the_end(postgres_admin: str) -> None:
    with fresh_database(postgres_admin) as url:
        with psycopg.connect(url) as db:
            db.execute("CREATE TABLE here (n int)")
        with fresh_database(postgres_admin) as other, psycopg.connect(other) as db:
            assert db.execute("SELECT to_regclass('here')").fetchone() == (None,)
    with pytest.raises(psycopg.Error):
        psycopg.connect(url).execute("SELECT 1 FROM here")


def test_who_may_not_create_databases_gets_a_schema(postgres_server: Server) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute("CREATE ROLE modest LOGIN PASSWORD 'p'")
        db.execute("GRANT CREATE ON DATABASE postgres TO modest")
    modest = f"postgres://modest:p@127.0.0.1:{postgres_server.port}/postgres?application_name=x"
    with fresh_database(modest) as url:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("CREATE TABLE here (n int)")
            row = db.execute("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'here'").fetchone()
            assert row is not None
            (schema,) = row
        assert schema.startswith("segue_test_")
    with psycopg.connect(modest) as db:
        assert db.execute("SELECT to_regclass(%s)", (f"{schema}.here",)).fetchone() == (None,)


def test_it_ends_with_a_test_run_that_was_killed() -> None:
    script = (
        "import os, signal, sys; from support.postgres_server import Server\n"
        "server = Server(); server.start(); print(server.pid, server.folder, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with tempfile.TemporaryDirectory(dir=temporary_root()) as root:
        Path(root).chmod(0o755)  # PostgreSQL's user reads what is in it
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTEST_DEBUG_TEMPROOT": root}
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, check=False)
        deadline = time.monotonic() + 30
        pid, folder = done.stdout.split()
        while psutil.pid_exists(int(pid)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert Path(folder).is_relative_to(root)
