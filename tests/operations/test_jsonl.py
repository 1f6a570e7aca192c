"""The lines of an export: every event survives its line, and any other line is broken."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Event
from webhooks.journal import Attempt, Row, State
from webhooks.operations import jsonl

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(0, 7 * 10**15).map(lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))
rows = st.builds(
    Row,
    seq=st.just(0),
    event=st.builds(
        Event, source=st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True), id=text.filter(bool),
        type=text.filter(bool), occurred_at=times, received_at=times,
        clock=st.sampled_from(["event", "record", "received"]), trust=st.sampled_from(["verified", "authenticated"]),
        problem=text, headers=st.dictionaries(text, text, max_size=3), envelope=st.dictionaries(text, text, max_size=3),
        raw=st.binary() | text.map(str.encode), options=st.just({}),
    ),
    state=st.sampled_from([state for state in State if state is not State.PENDING]), attempts=st.integers(0, 99),
    due_at=st.none() | times, leased_until=st.none(), settled_at=times, reason=text, replay_generation=st.integers(0, 9),
    history=st.lists(st.builds(Attempt, times, text, text, text), max_size=3).map(tuple), cursor=st.just(""),
    locked=st.just(""),
)  # fmt: skip


@given(rows)
def test_any_event_survives_its_line(row: Row) -> None:
    line = jsonl.line(row)
    assert line.count(b"\n") == 1
    assert jsonl.read(line) == row
    pending = replace(row, state=State.PENDING, settled_at=None)
    assert jsonl.read(jsonl.line(pending)) == pending


@given(st.binary() | st.recursive(st.none() | st.booleans() | text, lambda values: st.dictionaries(text, values)).map(
    lambda value: json.dumps(value).encode()
))  # fmt: skip
def test_any_line_is_an_event_or_broken(raw: bytes) -> None:
    for read in (jsonl.read, jsonl.read_head, jsonl.read_foot):
        with contextlib.suppress(jsonl.BadLine):
            read(raw)


def test_nesting_without_end_is_broken() -> None:
    with pytest.raises(jsonl.BadLine):
        jsonl.read(b"[" * 100_000)


def test_a_lone_surrogate_in_a_body_is_broken() -> None:
    line = json.loads(jsonl.line(Row(seq=0, event=Event(source="a", id="k", type="t", raw=b"",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC), received_at=datetime(2026, 1, 1, tzinfo=UTC)),
        state=State.PENDING, attempts=0, due_at=None, leased_until=None, settled_at=None, reason="")))  # fmt: skip
    with pytest.raises(jsonl.BadLine):
        jsonl.read(json.dumps(line | {"body": "\ud800"}).encode())


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (jsonl.read, b'{"source": "acme", "key": "caf\xe9"}'),
        (jsonl.read, b'{"body": "\xed\xa0\x80"}'),
        (jsonl.read_head, b'{"segue_export": 1, "segue": "\xff"}'),
        (jsonl.read_foot, b'{"segue_export_end": 1, "events": 1, "sha256": "\xff"}'),
    ],
)
def test_a_line_in_another_encoding_is_broken(read: Callable[[bytes], object], raw: bytes) -> None:
    with pytest.raises(jsonl.BadLine):
        read(raw)
