"""An export: whole or none, in order, and of a damaged file what can be read."""

import gzip
import json
import random
import sqlite3
import stat
from contextlib import closing, nullcontext
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from support.changes import NOW, Reports
from support.messages import AT, event
from webhooks.errors import EventNotFound, JournalAbsent, JournalUnavailable, OperationRefused
from webhooks.journal import AuditContext, Journal, State, open_existing, open_journal
from webhooks.operations import export, jsonl, progress
from webhooks.operations.export import ExportRequest, ExportResult, whole_file
from webhooks.operations.selection import EventSelection

ONE, TWO = bytes(range(32)).hex(), bytes(range(32, 64)).hex()
ALL = ExportRequest(name="all.jsonl")
PAGE = 4096


def exported(journal: Journal, by: AuditContext, request: ExportRequest = ALL) -> tuple[ExportResult, list[bytes]]:
    out = BytesIO()
    result = export.run(journal, request, nullcontext(out), by=by, now=NOW)
    return result, out.getvalue().splitlines(keepends=True)


def test_an_export_has_a_head_each_event_and_a_foot(
    filled: Journal, by: AuditContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STEP", 4)
    out, reports = BytesIO(), Reports()
    result = export.run(filled, ALL, nullcontext(out), by=by, now=NOW, report=reports)
    head, *events, foot = out.getvalue().splitlines(keepends=True)
    assert result == ExportResult(events=6)
    assert jsonl.read_head(head).segue_export == 1
    rows = [replace(row, seq=0, cursor="") for row in filled.rows()]
    assert [jsonl.read(line) for line in events] == rows
    assert jsonl.read_foot(foot).events == 6
    assert reports.of("exporting") == [(0, 6), (4, 6), (6, 6)]


def test_an_export_of_a_selection_is_audited_with_its_conditions(filled: Journal, by: AuditContext) -> None:
    request = ExportRequest(
        name="dead.jsonl", selection=EventSelection(states=(State.DEAD,)), conditions={"states": ["dead"]}
    )
    result, lines = exported(filled, by, request)
    assert (result.events, len(lines)) == (1, 3)
    (line,) = filled.audits()
    assert (line.action, line.actor, line.at) == ("export", "ann", NOW)
    assert line.detail == {"file": "dead.jsonl", "events": 1, "chosen": {"states": ["dead"]}}
    with pytest.raises(EventNotFound):
        exported(filled, by, ExportRequest(name="x", selection=EventSelection(ids=("e99",))))


def test_an_export_succeeds_if_the_audit_log_cannot_be_written(
    filled: Journal, by: AuditContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise JournalUnavailable("the disk is full")

    monkeypatch.setattr(type(filled), "audit", full)
    result, lines = exported(filled, by)
    assert result == ExportResult(events=6, audit_error="the disk is full")
    assert len(lines) == 8


def test_an_event_with_a_missing_key_is_not_exported_as_empty(url: str, by: AuditContext) -> None:
    encrypted = open_journal(url, [ONE])
    encrypted.append([event(1)], now=AT)
    encrypted.close()
    journal = open_existing(url, [TWO])
    with pytest.raises(OperationRefused, match=r"Event 1 \(shop/e1\) is encrypted with key") as caught:
        exported(journal, by)
    assert "nothing was written" in caught.value.hint
    journal.close()


def test_an_absent_journal_is_not_exported(url: str, by: AuditContext) -> None:
    absent = open_existing(url)
    with pytest.raises(JournalAbsent):
        exported(absent, by)
    with pytest.raises(JournalAbsent):
        export.salvage(absent, nullcontext(BytesIO()), now=NOW)
    absent.close()


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_a_file_is_written_whole_for_its_owner_only(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with whole_file(path) as out:
        out.write(b"content")
        assert not path.exists()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert (gzip.decompress(content) if path.suffix == ".gz" else content) == b"content"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text("mine")
    with pytest.raises(OperationRefused, match=r"all\.jsonl exists"), whole_file(path):
        pass
    assert path.read_text() == "mine"
    with whole_file(path, replace=True) as out:
        out.write(b"new")
    assert path.read_text() == "new"


def test_a_failed_export_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OperationRefused, match="cannot be written: No space left on device") as caught:  # noqa: SIM117
        with whole_file(tmp_path / "all.jsonl"):
            raise OSError(28, "No space left on device")
    assert "free space" in caught.value.hint
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "all.jsonl"):
        raise KeyboardInterrupt
    with pytest.raises(OperationRefused, match="cannot be written"), whole_file(tmp_path / "none" / "all.jsonl"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A SQLite journal of 301 events, of which one was deleted."""
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
    noise = random.Random(1)  # it hardly compresses, so the events have many pages
    journal.append([event(number, noise.randbytes(1500).hex()) for number in range(301)], now=AT)
    journal.drop([5], by=AuditContext(actor="ann", reason="r"), now=AT)
    journal.prune({State.DROPPED: NOW - NOW}, now=NOW)
    journal.close()
    return tmp_path / "segue.db"


def salvaged(path: Path, reports: Reports) -> tuple[ExportResult, list[bytes]]:
    journal, out = open_existing(f"sqlite:///{path}"), BytesIO()
    try:
        return export.salvage(journal, nullcontext(out), now=NOW, report=reports), out.getvalue().splitlines()
    finally:
        journal.close()


def test_salvage_reads_an_intact_file_completely(path: Path) -> None:
    reports = Reports()
    result, lines = salvaged(path, reports)
    assert result == ExportResult(events=300)
    assert len(lines) == 302
    assert reports.of("reading")[-1] == (301, 301)


def test_salvage_skips_damaged_pages_and_names_their_events(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // PAGE // 2 * PAGE)
        file.write(random.Random(7).randbytes(10 * PAGE))
    before = path.read_bytes()
    result, lines = salvaged(path, Reports())
    assert 250 < result.events < 300
    assert result.events + len(result.unreadable) == 300
    assert json.loads(lines[-1])["events"] == result.events
    assert path.read_bytes() == before


def test_salvage_reads_events_whose_states_are_damaged_as_dead(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'states'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    result, lines = salvaged(path, Reports())
    assert result == ExportResult(events=300, audit_error="")
    row = json.loads(lines[1])
    assert (row["state"], row["reason"]) == ("dead", "its state cannot be read: the file is damaged")


def test_salvage_skips_a_body_that_was_changed(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        body = db.execute("SELECT body FROM events WHERE seq = 7").fetchone()[0]
        db.execute("UPDATE events SET body = ? WHERE seq = 7", (body[:-1] + bytes([body[-1] ^ 1]),))
    assert salvaged(path, Reports())[0] == ExportResult(events=299, unreadable=(7,))


@pytest.mark.parametrize("cause", [None, OSError("the disk has gone")])
def test_salvage_ends_if_the_file_cannot_be_read_at_all(
    path: Path, monkeypatch: pytest.MonkeyPatch, cause: Exception | None
) -> None:
    from webhooks.journal import SqliteJournal

    def unavailable(*_: object) -> None:
        raise JournalUnavailable("no disk") from cause

    monkeypatch.setattr(SqliteJournal, "get", unavailable)
    with pytest.raises(JournalUnavailable, match="no disk"):
        salvaged(path, Reports())
