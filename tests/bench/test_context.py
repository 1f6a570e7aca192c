"""Signed requests of the benchmark are reused while they are fresh, and rows say what they lack."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.context import FRESH, Context
from bench.options import Options


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with ExitStack() as stack:
        yield Context(Options(), tmp_path, stack, {"node": "install Node.js", "gcc": "install gcc"})


def test_requests_are_made_again_when_their_signatures_age(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("bench.context.time.monotonic", lambda: now[0])
    first = context.requests(2).read_bytes()
    now[0] += FRESH
    assert context.requests(2).read_bytes() == first
    now[0] += 1
    assert context.requests(2).read_bytes() != first


def test_requests_of_another_purpose_are_other_events(context: Context) -> None:
    assert context.requests(2).read_bytes() != context.requests(2, "warming").read_bytes()


def test_renewed_requests_are_new_events(context: Context) -> None:
    first = context.requests(2).read_bytes()
    context.renew_requests()
    assert context.requests(2).read_bytes() != first


def test_a_row_says_everything_that_it_lacks(context: Context) -> None:
    assert context.reason_without(("node", "redis-server", "gcc")) == (
        "node is missing: install Node.js; gcc is missing: install gcc"
    )
    assert context.reason_without(("redis-server",)) == ""


def test_rows_of_postgresql_are_left_out_without_one(tmp_path: Path) -> None:
    with ExitStack() as stack:
        context = Context(Options(postgres=""), tmp_path, stack, {})
        assert context.reason_without(("postgresql",)) == "without PostgreSQL"


def test_scratch_folders_are_deleted(context: Context) -> None:
    with context.scratch() as folder:
        (folder / "file").write_text("x")
    assert not folder.exists()
