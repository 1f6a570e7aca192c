"""`segue export` and `segue import`: complete, all or none, and repeatable."""

import gzip
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.commands import CommandRunner, Shop
from support.processes import SECRET
from translators.kit import Event
from webhooks.journal import SqliteJournal, open_journal
from webhooks.journal.postgres import PostgresJournal
from webhooks.operations import jsonl

OTHER = "SEGUE_DATABASE"
ONE, TWO = bytes(range(32)).hex(), bytes(range(32, 64)).hex()


@pytest.fixture
def other(tmp_path: Path):
    """The environment of another, empty journal, and how to open it."""
    url = f"sqlite:///{tmp_path}/other.db"
    opened = []

    def journal():
        opened.append(open_journal(url))
        return opened[-1]

    journal()
    yield {OTHER: url}, journal
    for other in opened:
        other.close()


def lines(path):
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).splitlines(keepends=True)


def bare(journal):
    return [replace(row, seq=0, cursor="") for row in journal.rows(limit=10_000)]


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_export_and_import_keep_events_unchanged(run: CommandRunner, filled: Shop, other, tmp_path: Path, name) -> None:
    environ, journal = other
    filled.journal.append(
        [Event(source="acme", id="bytes é", type="t", occurred_at=datetime(2020, 1, 1, 0, 0, 0, 123456, UTC),
               received_at=datetime(2020, 1, 2, tzinfo=UTC), raw=b"\xff\x00 not text", clock="record",
               trust="authenticated", headers={"x": "1"}, envelope={"o": "é"}, problem="torn")],
        now=datetime(2020, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    run("replay", "torn", "--as-new", "--reason", "r")
    filled.work()
    result = run("export", name)
    assert result.exit_code == 0, result.output
    assert f"7 events written to {name}." in result.stderr
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert SECRET.encode() not in b"".join(lines(tmp_path / name))
    result = run("import", name, **environ)
    assert result.exit_code == 0, result.output
    assert "7 stored, 0 were already present." in result.stdout
    assert bare(journal()) == bare(filled.journal)
    again = json.loads(run("import", name, "--json", **environ).stdout)
    assert again == {"stored": True, "events": 7, "new": 0, "present": 7, "faults": [], "broken": []}
    assert bare(journal()) == bare(filled.journal)
    assert [(line.action, line.detail["events"]) for line in journal().audits()] == [("import", 7)] * 2
    (exported, *_) = filled.journal.audits()
    assert (exported.action, exported.detail) == ("export", {"file": name, "events": 7, "chosen": {}})


def test_selected_events_are_exported_and_audited(run: CommandRunner, filled: Shop, tmp_path: Path) -> None:
    report = json.loads(
        run("export", "dead.jsonl", "--state", "dead", "--since", "2h", "--json", "--who", "ann").stdout
    )
    assert report == {"exported": 1, "file": "dead.jsonl"}
    assert [json.loads(line).get("key") for line in lines(tmp_path / "dead.jsonl")] == [None, "anonymous", None]
    (line,) = filled.journal.audits()
    assert line.actor == "ann"
    assert line.detail["chosen"] == {"states": ["dead"], "since": "2h"}


def test_part_of_an_export_can_be_imported(run: CommandRunner, filled: Shop, other) -> None:
    environ, journal = other
    whole = run("export", "-", "--json")
    assert whole.stderr == '{"exported": 6}\n'
    part = b"".join(line for line in whole.stdout_bytes.splitlines(keepends=True) if b'"state":"dead"' in line)
    refused = run("import", "-", input=part, **environ)
    assert refused.exit_code == 1
    assert "it does not begin as an export does" in refused.output
    assert "--partial" in refused.output
    result = run("import", "-", "--partial", input=part, **environ)
    assert result.exit_code == 0, result.output
    assert {row.event.id for row in journal().rows()} == {"torn", "anonymous"}


def test_export_overwrites_a_file_only_with_force(run: CommandRunner, filled: Shop, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("mine")
    result = run("export", "a.jsonl")
    assert result.exit_code == 1
    assert "a.jsonl exists" in result.output
    assert (tmp_path / "a.jsonl").read_text() == "mine"
    assert run("export", "a.jsonl", "--force").exit_code == 0
    assert len(lines(tmp_path / "a.jsonl")) == 8
    result = run("export", "no/such/folder.jsonl")
    assert result.exit_code == 1
    assert "cannot be written" in result.output


def test_failed_export_leaves_no_file(
    run: CommandRunner, filled: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "line", lambda row: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    result = run("export", "a.jsonl")
    assert result.exit_code == 1
    assert "cannot be written: No space left on device" in result.output
    assert [path.name for path in tmp_path.iterdir() if "jsonl" in path.name] == []


def test_export_continues_if_the_audit_log_cannot_be_written(
    run: CommandRunner, filled: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webhooks.errors import JournalUnavailable

    def full(*_, **__):
        raise JournalUnavailable("the disk is full")

    for store in (SqliteJournal, PostgresJournal):
        monkeypatch.setattr(store, "audit", full)
    result = run("export", "a.jsonl")
    assert result.exit_code == 0
    assert "not recorded in the audit log: the disk is full" in result.output
    assert len(lines(tmp_path / "a.jsonl")) == 8


def test_with_a_broken_line_nothing_is_stored_and_the_line_is_named(
    run: CommandRunner, filled: Shop, other, tmp_path: Path
) -> None:
    environ, journal = other
    run("export", "all.jsonl")
    every = lines(tmp_path / "all.jsonl")
    every[4] = b"{nonsense\n"
    (tmp_path / "all.jsonl").write_bytes(b"".join(every))
    result = run("import", "all.jsonl", **environ)
    assert result.exit_code == 1
    assert "all.jsonl line 5: " in result.output
    assert "malformed" in result.output
    assert "Nothing of all.jsonl was stored." in result.output
    assert journal().rows() == []
    assert journal().audits() == []
    result = run("import", "all.jsonl", "--skip-broken", "--json", **environ)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["stored"], report["new"], report["broken"][0]["line"]) == (True, 5, 5)
    assert len(journal().rows()) == 5


def test_many_broken_lines_are_counted(run: CommandRunner, tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").write_bytes(b"nonsense\n\n" * 30)
    result = run("import", "all.jsonl", "--partial")
    assert result.exit_code == 1
    assert "all.jsonl line 39: " in result.output
    assert "line 41" not in result.output
    assert "... and 10 more" in result.output


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda every: every[:-1], "it is truncated: its last line"),
        (lambda every: every[:3] + every[4:], "it was changed after it was written, with 6 events"),
    ],
)
def test_truncated_or_changed_file_is_detected(
    run: CommandRunner, filled: Shop, other, tmp_path: Path, cut, message
) -> None:
    environ, journal = other
    run("export", "all.jsonl")
    (tmp_path / "all.jsonl").write_bytes(b"".join(cut(lines(tmp_path / "all.jsonl"))))
    for more in ([], ["--dry-run"]):
        result = run("import", "all.jsonl", *more, **environ)
        assert result.exit_code == 1
        assert message in result.output
    assert journal().rows() == []


def test_truncated_gzip_file_is_detected_and_imported_in_part(
    run: CommandRunner, shop: Shop, other, tmp_path: Path
) -> None:
    environ, journal = other
    shop.start -= timedelta(days=90)
    for number in range(2000):
        shop.receive(id=f"e{number}", note=os.urandom(16).hex())
    run("export", "all.jsonl.gz")
    packed = (tmp_path / "all.jsonl.gz").read_bytes()
    (tmp_path / "all.jsonl.gz").write_bytes(packed[: len(packed) * 2 // 3])
    result = run("import", "all.jsonl.gz", **environ)
    assert result.exit_code == 1
    assert "it is truncated or damaged" in result.output
    assert journal().rows() == []
    result = run("import", "all.jsonl.gz", "--skip-broken", "--json", **environ)
    assert result.exit_code == 1
    assert 1000 < json.loads(result.stdout)["new"] < 2000
    whole = shop.journal.rows(limit=2000)
    assert [row.event for row in journal().rows(limit=2000)] == [row.event for row in whole][: journal().count()]


def test_import_dry_run_shows_the_contents(run: CommandRunner, filled: Shop, other) -> None:
    environ, journal = other
    run("export", "all.jsonl")
    result = run("import", "all.jsonl", "--dry-run", **environ)
    assert result.exit_code == 0
    assert "acme    dead         2" in result.stdout
    assert "6 events can be stored; nothing was stored." in result.stdout
    assert journal().rows() == []


def test_events_without_configured_endpoint_are_imported_and_reported(
    run: CommandRunner, filled: Shop, other, tmp_path: Path
) -> None:
    environ, journal = other
    run("export", "all.jsonl")
    (tmp_path / "segue.toml").write_text("")
    result = run("import", "all.jsonl", ACME_WEBHOOK_SECRET="", **environ)
    assert result.exit_code == 0, result.output
    assert "No endpoint is configured for acme" in result.stderr
    assert len(journal().rows()) == 6


def test_an_imported_pending_event_is_delivered_by_a_worker(run: CommandRunner, filled: Shop, other) -> None:
    environ, journal = other
    run("export", "all.jsonl", "--state", "pending")
    run("import", "all.jsonl", **environ)
    assert [claim.event.id for claim in journal().claim(9, worker="w", now=datetime.now(UTC), lease=timedelta(1))] == [
        "new"
    ]


def test_event_with_a_missing_key_is_not_exported_as_empty(run: CommandRunner, shop: Shop) -> None:
    run_with = {"SEGUE_ENCRYPTION_KEY": ONE}
    shop.receive(id="clear")
    encrypted = open_journal(run.database, [ONE])
    encrypted.append([replace(shop.row("clear").event, id="locked")], now=datetime.now(UTC))
    encrypted.close()
    assert run("export", "a.jsonl", **run_with).exit_code == 0
    without = {"SEGUE_ENCRYPTION_KEY": TWO}
    result = run("export", "b.jsonl", **without)
    assert result.exit_code == 1
    assert "Event 2 (acme/locked) is encrypted with key" in result.output
    assert "which is not configured" in run("show", "locked", **without).output
    assert run("show", "locked", "--raw", **without).exit_code == 1
    assert run("drop", "locked", "--reason", "r", **without).exit_code == 0
    assert "dropped -> wait: encrypted with key" in run("replay", "locked", "--dry-run", **without).output
    assert json.loads(
        run("tail", "--json", "--body", "--from", shop.row("clear").cursor, "--no-follow", **without).stdout
    )["locked"]


def test_import_names_events_that_the_journal_cannot_store(
    filled: Shop, run: CommandRunner, tmp_path: Path, postgres_url: str
) -> None:
    (row, *_) = filled.journal.rows(limit=1)
    file = tmp_path / "old.jsonl"
    rows = [*filled.journal.rows(), replace(row, event=replace(row.event, id="with\0nul"))]
    file.write_bytes(b"".join(map(jsonl.line, rows)))
    result = run("import", str(file), "--partial", "--json", SEGUE_DATABASE=postgres_url)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["new"], report["present"]) == (6 if "postgres" not in run.database else 0, 6 - report["new"])
    assert [event["key"] for event in report["refused_events"]] == ["with\0nul"]
    shown = run("import", str(file), "--partial", SEGUE_DATABASE=postgres_url).output
    assert "1 events cannot be stored in this journal" in shown
    assert "\0" not in shown
