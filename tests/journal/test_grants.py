"""Least privilege on a real PostgreSQL: each role can do its own work and nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from click.testing import CliRunner

from support.events import MINUTE, NOW, event
from support.postgres_server import Server, fresh_database
from support.processes import environment, output, segue, standin, until
from support.raw_requests import request, status, web
from translators.kit import FormerId
from webhooks.cli.main import main
from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import AppendResult, AuditContext, Settlement, State
from webhooks.journal.postgres import ROLES, PostgresJournal, grant, migrate, schema, script

BY = AuditContext(actor="ops", reason="a test")
DAY = timedelta(days=1)


def at(url: str, user: str, password: str = "secret") -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Start a separate server, because roles belong to a whole server."""
    with Server() as server:
        with psycopg.connect(server.url(), autocommit=True) as db:
            db.execute("CREATE ROLE owner LOGIN PASSWORD 'secret' CREATEROLE")
            db.execute("CREATE ROLE plain LOGIN PASSWORD 'secret'")
        yield server


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """Return an empty database owned by `owner`, with the roles and a user of each."""
    with fresh_database(server.url()) as url:
        with psycopg.connect(server.url(), autocommit=True) as db:
            db.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} OWNER TO owner")
        migrate(at(url, "owner"))
        grant(at(url, "owner"))
        with psycopg.connect(url, autocommit=True) as db:
            for user, role in (("web1", "segue_web"), ("worker1", "segue_worker"), ("reader1", "segue_reader")):
                if not db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,)).fetchone():
                    db.execute(f"CREATE USER {user} PASSWORD 'secret' IN ROLE {role}")
        yield url


Opened = Callable[[str], PostgresJournal]


@pytest.fixture
def opened(url: str) -> Iterator[Opened]:
    journals: list[PostgresJournal] = []

    def opened(user: str) -> PostgresJournal:
        journal = PostgresJournal(at(url, user), span=timedelta(0))
        journal.open()
        journals.append(journal)
        return journal

    yield opened
    for journal in journals:
        journal.close()


def refused(url: str, user: str, *statements: str) -> None:
    with psycopg.connect(at(url, user), autocommit=True) as db:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(statement)


def test_the_web_role_stores_events_recognises_retries_and_counts(opened: Opened) -> None:
    web = opened("web1")
    assert web.append([event("1"), event("2", problem="odd")], now=NOW).new == 2
    assert web.append([event("1")], now=NOW).duplicate == 1
    assert web.remember("acme", "token", "v", now=NOW, until=NOW + MINUTE) == "v"
    web.note("n", {"a": 1}, now=NOW)
    web.tally({"t": 1.0}, marks={"m": 2.0})
    assert web.tallies() == {"t": 1.0, "m": 2.0}
    assert web.census().by_state == {State.PENDING: 1, State.DEAD: 1}
    assert "n" in web.notes()
    web.check()


def test_the_web_role_recognises_former_keys_and_equal_bodies_without_reading_any(opened: Opened, url: str) -> None:
    web = opened("web1")
    web.append([event("old")], now=NOW)
    former = (FormerId("old", same_bytes=True),)
    assert web.append([event("new", former_ids=former)], now=NOW) == AppendResult(0, 1)
    assert web.append([event("other", raw=b"other", former_ids=former)], now=NOW) == AppendResult(1, 0)
    with psycopg.connect(at(url, "web1")) as db:
        call = "SELECT * FROM segue_former(ARRAY['acme'], ARRAY['old'], ARRAY[%s::bytea])"
        assert [row[-1] for row in db.execute(call, (b"",)).fetchall()] == [None]
    refused(url, "reader1", "SELECT * FROM segue_former(ARRAY['acme'], ARRAY['old'], ARRAY[NULL::bytea])")


def test_the_web_role_reads_no_body_and_changes_no_event(opened: Opened, url: str) -> None:
    web = opened("web1")
    web.append([event("1")], now=NOW)
    for work in (
        web.rows,
        lambda: web.find("acme", "1"),
        lambda: web.claim(1, worker="w", now=NOW, lease=MINUTE),
        lambda: web.prune({State.DEAD: MINUTE}, now=NOW + DAY),
        lambda: web.drop([1], by=BY, now=NOW),
        web.audits,
    ):
        with pytest.raises(JournalUnavailable, match="this PostgreSQL role lacks a right") as error:
            work()
        assert "segue migrate --grants" in error.value.hint
    refused(
        url, "web1", "SELECT body FROM segue_events", "SELECT headers FROM segue_events", "SELECT body FROM segue_events_1",
        "UPDATE segue_events SET type = 'x'", "DELETE FROM segue_events", "DELETE FROM segue_queue",
        "UPDATE segue_queue SET due_at = 0", "SELECT * FROM segue_outcomes", "INSERT INTO segue_audit DEFAULT VALUES",
        "TRUNCATE segue_events", "DROP TABLE segue_notes", "CREATE TABLE mine (a integer)",
        "SELECT segue_drop_segment(1)", "SELECT segue_make_segment(9)", "SELECT segue_lock_segments()",
        "COPY segue_events TO PROGRAM 'cat'", "SELECT pg_read_file('/etc/passwd')",
    )  # fmt: skip


