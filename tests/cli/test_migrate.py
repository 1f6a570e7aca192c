"""The tables of PostgreSQL, created and upgraded by the command line, which never shows the password."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from support.commands import CommandRunner
from support.processes import environment
from webhooks.cli import starting
from webhooks.journal.postgres.schema import LATEST
from webhooks.journal.sqlite import migrate
from webhooks.runtime import Runtime
from webhooks.settings import Settings
from webhooks.sources import plugins


def parsed(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def password(url):
    return url.rpartition("@")[0].rpartition(":")[2]


@pytest.fixture
def shared(run: CommandRunner, postgres_url: str):
    """Run a command on PostgreSQL."""
    return lambda *arguments, **more: run(*arguments, SEGUE_DATABASE="", DATABASE_URL=postgres_url, **more)


def test_migrate_creates_the_tables_once(shared, postgres_url: str) -> None:
    first = parsed(shared("migrate", "--json"))
    assert (first["before"], first["version"]) == (0, LATEST)
    again = parsed(shared("migrate", "--json"))
    assert (again["before"], again["version"]) == (LATEST, LATEST)
    assert f"version {LATEST}, unchanged" in shared("migrate").output
    assert shared("check").exit_code == 0


def test_concurrent_migrations_create_the_tables_once(tmp_path: Path, postgres_url: str) -> None:
    environ = environment(tmp_path, SEGUE_DATABASE=postgres_url)
    command = [sys.executable, "-m", "webhooks.cli", "migrate", "--json"]
    processes = [
        subprocess.Popen(
            command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, answers
    assert sorted(json.loads(answer)["before"] for answer in answers) == [0, LATEST, LATEST, LATEST]


def test_newer_tables_are_kept_and_used(shared, postgres_url: str) -> None:
    shared("migrate")
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("INSERT INTO segue_schema (version) VALUES (%s)", (LATEST + 1,))
    again = parsed(shared("migrate", "--json"))
    assert (again["before"], again["version"]) == (LATEST + 1, LATEST + 1)
    assert shared("status").exit_code == 0


def test_every_command_reports_older_tables_with_a_hint(shared, postgres_url: str) -> None:
    shared("migrate")
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("UPDATE segue_schema SET version = -version")
    for command in (["status"], ["check"], ["events"]):
        result = shared(*command)
        assert result.exit_code == 1
        assert "segue migrate" in result.output


def test_migrate_upgrades_a_sqlite_file(run: CommandRunner, tmp_path: Path) -> None:
    assert parsed(run("migrate", "--json")) == {"database": f"sqlite:///{tmp_path}/segue.db"}
    assert "is up to date" in run("migrate").output
    assert (tmp_path / "segue.db").exists()


def make_file_of_schema_2(path):
    with sqlite3.connect(path) as db:
        db.executescript(f"{migrate.MIGRATIONS['1']} {migrate.MIGRATIONS['2']} PRAGMA user_version = 2;")
        db.execute(
            "INSERT INTO events VALUES (1, 'acme', 'k', 't', 1, 1, 'event', 'verified', '{}', '{}', '', 'pending', 0, 0,"
            " NULL, NULL, NULL, '', x'7b7d')"
        )
    db.close()


def test_migrate_shows_the_progress_of_a_sqlite_file_of_an_earlier_version(run: CommandRunner, tmp_path: Path) -> None:
    make_file_of_schema_2(tmp_path / "segue.db")
    output = run("migrate").output
    assert "migrating the journal  events=0  of=1\n" in output
    assert "migrated the journal  events=1\n" in output
    assert "migrated the journal" not in run("migrate").output
    assert "migrating" not in run("events").output


def test_serve_and_web_show_the_progress_before_they_start_a_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_file_of_schema_2(tmp_path / "segue.db")
    runtime = Runtime(Settings(database=f"sqlite:///{tmp_path}/segue.db"), plugins.Registry((), {}))
    assert starting.journal_error(runtime) is None
    assert "migrated the journal  events=1\n" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["migrate"], ["check"], ["status"], ["events"], ["doctor"], ["prune"]])
def test_unavailable_server_is_reported_without_the_password(run: CommandRunner, postgres_url: str, command) -> None:
    away = f"postgresql://segue:{password(postgres_url)}@127.0.0.1:1/name"
    result = run(*command, SEGUE_DATABASE=away)
    assert result.exit_code == 1
    assert "PostgreSQL cannot be used" in result.output
    assert password(postgres_url) not in result.output


@pytest.mark.parametrize("command", [["migrate"], ["check"], ["status"], ["events"], ["doctor"], ["dead"]])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_command_shows_the_password(shared, postgres_url: str, command, form) -> None:
    shared("migrate")
    assert password(postgres_url) not in shared(*command, *form).output
