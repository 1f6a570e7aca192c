"""Keys, types and what is kept beside a body are such that both stores hold them alike."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Delivery, FormerId, Head, HmacBody, Item, Source
from translators.kit.bounds import KEY_BYTES, PROBLEM, TYPE_BYTES, bounded_key, bounded_problem, clean
from webhooks.sources.runtime import SourceRuntime

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def received(head: Head | None = None, **item: Any) -> Any:
    source = Source("acme", scheme=HmacBody(header="X"), keep_headers=["X-Kept"])
    source.head(lambda _: head or Head(id="1", type="t", occurred_at=None))
    source.split(lambda d: [Item(raw=d.body, received_at=NOW, **item)] if item else [d.body])
    (event,) = SourceRuntime(source).receive(Delivery(source="acme", body=b"{}", received_at=NOW))
    return event


@given(st.text(st.characters(exclude_categories=()), max_size=KEY_BYTES * 2))
def test_a_key_is_short_utf_8_without_nul_and_two_keys_stay_two(key: str) -> None:
    bounded = bounded_key(key)
    assert len(bounded.encode()) <= KEY_BYTES
    assert "\0" not in bounded
    assert bounded_key(bounded) == bounded
    if bounded != key:
        digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        assert bounded.endswith(f"~sha256:{digest}")
        assert clean(key).startswith(bounded.removesuffix(f"~sha256:{digest}"))


@pytest.mark.parametrize("key", ["evt_1", "a" * KEY_BYTES, "é" * (KEY_BYTES // 2), "new\nline", "😀", " "])
def test_a_key_within_the_bound_is_kept_as_it_is(key: str) -> None:
    event = received(Head(id=key, type="t", occurred_at=None))
    assert (event.id, event.former_ids) == (key, ())


def test_a_long_key_is_recognised_as_an_earlier_release_stored_it() -> None:
    event = received(Head(id="a" * 600, type="t", occurred_at=None, former_ids=(FormerId("b" * 600, same_bytes=True),)))
    assert event.id == bounded_key("a" * 600)
    assert event.former_ids == (FormerId("a" * 600), FormerId(bounded_key("b" * 600), same_bytes=True))
    assert received(Head(id="a\0", type="t", occurred_at=None)).former_ids == (), "PostgreSQL cannot be asked for it"


def test_an_empty_former_id_and_one_that_equals_the_id_are_left_out() -> None:
    former = (FormerId(""), FormerId("new"), FormerId("old"))
    assert received(Head(id="new", type="t", occurred_at=None, former_ids=former)).former_ids == (FormerId("old"),)


@pytest.mark.parametrize("type_", ["a" * (TYPE_BYTES + 1), "é" * 128, "a\0b", "a\ud800"])
def test_an_event_whose_type_no_store_holds_is_kept_dead_with_the_reason(type_: str) -> None:
    event = received(Head(id="1", type=type_, occurred_at=None))
    assert event.type == "(malformed)"
    assert event.problem.startswith("$ has a type")
    event.problem.encode()
    assert received(Head(id="1", type="a" * TYPE_BYTES, occurred_at=None)).problem == ""


def test_headers_and_envelope_are_cleaned_and_one_that_is_too_long_is_not_kept() -> None:
    event = received(headers={"x-kept": "a\0"}, envelope={"a\ud800": "b\udfff", "c": "d"})
    assert (event.headers, event.envelope, event.problem) == ({"x-kept": "a�"}, {"a�": "b�", "c": "d"}, "")
    long = received(headers={"x-kept": "a" * 20_000}, envelope={"b": "c" * 20_000, "d": "e"})
    assert (long.headers, long.envelope, long.type) == ({}, {"d": "e"}, "(malformed)")
    assert long.problem == "$ has a header x-kept of 20000 characters, over 16384"


def test_a_source_that_gives_what_is_no_text_no_bytes_or_no_zone_loses_nothing() -> None:
    for head in (
        Head(id=7, type="t", occurred_at=None),  # type: ignore[arg-type]
        Head(id="1", type=7, occurred_at=None),  # type: ignore[arg-type]
        Head(id="1", type="t", occurred_at=datetime(2026, 1, 1)),  # noqa: DTZ001
    ):
        event = received(head)
        assert "TypeError" in event.problem
        assert event.raw == b"{}"
    assert received(envelope={"a": 1}).envelope == {}
    source = Source("acme", scheme=HmacBody(header="X"))
    source.head(lambda _: Head(id="1", type="t", occurred_at=None))
    source.split(lambda _: ["text"])  # type: ignore[list-item]
    (whole,) = SourceRuntime(source).receive(Delivery(source="acme", body=b"text", received_at=NOW))
    assert "item 0 of the split is str, not bytes" in whole.problem
    assert whole.raw == b"text"


def test_a_long_problem_is_cut_in_the_middle() -> None:
    assert len(bounded_problem("a" * 100_000)) < PROBLEM + 10
    assert bounded_problem("a\0b\ud800") == "a�b�"
