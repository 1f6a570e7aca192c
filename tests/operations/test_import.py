"""An import: the file is checked before anything is stored, and can be imported again."""

import gzip
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from support.changes import NOW, Reports, Ticks
from support.messages import AT, event
from webhooks.errors import OperationRefused
from webhooks.journal import HISTORY, AuditContext, Journal, open_journal
from webhooks.operations import export, import_, jsonl, progress
from webhooks.operations.export import ExportRequest
from webhooks.operations.import_ import FileContents, ImportResult, read_export

BY = AuditContext(actor="ann", reason="a new server", operation="op-2")


@pytest.fixture
def lines(filled: Journal, by: AuditContext) -> list[bytes]:
    """The lines of an export of six events."""
    out = BytesIO()
    export.run(filled, ExportRequest(name="all.jsonl"), nullcontext(out), by=by, now=NOW)
    return out.getvalue().splitlines(keepends=True)


@pytest.fixture
def target(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return open_journal(f"sqlite:///{tmp_path_factory.mktemp('target')}/segue.db")


def checked(content: bytes, *, partial: bool = False) -> FileContents:
    with read_export(BytesIO(content)) as file:
        return import_.check(file, partial=partial)


def imported(journal: Journal, content: bytes, *, partial: bool = False, skip_broken: bool = False) -> ImportResult:
    with read_export(BytesIO(content)) as file:
        contents = import_.check(file, partial=partial)
        return import_.run(
            journal, file, contents, name="all.jsonl", by=BY, clock=Ticks(), skip_broken=skip_broken
        )  # fmt: skip


def bare(journal: Journal) -> list[object]:
    return [replace(row, seq=0, cursor="") for row in journal.rows()]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_imported_file_has_every_event_unchanged(
    filled: Journal, target: Journal, lines: list[bytes], pack: Callable[[bytes], bytes]
) -> None:
    content = pack(b"".join(lines))
    contents = checked(content)
    assert (contents.events, contents.is_faulty, contents.sources) == (6, False, frozenset({"shop"}))
    assert contents.kinds["shop", "delivered"] == 2
    assert imported(target, content) == ImportResult(new=6)
    assert bare(target) == bare(filled)
    (line,) = target.audits()
    assert (line.actor, line.action, line.operation) == ("ann", "import", "op-2")
    assert line.detail == {"file": "all.jsonl", "events": 6, "new": 6, "skipped": 0}


def test_the_same_file_can_be_imported_again(target: Journal, lines: list[bytes]) -> None:
    content = b"".join(lines)
    assert imported(target, b"".join(lines[2:4]), partial=True) == ImportResult(new=2)
    assert imported(target, content) == ImportResult(new=4, present=2)
    assert imported(target, content) == ImportResult(present=6)
    assert target.count() == 6


CHANGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "without its last line": (lambda lines: lines[:-1], "it is truncated: its last line"),
    "without an event": (lambda lines: [*lines[:3], *lines[4:]], "it was changed after it was written, with 6 events"),
    "in another order": (
        lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
        "it was changed after it was written",
    ),
    "without its first line": (lambda lines: lines[1:], "it does not begin as an export does"),
    "of another format": (
        lambda lines: [lines[0].replace(b":1,", b":2,"), *lines[1:]],
        "it is of format 2, this version reads 1",
    ),
    "with a torn last line": (lambda lines: [*lines[:-1], lines[-1][:40] + b"\n"], "its last line is damaged"),
    "empty": (lambda lines: [], "it is truncated"),
}


@pytest.mark.parametrize(("change", "fault"), CHANGES.values(), ids=CHANGES)
def test_a_truncated_or_changed_file_is_refused(
    target: Journal, lines: list[bytes], change: Callable[[list[bytes]], list[bytes]], fault: str
) -> None:
    content = b"".join(change(lines))
    contents = checked(content)
    assert contents.is_faulty
    assert any(fault in text for text in contents.faults)
    with pytest.raises(
        OperationRefused, match=r"all\.jsonl is damaged or incomplete; nothing of it was stored"
    ) as caught:
        imported(target, content)
    assert "Export it again" in caught.value.hint
    assert target.count() == 0
    assert target.audits() == []


