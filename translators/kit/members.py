"""The members of a JSON list or object as their exact bytes, also if some of them are not JSON.

A clean body is read by msgspec. In any other one the members are found by brackets, commas and quotes alone, and each
is read by itself: half an emoji, a byte that is not UTF-8, NaN or a byte order mark affects its own member only. If the
brackets or quotes do not match either, the members that can be read from the front and from the end are kept, and what
is between them is one unreadable member. Nothing is left out. Each byte is read a fixed number of times, without
recursion.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from translators.kit.errors import Malformed
from translators.kit.parsing import parse_json
from translators.kit.payload import Payload

_list_of: Final = msgspec.json.Decoder(list[msgspec.Raw])
_object_of: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRICT: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SPACE: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{},:]', re.DOTALL)
# Read from its end, a quote belongs to the text if an odd number of backslashes follows it
_TOKEN_BACKWARDS: Final = re.compile(rb'"(?:[^"]++|"(?=\\(?:\\\\)*+(?!\\)))*+(?:"|\Z)|[\[\]{},]')
_QUOTE, _COMMA, _COLON = b'",:'
_OPEN, _CLOSE, _BRACKETS = frozenset(b"[{"), frozenset(b"]}"), frozenset(b"[]{}")
_NAME: Final = re.compile(rb'"[^"]*"\s*:\s*\Z')
_NAME_BYTES: Final = 300
_BRACKETS_TRIED: Final = 8
_MEMBERS_TRIED: Final = 2_000
Span = tuple[int, int]
Spans = list[Span]
_UNREADABLE: Final = object()
"""The value of an envelope's member that is not JSON: reading it raises `Malformed` with its path."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A list's members, exact bytes each, and the members of the body's object beside the list."""

    members: list[bytes]
    envelope: Payload


def opening(raw: bytes) -> bytes:
    """Return the first byte after a byte order mark and white space; empty if there is none."""
    return raw.removeprefix(_BOM).lstrip(_SPACE)[:1]


def batch(raw: bytes, name: str) -> Batch:
    """Split the list in the member `name` of a body. Raise `Malformed` if there is none."""
    members, depth, clean = _object(raw, "$", name)
    if name not in members:
        raise Malformed(f"$.{name}", "is missing")
    items, tail = _listed(members.pop(name), f"$.{name}", depth=depth, clean=clean)
    return Batch(items, Payload((dict if tail is not None else _Partial)(_parsed(members) | (tail or {}))))


def readable_members(raw: bytes) -> Payload:
    """Return a JSON object of which each member is read alone; reading one that is not JSON raises `Malformed`."""
    members, depth, _ = _object(raw, "$", "")
    return Payload((_Partial if depth else dict)(_parsed(members)))


