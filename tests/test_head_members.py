"""Declared members name an event exactly as the source's functions do, for every golden and for odd bodies."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.acme import NOW
from translators.kit import Declaration, Delivery, Event, HmacBody, Source
from webhooks.sources import head_members, plugins
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import find_goldens

SOURCES = {name: source for name, source in plugins.load().sources.items() if source.declared.head_members}
BODIES = {name: [golden.body for golden in find_goldens(Path(__file__).parent / "golden" / name)] for name in SOURCES}


def both_ways(source: Source, body: bytes, **headers: str) -> tuple[list[Event], list[Event]]:
    """Return the events by the declared members and by the functions alone."""
    runtime, functions = SourceRuntime(source), SourceRuntime(source)
    functions._head_reader = None
    delivery = Delivery(source=source.name, body=body, received_at=NOW, headers=headers, options=source.defaults())
    return runtime.events(delivery), functions.events(delivery)


def head_of(source: Source, body: bytes) -> object:
    reader = SourceRuntime(source)._head_reader
    assert reader is not None
    return reader.read(body)


def test_sources_with_declared_members() -> None:
    assert set(SOURCES) >= {"stripe", "intercom", "paddle", "kustomer", "plain", "chargebee"}


@pytest.fixture(params=[False, True], ids=["", "with long numbers"])
def long_numbers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read bodies with long numbers by their members too: ids of goldens have more zeros than those of a provider."""
    if request.param:
        monkeypatch.setattr(head_members, "_LONG", b"none")


@pytest.mark.usefixtures("long_numbers")
@pytest.mark.parametrize("name", SOURCES)
def test_goldens_give_the_same_events_by_members_and_by_functions(name: str) -> None:
    for body in BODIES[name]:
        by_members, by_functions = both_ways(SOURCES[name], body)
        assert by_members == by_functions


@pytest.mark.parametrize("name", SOURCES)
def test_most_goldens_are_named_by_their_members(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_members, "_LONG", b"none")
    heads = [head_of(SOURCES[name], body) for body in BODIES[name]]
    assert heads.count(None) < len(heads) / 3


def member(name: str) -> Callable[[bytes, str], bytes]:
    """Return a change that writes this member again, after the others: the last one counts."""
    return lambda body, text: body.rstrip()[:-1] + b', "%s": %s}' % (name.encode(), text.encode())


ODD_VALUES = [
    '"\\ud800"', '"a\\u0000b"', '""', "null", "true", "5", "-1", "1.5", "[]", "{}", '{"id": "x"}', '"' + "k" * 3000 + '"',
    "0", "1e3", "253402300800", "1763890000123", '"1763890000"', '"2026-03-31T12:00:00Z"', '"2026-03-31T12:00:00"',
    '"2026-03-31"', '"0001-01-01T00:00:00+14:00"', '"\\u0065vt"', '" x "', "1" * 30, "1" * 5000, '"\\u2028"', '"é"',
]  # fmt: skip


@pytest.mark.usefixtures("long_numbers")
@pytest.mark.parametrize("name", SOURCES)
def test_odd_members_give_the_same_events_both_ways(name: str) -> None:
    declared = SOURCES[name].declared.head_members
    assert declared is not None
    body = BODIES[name][0]
    for name_of_member in (declared.id, declared.type, declared.occurred_at, *declared.where):
        for text in ODD_VALUES:
            by_members, by_functions = both_ways(SOURCES[name], member(name_of_member)(body, text))
            assert by_members == by_functions, (name_of_member, text)