BREAKS = {
    "no JSON": (b"{nonsense\n", "malformed"),
    "another member": (b'{"source": "acme", "more": 1}\n', "unknown field"),
    "a member missing": (b'{"source": "acme", "key": "k"}\n', "missing required field"),
    "no body": (None, "needs either a body or a body_base64"),
    "both bodies": ({"body_base64": "AA=="}, "needs either a body or a body_base64"),
    "a state that is none": ({"state": "lost"}, "Invalid enum value 'lost'"),
    "pending and settled": ({"state": "pending"}, "it is pending and has a settled_at"),
    "settled and not": ({"settled_at": None}, "it is dead and has no settled_at"),
    "a time without a zone": ({"received_at": "2026-01-01T00:00:00"}, "Expected `datetime` with a timezone"),
    "no time": ({"occurred_at": "soon"}, "Invalid RFC3339"),
    "less than no attempts": ({"attempts": -1}, ">= 0"),
    "a foreign name": ({"source": "../etc"}, "matching regex"),
    "no key": ({"key": ""}, "length >= 1"),
    "not base64": ({"body": None, "body_base64": "!"}, "not base64"),
    "too much history": (
        {"history": [{"at": "2026-01-01T00:00:00Z", "who": "w", "outcome": "dead"}] * (HISTORY + 1)},
        f"length <= {HISTORY}",
    ),
}


@pytest.mark.parametrize(("change", "message"), BREAKS.values(), ids=BREAKS)
def test_a_broken_line_is_named_and_skipped_only_on_request(
    target: Journal, lines: list[bytes], change: bytes | dict[str, Any] | None, message: str
) -> None:
    members = json.loads(lines[5])
    if change is None:
        del members["body"]
    lines[5] = change if isinstance(change, bytes) else json.dumps(members | (change or {})).encode() + b"\n"
    content = b"".join(lines)
    ((number, fault),) = checked(content).broken
    assert number == 6
    assert message in fault
    with pytest.raises(OperationRefused, match=r"nothing of it was stored"):
        imported(target, content)
    assert target.rows() == []
    assert target.audits() == []
    assert imported(target, content, skip_broken=True) == ImportResult(new=5)
    assert len(target.rows()) == 5
    assert target.audits()[0].detail["skipped"] == 1


def test_empty_lines_count_but_are_no_events(target: Journal, lines: list[bytes]) -> None:
    contents = checked(b"".join([b"\n", *lines[:4], b"\n", b"{nonsense\n", *lines[5:]]))
    assert [number for number, _ in contents.broken] == [7]
    assert contents.events == 5


def test_a_truncated_gzip_file_is_imported_in_part_on_request(target: Journal, lines: list[bytes]) -> None:
    packed = gzip.compress(b"".join(lines), compresslevel=0)
    content = packed[: len(packed) - len(lines[-1]) - 30]
    assert "it is truncated or damaged" in checked(content).faults[0]
    assert imported(target, content, skip_broken=True).new == 5


def test_a_part_of_an_export_has_no_first_and_last_line(target: Journal, lines: list[bytes]) -> None:
    assert not checked(lines[3], partial=True).is_faulty
    assert checked(lines[3]).faults == ["it does not begin as an export does"]
    assert imported(target, lines[3], partial=True).new == 1


def test_a_file_without_events_stores_nothing(target: Journal, lines: list[bytes]) -> None:
    assert imported(target, b"", partial=True) == ImportResult()
    assert target.audits() == []


def test_events_are_stored_in_steps_and_reported(
    target: Journal, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STEP", 4)
    reports, content = Reports(), b"".join(lines)
    with read_export(BytesIO(content)) as file:
        contents = import_.check(file, report=reports)
        import_.run(target, file, contents, name="x", by=BY, clock=Ticks(), report=reports)
    assert reports.of("checking")[0] == (0, len(content))
    assert reports.of("checking")[-1] == (len(content), len(content))
    assert reports.of("storing") == [(0, 6), (4, 6), (6, 6)]


def test_events_that_the_journal_cannot_store_are_named(target: Journal, postgres_url: str) -> None:
    target.append([event(1), event(2)], now=AT)
    rows = target.rows()
    rows.append(replace(rows[0], event=replace(rows[0].event, id="with\0nul")))
    content = b"".join(map(jsonl.line, rows))
    journal = open_journal(postgres_url)
    result = imported(journal, content, partial=True)
    assert (result.new, result.present) == (2, 0)
    (refused,) = result.refused
    assert (refused.source, refused.key, refused.state) == ("shop", "with\0nul", "pending")
    assert refused.why
    assert json.loads(json.dumps(journal.audits()[0].detail))["refused"] == 1
    journal.close()