def _parsed(members: Mapping[str, bytes]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in members.items():
        try:
            values[name] = parse_json(value)
        except Malformed:
            values[name] = _UNREADABLE
    return values


def raw_member(raw: bytes, *path: str) -> bytes:
    """Return the exact bytes of the member at `path` of a JSON object, as they were sent."""
    return _member(raw, path)[0]


def raw_items(raw: bytes, *path: str) -> list[bytes]:
    """Return the exact bytes of each member of the list at `path` (the whole body without one), as they were sent."""
    text, depth, clean = _member(raw, path)
    return _listed(text, ".".join(("$", *path)), depth=depth, clean=clean)[0]


class _Partial(dict[str, Any]):
    """The members of a body whose end was not found: one that is not here may still have been sent."""

    def get(self, key: str, _: Any = None) -> Any:
        return super().get(key, _UNREADABLE)


def _listed(text: bytes, where: str, *, depth: int, clean: bool) -> tuple[list[bytes], dict[str, Any] | None]:
    if clean:
        try:
            return [bytes(member) for member in _list_of.decode(text)], {}
        except _STRICT:
            text = _utf8(text)
    if text[:1] != b"[":
        raise Malformed(where, "is not a JSON array")
    items, tail = _items(text, depth)
    if items is None:
        raise Malformed(where, "is not a JSON array: no member of it can be read")
    return items, tail


def _member(raw: bytes, path: tuple[str, ...]) -> tuple[bytes, int, bool]:
    """Return the member, in how many objects without an end it is, and whether all around it is clean."""
    where, depth, clean = "$", 0, True
    for step in path:
        members, deeper, clean_here = _object(raw, where, step, depth)
        where = f"{where}.{step}"
        if step not in members:
            raise Malformed(where, "is missing")
        raw, depth, clean = members[step], deeper, clean and clean_here
    return raw, depth, clean


def _object(raw: bytes, where: str, list_name: str, depth: int = 0) -> tuple[dict[str, bytes], int, bool]:
    """Return an object's members, `depth` plus 1 if its end was not found, and whether it is clean."""
    try:
        return {name: bytes(value) for name, value in _object_of.decode(raw).items()}, depth, True
    except _STRICT:
        text = _utf8(raw)
        if text[:1] != b"{":
            raise Malformed(where, "is not a JSON object") from None
        members, matched = _named(text, list_name, whole=not depth)
        return members, depth + (not matched), False


def _utf8(raw: bytes) -> bytes:
    """Return the text without byte order mark and white space around it; UTF-16 and 32 become UTF-8."""
    encoding = json.detect_encoding(raw)
    if not encoding.startswith("utf-8") and 3 * raw[:64].count(0) >= len(raw[:64]):  # one NUL is a bad member
        with contextlib.suppress(UnicodeError):
            raw = raw.decode(encoding).encode()
    return raw.removeprefix(_BOM).strip(_SPACE)


def _named(text: bytes, list_name: str, *, whole: bool) -> tuple[dict[str, bytes], bool]:
    """Return an object's members by brackets and quotes, and whether these match the `whole` text.

    If they do not, the wanted one runs to the end.
    """
    places: dict[str, tuple[int, int]] = {}
    name, begin, depth, key = "", -1, 1, b""
    for match in _TOKEN.finditer(text, 1):
        symbol, place = text[match.start()], match.start()
        if symbol == _QUOTE:
            key = match[0]
        elif symbol in _OPEN:
            depth += 1
        elif symbol == _COLON and depth == 1 and begin < 0:
            name, begin = _name(key), match.end()
        elif symbol in _CLOSE or (symbol == _COMMA and depth == 1):
            if begin >= 0 and depth == 1:
                places[name] = (begin, place)
                begin = -1
            depth -= symbol in _CLOSE
            if depth == 0:
                break
    matched = whole and depth == 0 and place + 1 == len(text)
    if begin >= 0:
        places[name] = (begin, len(text))
    if list_name in places and not matched:
        places[list_name] = (places[list_name][0], len(text))
    return {name: text[start:end].strip(_SPACE) for name, (start, end) in places.items()}, matched


def _name(key: bytes) -> str:
    try:
        return str(parse_json(key))
    except Malformed:
        return key.decode("utf-8", "replace")


def _items(text: bytes, depth: int) -> tuple[list[bytes] | None, dict[str, Any] | None]:
    """Return the members of the list at the beginning, and what follows it in `depth` objects; None if not found."""
    spans, end = _spans(text, _TOKEN, _OPEN)
    tail = _tail(text[end:], depth) if end else None
    if tail is None:
        front = _readable(text, spans)
        begin = front[-1][1] + 1 if front else 1
        back, middle_end, tail = _from_the_end(text, front, begin, depth)
        if not front and not back:
            return None, None
        spans = [*front, (begin, middle_end), *back]
    members = (text[start:stop].strip(_SPACE) for start, stop in spans)
    return [member for member in members if member and member != b","], tail


def _tail(text: bytes, depth: int) -> dict[str, Any] | None:
    """Return the members that follow the list, to the end of the `depth` objects around it; None if unreadable."""
    try:
        value = parse_json(b'{"":' * depth + b"0" + text)
    except Malformed:
        return None
    return {name: member for name, member in value.items() if name} if isinstance(value, dict) else {}


def _from_the_end(text: bytes, front: Spans, begin: int, depth: int) -> tuple[Spans, int, dict[str, Any] | None]:
    """Return the members behind `begin` that can be read from the last bracket, and the end of what precedes them.

    A bracket is the list's last one if the rest of the body can be read after it. If a list that is the value of a name
    begins before it, its members may be no events: only those that look like the last one in `front` are taken.
    """
    close = len(text)
    for _ in range(_BRACKETS_TRIED):
        close = text.rfind(b"]", begin, close)
        if close < 0:
            break
        tail = _tail(text[close + 1 :], depth)
        if tail is None:
            continue
        spans, end = _spans(text[: close + 1][::-1], _TOKEN_BACKWARDS, _CLOSE)
        first = close + 1 - end
        mirrored = [(close + 1 - stop, close + 1 - start) for start, stop in spans]
        mirrored = [span for span in mirrored if span[0] >= begin]
        if end and text[first : first + 1] == b"[" and _NAME.search(text, max(begin, first - _NAME_BYTES), first):
            mirrored = _alike(text, mirrored, front[-1]) if front else []
            if not mirrored:
                continue
        back = _readable(text, mirrored)[::-1]
        return back, back[0][0] - 1 if back else close, tail
    return [], len(text), None


def _alike(text: bytes, spans: Spans, known: Span) -> Spans:
    """Return the spans up to the first that shares less than half its names with a known member."""
    names = _names(text, known)
    for count, span in enumerate(spans):
        others = _names(text, span)
        if 2 * len(names & others) < max(len(names), len(others), 1):
            return spans[:count]
    return spans


def _names(text: bytes, span: Span) -> set[str]:
    member = text[span[0] : span[1]].strip(_SPACE)
    try:
        return set(parse_json(member)) if member.startswith(b"{") else set()
    except Malformed:
        return set()


def _spans(text: bytes, tokens: re.Pattern[bytes], opening_: frozenset[int]) -> tuple[Spans, int]:
    """Return the places of a list's members, its first bracket at 0; and the place behind its last one, else 0."""
    spans: Spans = []
    begin = depth = 1
    for match in tokens.finditer(text, 1):
        symbol, place = text[match.start()], match.start()
        if symbol == _COMMA:
            if depth == 1:
                spans.append((begin, place))
                begin = place + 1
        elif symbol in opening_:
            depth += 1
        elif symbol in _BRACKETS:
            depth -= 1
            if depth == 0:
                return [*spans, (begin, place)], place + 1
    return [*spans, (begin, len(text))], 0


def _readable(text: bytes, spans: Spans) -> Spans:
    """Return the spans up to the last that is a JSON object."""
    tried = 0
    for count in range(len(spans), 0, -1):
        begin, end = spans[count - 1]
        member = text[begin:end].strip(_SPACE)
        if member.startswith(b"{") and tried < _MEMBERS_TRIED:
            tried += 1
            with contextlib.suppress(Malformed):
                parse_json(member)
                return spans[:count]
    return []