def test_the_worker_role_delivers_prunes_replays_and_drops(opened: Opened) -> None:
    web, worker = opened("web1"), opened("worker1")
    web.append([event(str(number)) for number in range(4)], now=NOW)
    claims = worker.claim(10, worker="w", now=NOW, lease=MINUTE)
    assert [claim.event.raw for claim in claims] == [event("0").raw] * 4
    assert len(worker.renew(claims, now=NOW, lease=MINUTE)) == 4
    states = [State.DELIVERED, State.DEAD, State.DELIVERED, State.PENDING]
    worker.settle([Settlement(claim=c, state=s, due_at=NOW) for c, s in zip(claims, states, strict=True)], now=NOW)
    dead = claims[1].seq
    assert worker.replay([dead], by=BY, now=NOW).changed == 1
    assert worker.drop([dead], by=BY, now=NOW).changed == 1
    assert [line.action for line in worker.audits()] == ["drop", "replay"]
    worker.note("worker:w", {}, now=NOW)
    worker.tally({"t": 1.0})
    rows = worker.rows()
    assert worker.prune({State.DELIVERED: MINUTE}, now=NOW + DAY) == 2
    assert web.append([event("0"), event("9")], now=NOW).new == 2
    assert worker.load(rows).new == 1
    assert worker.prune(dict.fromkeys(State, MINUTE), now=NOW + 2 * DAY) > 0
    worker.check()


def test_the_worker_role_changes_no_event_no_audit_line_and_no_table(opened: Opened, url: str) -> None:
    worker = opened("worker1")
    opened("web1").append([event("1")], now=NOW)
    worker.audit("look", {}, by=BY, now=NOW)
    with pytest.raises(JournalUnavailable, match="this PostgreSQL role lacks a right"):
        worker.reencrypt()
        opened("worker1").database.transact(lambda db: db.execute("UPDATE segue_events SET body = ''"))
    refused(
        url, "worker1", "UPDATE segue_events SET body = ''", "UPDATE segue_audit SET who = 'x'", "DELETE FROM segue_audit",
        "TRUNCATE segue_audit", "DROP TABLE segue_events_1", "ALTER TABLE segue_events ADD COLUMN x integer",
        "DROP FUNCTION segue_append_only CASCADE", "CREATE TABLE mine (a integer)", "CREATE ROLE other",
        "SET ROLE owner", "ALTER TABLE segue_audit DISABLE TRIGGER ALL", "INSERT INTO segue_schema VALUES (99)",
    )  # fmt: skip


def test_a_partition_that_is_open_or_has_pending_events_cannot_be_dropped(opened: Opened, url: str) -> None:
    opened("web1").append([event("1")], now=NOW)
    with psycopg.connect(at(url, "worker1"), autocommit=True) as db:
        for partition in (0, 1, 99):
            with pytest.raises(psycopg.errors.RaiseException, match="is open, does not exist"):
                db.execute("SELECT segue_drop_segment(%s)", (partition,))
    opened("worker1").prune({State.DEAD: MINUTE}, now=NOW + DAY)
    with psycopg.connect(at(url, "worker1"), autocommit=True) as db, pytest.raises(psycopg.errors.RaiseException):
        db.execute("SELECT segue_drop_segment(1)")
    assert opened("worker1").count() == 1


def test_the_reader_role_reads_and_changes_nothing(opened: Opened, url: str) -> None:
    opened("web1").append([event("1")], now=NOW)
    reader = opened("reader1")
    assert [row.event.raw for row in reader.rows()] == [event("1").raw]
    assert reader.census().by_state == {State.PENDING: 1}
    assert (reader.notes(), reader.tallies(), reader.audits()) == ({}, {}, [])
    for work in (
        lambda: reader.append([event("2")], now=NOW),
        lambda: reader.note("n", {}, now=NOW),
        lambda: reader.drop([1], by=BY, now=NOW),
    ):
        with pytest.raises(JournalUnavailable, match="this PostgreSQL role lacks a right"):
            work()
    refused(url, "reader1", "SELECT * FROM segue_tokens", "DELETE FROM segue_queue", "SELECT segue_make_segment(9)")