ODD_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "invalid UTF-8": lambda body: member("x")(body, '"y"').replace(b'"y"', b'"\xff"'),
    "UTF-8": lambda body: member("x")(body, '"h\u00e9\U0001f600"'),
    "surrogates as UTF-8": lambda body: member("x")(body, '"y"').replace(b'"y"', b'"\xed\xa0\x80"'),
    "half a surrogate pair": lambda body: member("x")(body, '"\\ud800"'),
    "NUL": lambda body: member("x")(body, '"y"').replace(b'"y"', b'"\0"'),
    "escaped NUL": lambda body: member("x")(body, '"\\u0000"'),
    "NaN": lambda body: member("x")(body, "NaN"),
    "huge exponent": lambda body: member("x")(body, "1e999999999999999999"),
    "huge exponent with a sign": lambda body: member("x")(body, "1E+99999999999999999999"),
    "huge integer": lambda body: member("x")(body, "7" * 5000),
    "long integer": lambda body: member("x")(body, "7" * 40),
    "leading zero": lambda body: member("x")(body, "01"),
    "nested deeply": lambda body: member("x")(body, "[" * 5000 + "]" * 5000),
    "nested at the limit": lambda body: member("x")(body, "[" * 990 + "]" * 990),
    "many brackets": lambda body: member("x")(body, "[" + "[]," * 500 + "[]]"),
    "cut short": lambda body: body[:-10],
    "trailing text": lambda body: body + b" x",
    "trailing space": lambda body: body + b" \n",
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "list": lambda body: b"[" + body + b"]",
    "list of two": lambda body: b"[" + body + b"," + body + b"]",
    "in detail": lambda body: b'{"detail-type": "x", "detail": ' + body + b"}",
    "in data": lambda body: b'{"id": "1", "type": "t", "data": ' + body + b"}",
    "envelope around an event": lambda body: member("detail-type")(member("detail")(body, "{}"), '"x"'),
    "empty": lambda _: b"",
    "null": lambda _: b"null",
    "text": lambda _: b'"x"',
    "escaped names": lambda body: re.sub(rb'"i', rb'"\\u0069', body, count=1),
}


@pytest.mark.parametrize("odd", ODD_BODIES)
def test_odd_bodies_give_the_same_events_both_ways(odd: str) -> None:
    for name, source in SOURCES.items():
        for body in BODIES[name][:5]:
            by_members, by_functions = both_ways(source, ODD_BODIES[odd](body))
            assert by_members == by_functions, name


@given(st.data())
def test_changed_bytes_give_the_same_events_both_ways(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SOURCES)))
    body = bytearray(data.draw(st.sampled_from(BODIES[name][:20])))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        inserted = st.sampled_from(
            [b"", b"\\", b'"', b"{", b"}", b",", b"\xff", b"\0", b"1e99999999999999999999", b"-"]
        )
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(inserted)
    by_members, by_functions = both_ways(SOURCES[name], bytes(body))
    assert by_members == by_functions


def make_source(**more: str) -> Source:
    source = Source("acme", scheme=HmacBody(header="X"), keep_headers=["X-Kept"])
    source.head_at(id="id", type="type", **{"occurred_at": "at:iso", **more})  # type: ignore[arg-type]
    return source


@pytest.mark.parametrize(
    ("reader", "time"),
    [
        ("seconds", 1763890000), ("millis", 1763890000123), ("when", 1763890000), ("when", 1763890000123),
        ("iso", "2026-03-31T12:00:00+02:00"), ("utc", "2026-03-31T12:00:00.5"), ("utc", "2026-03-31T12:00:00Z"),
    ],
)  # fmt: skip
def test_time_is_read_as_the_reader_says(reader: str, time: object) -> None:
    source = make_source(occurred_at=f"at:{reader}")
    body = json.dumps({"id": "1", "type": "t", "at": time}).encode()
    assert head_of(source, body) is not None
    by_members, by_functions = both_ways(source, body)
    assert by_members == by_functions
    assert by_members[0].clock == "event"


@pytest.mark.parametrize("value", ["kept", "x" * 20_000, "a\0b"])
def test_kept_headers_are_the_same_both_ways(value: str) -> None:
    by_members, by_functions = both_ways(
        make_source(), b'{"id": "1", "type": "t", "at": "2026-03-31T12:00:00Z"}', **{"x-kept": value, "x-other": "1"}
    )
    assert by_members == by_functions
    assert bool(by_members[0].problem) is (len(value) > 16_384)


@pytest.mark.parametrize("occurred_at", ["at", "at:text", ":iso", "a.b:iso"])
def test_declaration_without_a_time_of_the_body_is_refused(occurred_at: str) -> None:
    with pytest.raises(Declaration, match="acme: '"):
        make_source(occurred_at=occurred_at)


@pytest.mark.parametrize("change", [{"id": "data.id"}, {"type": ""}])
def test_declaration_of_a_member_in_another_one_is_refused(change: dict[str, str]) -> None:
    source = Source("acme", scheme=HmacBody(header="X"))
    with pytest.raises(Declaration, match="is not a member of the body itself"):
        source.head_at(**{"id": "id", "type": "type", "occurred_at": "at:iso", **change})  # type: ignore[arg-type]


def test_split_needs_to_know_which_body_is_one_event() -> None:
    source = make_source()
    source.split(lambda delivery: [delivery.body])
    with pytest.raises(Declaration, match="acme splits bodies, so head_at needs `where`"):
        SourceRuntime(source)
