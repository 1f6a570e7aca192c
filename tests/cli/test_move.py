"""A SQLite journal moved into PostgreSQL: nothing lost, nothing duplicated, and the old one is no longer used."""

import json
import random
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.commands import CommandRunner, Shop
from support.processes import environment
from translators.kit import Event
from webhooks.errors import JournalUnavailable
from webhooks.journal import State, open_journal
from webhooks.journal.postgres import PostgresJournal
from webhooks.operations import move

ONE, TWO = bytes(range(32)).hex(), bytes(range(32, 64)).hex()


@pytest.fixture
def there(postgres_url: str) -> Iterator[PostgresJournal]:
    """The journal that is moved to."""
    journal = PostgresJournal(postgres_url)
    journal.open()
    yield journal
    journal.close()


@pytest.fixture
def moved(run: CommandRunner, postgres_url: str):
    """Run `segue move` of the shop's file into PostgreSQL."""

    def moved(*arguments, source="segue.db", **more):
        return run("move", source, *arguments, SEGUE_DATABASE="", DATABASE_URL=postgres_url, **more)

    return moved


def bare(journal):
    return [replace(row, seq=0, cursor="") for row in journal.rows(limit=10_000)]


def parsed(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def password(url):
    return url.rpartition("@")[0].rpartition(":")[2]


def test_move_copies_every_event_unchanged(run: CommandRunner, filled: Shop, moved, there, postgres_url: str) -> None:
    filled.journal.append(
        [Event(source="acme", id="bytes é", type="t", occurred_at=datetime(2020, 1, 1, 0, 0, 0, 123456, UTC),
               received_at=datetime(2020, 1, 2, tzinfo=UTC), raw=b"\xff\x00 not text", clock="record",
               trust="authenticated", headers={"x": "1"}, envelope={"o": "é"}, problem="torn")],
        now=datetime(2020, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    run("replay", "torn", "--as-new", "--reason", "r")
    run("drop", "odd", "--reason", "not wanted")
    filled.work()
    filled.journal.tally({"received": 7.0})
    before = bare(filled.journal)
    assert {row.state for row in before} == {State.DELIVERED, State.IGNORED, State.DEAD, State.DROPPED}
    result = moved()
    assert result.exit_code == 0, result.output
    assert "7 events: 7 copied, 0 were already present; all compared and equal" in result.output
    assert password(postgres_url) not in result.output
    assert bare(there) == before
    assert there.census().by_state == filled.journal.census().by_state
    assert there.tallies() == {"received": 7.0}
    (line,) = there.audits()
    assert (line.action, line.detail) == ("move", {"events": 7, "new": 7, "there": 0, "differ": 0})


def test_moved_pending_events_are_delivered_from_the_new_journal(filled: Shop, moved, there) -> None:
    assert moved().exit_code == 0
    filled.journal.close()
    filled.journal = there
    filled.work()
    assert filled.row("new").state is State.DELIVERED


def test_second_move_copies_only_new_events(filled: Shop, moved, there) -> None:
    filled.journal.tally({"received": 6.0})
    assert parsed(moved("--json"))["new"] == 6
    filled.receive(id="late")
    again = parsed(moved("--json", "--who", "ann"))
    assert (again["events"], again["new"], again["there"], again["differ"]) == (7, 1, 6, 0)
    assert there.count() == 7
    assert there.tallies() == {"received": 6.0}
    assert there.audits()[0].actor == "ann"


def test_interrupted_move_can_be_repeated(filled: Shop, moved, there, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "PAGE", 2)
    load, calls = PostgresJournal.load, []

    def breaks(self, rows):
        calls.append(1)
        if len(calls) == 2:
            raise JournalUnavailable("PostgreSQL cannot be used: it went away", hint="Is it up?")
        return load(self, rows)

    monkeypatch.setattr(PostgresJournal, "load", breaks)
    broken = moved()
    assert broken.exit_code == 1
    assert "it went away" in broken.output
    assert there.count() == 2
    open_journal(f"sqlite:///{Path.cwd()}/segue.db").close()  # not taken to be moved
    again = parsed(moved("--json"))
    assert (again["new"], again["there"], again["differ"]) == (4, 2, 0)
    assert bare(there) == bare(filled.journal)


def test_move_lists_events_that_differ_between_the_journals(run: CommandRunner, filled: Shop, moved, there) -> None:
    changed: dict[str, dict[str, Any]] = {
        "good": {"raw": b"{}"},
        "new": {"received_at": datetime(2020, 1, 1, tzinfo=UTC), "headers": {"x": "1"}},
    }
    rows = {row.event.id: row for row in filled.journal.rows()}
    for key, change in changed.items():
        there.append([replace(rows[key].event, **change)], now=datetime.now(UTC))
    for _ in range(2):
        result = moved("--json")
        assert result.exit_code == 1
        report = json.loads(result.stdout)
        assert (report["events"], report["differ"], report["refused_events"]) == (6, 2, [])
        assert "missing" not in report
        assert {(event["key"], event["why"]) for event in report["differing_events"]} == {
            ("good", "other body"), ("new", "other headers, received_at")
        }  # fmt: skip
    result = moved()
    assert "2 events differ between the journals" in result.output
    assert "other headers, received_at" in result.output
    assert there.find("acme", "good").event.raw == b"{}"
    assert "this journal was moved" in run("status").output  # it is over: nothing more would come of repeating it


def old_rows(journal, *keys):
    """Rows as an earlier release stored them in a file, which bounded no key and took a NUL."""
    (row, *_) = journal.rows(limit=1)
    rows = [replace(row, event=replace(row.event, id=key)) for key in keys]
    journal.load(rows)
    return rows


LONG = "".join(random.Random(3).choices(string.ascii_letters, k=9000))


@pytest.mark.parametrize("page", [500, 3])
def test_move_lists_events_that_postgresql_cannot_store(
    filled: Shop, moved, there, monkeypatch: pytest.MonkeyPatch, page
) -> None:
    monkeypatch.setattr(move, "PAGE", page)
    filled.receive(id="between")
    old_rows(filled.journal, "with\0nul", LONG, "x" * 3000, "short")
    for new, there_already in ((9, 0), (0, 9)):  # idempotent
        result = moved("--json")
        assert result.exit_code == 1
        report = json.loads(result.stdout)
        assert (report["new"], report["there"], report["refused"], report["differ"]) == (new, there_already, 2, 0)
        assert "missing" not in report
        assert [event["key"] for event in report["refused_events"]] == ["with\0nul", LONG]
        assert "NUL" in report["refused_events"][0]["why"] or "text of PostgreSQL" in report["refused_events"][0]["why"]
        assert "index row" in report["refused_events"][1]["why"]
    assert there.count() == 9
    result = moved()
    assert result.exit_code == 1
    assert "2 events cannot be stored in the new journal, and stay in FROM" in result.output
    assert "\0" not in result.output


def test_a_journal_of_another_namespace_is_not_moved(filled: Shop, moved, there) -> None:
    filled.journal.note("namespace", {"namespace": "shop-eu"}, now=datetime.now(UTC))
    result = moved(SEGUE_NAMESPACE="shop-us")
    assert result.exit_code == 1
    assert "SEGUE_NAMESPACE=shop-eu" in result.output
    assert there.count() == 0
    assert moved(SEGUE_NAMESPACE="shop-eu").exit_code == 0


def test_a_dry_run_creates_no_tables(filled: Shop, moved, postgres_url: str) -> None:
    assert moved("--dry-run").exit_code == 0
    with psycopg.connect(postgres_url) as db:
        assert db.execute("SELECT to_regclass('segue_events')").fetchone() == (None,)


def test_move_with_a_running_worker_needs_while_running(filled: Shop, moved, there) -> None:
    filled.journal.note("worker:host-1", {}, now=datetime.now(UTC))
    result = moved()
    assert result.exit_code == 1
    assert "A worker still runs on FROM: host-1" in result.output
    assert there.count() == 0
    assert parsed(moved("--json", "--dry-run"))["events"] == 6
    assert parsed(moved("--json", "--while-running"))["new"] == 6


def test_a_dry_run_copies_nothing(filled: Shop, moved, there, postgres_url: str) -> None:
    result = moved("--dry-run")
    assert result.exit_code == 0, result.output
    assert "6 events would be copied to postgresql://127.0.0.1" in result.output
    assert password(postgres_url) not in result.output
    assert there.count() == 0
    assert not there.audits()
    open_journal(f"sqlite:///{Path.cwd()}/segue.db").close()


def test_the_moved_file_is_not_used_again(run: CommandRunner, filled: Shop, moved, postgres_url: str) -> None:
    assert moved().exit_code == 0
    for command in (["status"], ["check"], ["events"], ["prune"]):
        result = run(*command)
        assert result.exit_code == 1, command
        assert "this journal was moved to postgresql://127.0.0.1" in result.output
        assert password(postgres_url) not in result.output
    assert run("status", SEGUE_DATABASE=postgres_url).exit_code == 0


@pytest.mark.parametrize("source", ["nothing.db", "sqlite:///nothing.db", "{folder}/nothing.db"])
def test_missing_file_is_reported_and_not_created(moved, tmp_path: Path, source) -> None:
    environment(tmp_path)
    result = moved(source=source.format(folder=tmp_path))
    assert result.exit_code == 1
    assert "There is no file" in result.output
    assert not (tmp_path / "nothing.db").exists()


def test_the_configured_journal_is_not_moved_into_itself(moved, there, postgres_url: str) -> None:
    result = moved(source=f"{postgres_url}?connect_timeout=9")
    assert result.exit_code == 1
    open_journal(postgres_url).close()
    assert "FROM is the configured journal itself" in result.output
    assert password(postgres_url) not in result.output


def test_move_keeps_encryption_with_the_current_key(run: CommandRunner, shop: Shop, moved, postgres_url: str) -> None:
    shop.journal.close()
    shop.journal = open_journal(run.database, [ONE])
    shop.receive(id="a")
    before = bare(shop.journal)
    without = moved()
    assert without.exit_code == 1
    assert "SEGUE_ENCRYPTION_KEY is not set" in without.output
    result = moved(SEGUE_ENCRYPTION_KEY=f"{TWO},{ONE}")
    assert result.exit_code == 0, result.output
    there = open_journal(postgres_url, [TWO])
    assert bare(there) == before
    there.close()