def test_another_user_of_the_server_can_read_nothing(url: str) -> None:
    refused(
        url, "plain", *(f"SELECT * FROM segue_{name}" for name in ("events", "queue", "notes", "standing", "audit"))
    )


def test_the_next_migration_grants_the_rights_again(opened: Opened, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number = str(schema.LATEST + 1)
    added = "CREATE TABLE segue_new (a integer); REVOKE ALL ON segue_notes FROM segue_web"
    monkeypatch.setitem(schema.MIGRATIONS, number, added)
    monkeypatch.setattr(schema, "LATEST", int(number))
    assert migrate(at(url, "owner")) == (int(number) - 1, int(number))
    opened("web1").note("n", {}, now=NOW)


def test_granting_the_rights_again_creates_no_role(url: str) -> None:
    assert grant(at(url, "owner")) == []


def test_a_user_who_may_not_create_roles_gets_a_hint(server: Server) -> None:
    with fresh_database(server.url()) as url, psycopg.connect(server.url(), autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS owner2")
        db.execute("CREATE ROLE owner2 LOGIN PASSWORD 'secret'")
        db.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} OWNER TO owner2")
        migrate(at(url, "owner2"))
        for role in ROLES:
            db.execute(f"DROP ROLE IF EXISTS {role}_gone")
        renamed = [
            role for role in ROLES if db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
        ]
        for role in renamed:
            db.execute(f"ALTER ROLE {role} RENAME TO {role}_gone")
        try:
            with pytest.raises(JournalError, match="may not create or change the roles") as error:
                grant(at(url, "owner2"))
            assert "--dry-run" in error.value.hint
        finally:
            for role in renamed:
                db.execute(f"ALTER ROLE {role}_gone RENAME TO {role}")


def test_grant_reports_an_unavailable_server(server: Server) -> None:
    with pytest.raises(JournalUnavailable, match="PostgreSQL cannot be used"):
        grant(at(server.url("no_such_database"), "owner"))


def test_the_command_grants_the_rights_or_prints_them(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = environment(tmp_path) | {"SEGUE_DATABASE": "", "DATABASE_URL": at(url, "owner")}
    result = CliRunner(env=environ).invoke(main, ["migrate", "--grants"])
    assert result.exit_code == 0, result.output
    assert "rights of segue_web, segue_worker, segue_reader" in result.output
    assert "secret" not in result.output
    printed = CliRunner(env=environ).invoke(main, ["migrate", "--grants", "--dry-run"]).output
    assert printed.strip() == script()
    assert CliRunner(env=environ).invoke(main, ["migrate", "--dry-run"]).exit_code == 2
    sqlite = environ | {"SEGUE_DATABASE": f"sqlite:///{tmp_path}/j.db", "DATABASE_URL": ""}
    assert CliRunner(env=sqlite).invoke(main, ["migrate", "--grants"]).exit_code == 1


def test_the_printed_script_is_what_an_administrator_runs(server: Server) -> None:
    with fresh_database(server.url()) as url, psycopg.connect(url, autocommit=True) as db:
        migrate(url)
        rights = script().partition("-- Stores")[2].partition("\n")[2]
        db.execute(rights)
        privilege = db.execute("SELECT has_table_privilege('segue_worker', 'segue_queue', 'DELETE')").fetchone()
        assert privilege == (True,)


def test_the_service_runs_with_a_user_for_each_of_its_processes(url: str, tmp_path: Path) -> None:
    """Readiness, metrics, notes and retention need no other rights."""
    (tmp_path / "work").mkdir()
    with standin() as fake_url:
        settings = {
            "SEGUE_DATABASE": "", "SEGMENT_URL": fake_url, "SEGMENT_WRITE_KEY": "wk_test", "SEGUE_LOG_LEVEL": "debug",
            "SEGUE_METRICS_TOKEN": "0123456789abcdef",
        }  # fmt: skip
        with web(tmp_path, DATABASE_URL=at(url, "web1"), **settings) as wire:
            assert status(wire.send(request())) == 200
            scraped = b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n"
            with segue(tmp_path / "work", "work", DATABASE_URL=at(url, "worker1"), **settings):
                reader = PostgresJournal(at(url, "reader1"))
                reader.open()
                until(lambda: reader.census().by_state == {State.DELIVERED: 1}, lambda: output(tmp_path / "work"))
                reader.close()
            answer = wire.send(scraped)
            assert status(answer) == 200, answer
    for folder in (tmp_path, tmp_path / "work"):
        assert "this PostgreSQL role lacks a right" not in output(folder)
        assert "permission denied" not in output(folder)
        assert "secret" not in output(folder)
