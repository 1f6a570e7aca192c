"""The tests that every source passes, built in or not: goldens, invariants and mutated payloads.

    from pathlib import Path
    from acme_segue import acme
    from webhooks.testing import SourceTests

    class TestAcme(SourceTests):
        source = acme
        goldens = Path(__file__).parent / "golden"

with `pytest_plugins = ["webhooks.testing"]` in conftest.py. A golden is `<name>.json` (or .xml, .form, .txt: the raw
request body), an optional `<name>.request.json` with `headers`, `query`, `options` and `received_at`, and
`<name>.messages.json`, which `pytest --update-goldens` writes: read every one before you commit it. Only a golden with
`malformed` in its name may be broken. The invariants hold whatever the goldens say.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from translators.kit import Event, Malformed, Refused, Source
from translators.kit.identity import Identity
from translators.kit.placeholders import is_placeholder
from translators.kit.source import IgnoredType as Declared
from webhooks import segment
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation import translate
from webhooks.translation.goldens import RECEIVED, Golden, find_goldens, outcomes, transcript


class SourceTests:
    """Subclass it with `source` and `goldens`; every test of it then runs on every golden."""

    source: ClassVar[Source]
    goldens: ClassVar[Path]
    mutations: ClassVar[int] = 1_000
    """How many bodies `test_any_member_of_any_type_...` tries, spread evenly over all that there are."""

    def test_golden(self, golden: Golden, request: pytest.FixtureRequest) -> None:
        """The request becomes exactly the messages that were reviewed."""
        actual = transcript(self.source, golden)
        if "malformed" not in golden.name:
            assert '"outcome": "broken"' not in actual, actual
        if request.config.getoption("--update-goldens"):
            golden.expected.write_text(actual)
        if not golden.expected.exists():
            pytest.fail(f"{golden.expected.name} is missing: run pytest --update-goldens, then read what it wrote")
        assert golden.expected.read_text() == actual

    def test_every_translated_type_has_a_golden(self) -> None:
        """Every handler has a golden, so that its messages have been read."""
        runtime, handlers = SourceRuntime(self.source), self.source.declared.handlers
        seen: set[str] = set()
        for golden in _goldens(self.goldens):
            delivery = golden.delivery(self.source)
            if runtime.handshake(delivery):
                continue
            for event, outcome in outcomes(self.source, delivery):
                handler = runtime.find(event.type)
                if isinstance(outcome, translate.Translated) and callable(handler):
                    exact = event.type in handlers
                    seen |= {
                        pattern
                        for pattern in handlers
                        if handlers[pattern] is handler and (pattern == event.type or ("*" in pattern and not exact))
                    }
        missing = sorted(set(handlers) - seen)
        assert not missing, f"add {self.goldens}/<type>.json for: {', '.join(missing)}"

    def test_no_message_would_be_dropped_by_segment(self, golden: Golden) -> None:
        """Valid against the spec: identity, names, sizes, times, ids."""
        for _, message in _translated_once(self.source, golden.path):
            fault = segment.faults(message, segment.encode(message))
            assert fault is None, fault

    def test_semantic_events_carry_the_types_of_the_spec(self, golden: Golden) -> None:
        """A property that Segment's spec names has the spec's type."""
        for _, message in _translated_once(self.source, golden.path):
            if message["type"] == "track":
                _check_semantic(message["event"], message["properties"])

    def test_translation_is_deterministic(self, golden: Golden) -> None:
        """The same request gives the same messages at any time."""
        assert _messages(self.source, golden) == _messages(self.source, golden)
        later = _messages(self.source, golden, received_at=RECEIVED + timedelta(days=30))
        for (event, message), (_, again) in zip(_messages(self.source, golden), later, strict=True):
            assert again["messageId"] == message["messageId"]
            if event.clock != "received":
                assert again == message

    def test_the_timestamp_is_the_providers(self, golden: Golden) -> None:
        """No message has our time unless its event's clock is `received`."""
        for event, message in _translated_once(self.source, golden.path):
            if event.clock != "received":
                assert not message["timestamp"].startswith("2026-11-23T12:00"), "our receipt time leaked in"

    def test_ids_are_unique_over_all_goldens(self) -> None:
        """Two events never share a messageId."""
        seen: dict[str, tuple[str, str]] = {}
        for golden in _goldens(self.goldens):
            for event, message in _translated_once(self.source, golden.path):
                owner = seen.setdefault(message["messageId"], (event.id, golden.name))
                assert owner[0] == event.id, f"{golden.name} and {owner[1]} share {message['messageId']}"

    def test_no_identity_is_invented(self, golden: Golden) -> None:
        """A userId is in the request; an anonymousId is derived from an id in it."""
        request = golden.body.decode("utf-8", "replace") + json.dumps(golden.request)
        if golden.path.suffix == ".form":
            request += unquote_plus(request)
        for event, message in _translated_once(self.source, golden.path):
            user_id = message.get("userId", "")
            assert _is_in(user_id, request), f"the userId {user_id!r} is not in {golden.path.name}"
            for claim in _claims(self.source, event):
                what, id_ = claim.anonymous or ("", "self:")
                if not id_.startswith("self:"):
                    odd = [part for part in id_.split("|") if not _is_in(part, request)]
                    assert not odd, f"anonymous {(what, id_)!r}: {odd[0]!r} is not in {golden.path.name}"

    def test_money_and_numbers_are_exact(self, golden: Golden) -> None:
        """No binary float is in a message: amounts are Decimal or int."""
        for _, message in _translated_once(self.source, golden.path):
            floats = [value for value in _leaves(message) if isinstance(value, float)]
            assert not floats, f"{floats[0]} is a binary float: read it with .money, .decimal or .integer"

    @settings(  # no database: examples of one source's class would be replayed in another's
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, database=None
    )
    @given(data=st.data())
    def test_mutated_payloads_raise_only_what_the_kit_declares(self, data: st.DataObject) -> None:
        """Drop, null, retype or grow any member, cut bytes out: a message, a reason, or Malformed with a path."""
        golden = data.draw(st.sampled_from(_goldens(self.goldens)))
        fault = _fault(self.source, replace(golden, body=_mutated(golden, data)))
        assert fault is None, fault

    def test_any_member_of_any_type_gives_a_message_a_reason_or_a_path(self) -> None:
        """Every member of every golden replaced by every JSON type: never a traceback, never a placeholder as an id."""
        faults: dict[str, str] = {}
        mutations = [mutation for golden in _goldens(self.goldens) for mutation in _retyped(golden)]
        step = max(1, round(len(mutations) / self.mutations))
        for golden, place, value in mutations[:: step if step % len(_TYPES) else step + 1]:
            fault = _fault(self.source, replace(golden, body=_with(golden, place, value)))
            if fault is not None:
                faults.setdefault(fault, f"{golden.name}: {'.'.join(map(str, place))} = {value}")
        assert not faults, "\n\n".join(f"{where}\n{fault}" for fault, where in faults.items())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-goldens`."""
    parser.addoption("--update-goldens", action="store_true", help="write the expected messages of every golden")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of `SourceTests` that takes a golden on every golden of its class."""
    if metafunc.cls is not None and issubclass(metafunc.cls, SourceTests) and "golden" in metafunc.fixturenames:
        goldens = _goldens(metafunc.cls.goldens)
        metafunc.parametrize("golden", goldens, ids=[golden.name for golden in goldens])


@cache
def _goldens(folder: Path) -> list[Golden]:
    """Return the goldens of a folder, read once: each of a source's tests uses them."""
    return find_goldens(folder)


@cache
def _translated_once(source: Source, path: Path) -> list[tuple[Event, dict[str, Any]]]:
    """Return the messages of a golden for the tests that only read them."""
    (golden,) = (golden for golden in _goldens(path.parent) if golden.path == path)
    return _messages(source, golden)


def _messages(
    source: Source, golden: Golden, *, received_at: datetime = RECEIVED
) -> list[tuple[Event, dict[str, Any]]]:
    delivery = golden.delivery(source, received_at=received_at)
    if SourceRuntime(source).handshake(delivery):
        return []
    return [
        (event, message)
        for event, outcome in outcomes(source, delivery)
        if isinstance(outcome, translate.Translated)
        for message in outcome.messages
    ]


def _fault(source: Source, golden: Golden) -> str | None:
    """Return what is wrong with the outcome of a request; None if it is handled as it must be."""
    delivery = golden.delivery(source)
    if SourceRuntime(source).handshake(delivery, signed=True) is not None:
        return None
    try:
        SourceRuntime(source).guard(delivery)
    except (Malformed, Refused):
        return None
    for _, outcome in outcomes(source, delivery):
        if isinstance(outcome, translate.Broken) and ("Traceback" in outcome.reason or "$" not in outcome.reason):
            return outcome.reason
        for message in outcome.messages if isinstance(outcome, translate.Translated) else ():
            segment.encode(message)
            email = message["context"].get("traits", {}).get("email")
            for name, id_ in (*message.items(), ("email", email)):
                if name in _IDS and isinstance(id_, str) and is_placeholder(id_):
                    return f"{name} is {id_!r}"
    return None


def _claims(source: Source, event: Event) -> Iterator[Identity]:
    handler = SourceRuntime(source).find(event.type)
    if handler is None or isinstance(handler, Declared):
        return
    for message in handler(event):
        yield message.identity or SourceRuntime(source).identity(event)


def _is_in(value: str, text: str) -> bool:
    """Return whether a text holds a value, in any case: an e-mail address is lowered."""
    value, text = value.lower(), text.lower()
    return value in text or json.dumps(value)[1:-1] in text


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    else:
        yield value


@cache
def _spec() -> dict[str, dict[str, str]]:
    text = files("translators").joinpath("spec_events.json").read_text()
    spec: dict[str, dict[str, str]] = json.loads(text)
    return spec


def _check_semantic(name: str, properties: dict[str, Any]) -> None:
    for path, kind in _spec().get(name, {}).items():
        value = properties.get(path)
        if value is None:
            continue
        types: tuple[type, ...] = {"number": (int, Decimal), "array": (list,), "string": (str,)}[kind]
        assert isinstance(value, types), f"{name}.{path} is {type(value).__name__}, the spec says {kind}"


_IDS: Final = frozenset({"userId", "previousId", "groupId", "email"})
_TYPES: Final = (
    "null", "true", "0", "-1", "1e400", str(2**70), "1.5", '""', '"text"', '"{{id}}"', "[]", "[{}]", "{}", r'"\ud800"',
)  # fmt: skip
"""A value of every JSON type, as it is written."""
_XML_TEXT: Final = re.compile(rb">([^<>]*[^<>\s][^<>]*)<")
_MARK: Final = "@@here@@"
Place = tuple[str | int, ...]


def _retyped(golden: Golden) -> Iterator[tuple[Golden, Place, str]]:
    """Yield every member of a golden with each value that replaces it: of JSON, of a form, or the texts of XML."""
    places: list[Place]
    if golden.path.suffix == ".xml":
        places = [(number,) for number, _ in enumerate(_XML_TEXT.finditer(golden.body))]
    elif golden.path.suffix == ".form":
        names = dict(parse_qsl(golden.body.decode(), keep_blank_values=True))
        inner = {name: json.loads(value) for name, value in names.items() if value.startswith("{")}
        places = [(name,) for name in names] + [
            (name, *place) for name, value in inner.items() for place in _places(value)
        ]
    else:
        try:
            places = _places(json.loads(golden.body)) if golden.path.suffix == ".json" else []
        except ValueError:  # a golden of a body that is no JSON
            places = []
    for place in places:
        for value in _TYPES:
            yield golden, place, value


def _places(value: Any, above: Place = ()) -> list[Place]:
    """Return the paths of all members; of a list, its first three."""
    members = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    places: list[Place] = [above] if above else []
    for name, member in members:
        places += _places(member, (*above, name))
    return places


def _with(golden: Golden, place: Place, value: str) -> bytes:
    if golden.path.suffix == ".xml":
        match = [*_XML_TEXT.finditer(golden.body)][int(place[0])]
        text = value.strip('"').replace(r"\ud800", "&#xD800;").encode()
        return golden.body[: match.start(1)] + text + golden.body[match.end(1) :]
    if golden.path.suffix != ".form":
        return _put(json.loads(golden.body), place, value)
    fields = dict(parse_qsl(golden.body.decode(), keep_blank_values=True))
    name = str(place[0])
    fields[name] = value.strip('"') if len(place) == 1 else _put(json.loads(fields[name]), place[1:], value).decode()
    return urlencode(fields).encode()


def _put(body: Any, place: Place, value: str) -> bytes:
    holder = body
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = _MARK
    return json.dumps(body).replace(f'"{_MARK}"', value).encode()


_ODD: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([{}]),
    st.just({"id": None}),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just("\ud800"),
)


def _mutated(golden: Golden, data: st.DataObject) -> bytes:
    """Return the body with members of its JSON or form changed; any other body, and sometimes these, torn."""
    kind = golden.path.suffix
    if kind not in {".json", ".form"} or data.draw(st.integers(0, 9)) == 0:
        return _torn(golden.body, data)
    if kind == ".form":
        fields = parse_qsl(golden.body.decode(), keep_blank_values=True)
        return urlencode(_fields(fields, data), errors="surrogatepass").encode()
    try:
        return json.dumps(_mutate(json.loads(golden.body), data)).encode()
    except ValueError:  # a golden of a body that is no JSON
        return _torn(golden.body, data)


def _torn(body: bytes, data: st.DataObject) -> bytes:
    start = data.draw(st.integers(0, len(body)))
    return body[:start] + data.draw(st.binary(max_size=4)) + body[start + data.draw(st.integers(0, 40)) :]


def _fields(fields: list[tuple[str, str]], data: st.DataObject) -> list[tuple[str, str]]:
    """Return the fields with one dropped, emptied, doubled or replaced; one that holds JSON is changed within."""
    place = data.draw(st.integers(0, len(fields) - 1)) if fields else 0
    name, value = fields[place] if fields else ("field", "")
    if value.startswith("{"):
        changed = json.dumps(_mutate(json.loads(value), data))
    else:
        changed = data.draw(st.sampled_from(["", "0", "-1", "\ud800", "[]", "x" * 5000]) | st.text(max_size=8))
    kept = [*fields[:place], *fields[place + 1 :]]
    return data.draw(st.sampled_from([kept, [*kept, (name, changed)], [*fields, (name, changed)]]))


def _mutate(value: Any, data: st.DataObject) -> Any:
    value = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 3))):
        current, parent = value, None
        key: Any = None
        while isinstance(current, dict | list) and current and (parent is None or data.draw(st.integers(0, 4)) > 0):
            parent = current
            key = data.draw(st.sampled_from(sorted(current) if isinstance(current, dict) else range(len(current))))
            current = current[key]
        if parent is None:
            return data.draw(_ODD)
        if isinstance(parent, dict) and data.draw(st.booleans()):
            del parent[key]
        else:
            parent[key] = copy.deepcopy(data.draw(_ODD))  # a later step may change it
    return value
