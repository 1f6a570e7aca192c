"""Random requests to the handler of every installed source, and what must hold of each answer.

What is random is asked of a `Choice`, so that hypothesis, atheris and plain dice drive the same cases.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode

from doors import Place, call, door, places
from translators.kit import Malformed
from translators.salesforce import soap
from webhooks.errors import SegueError
from webhooks.journal import Journal
from webhooks.signatures.presented import Unreadable
from webhooks.translation.translate import Broken, Ignored, Translated, Unsupported, translate
from webhooks.web.handler import HttpRequest

T = TypeVar("T")
DECLARED = {400, 401, 403, 404, 405, 408, 413, 415}
"""What a request may be answered, besides success. 5xx is never the sender's to cause."""
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, -(2**70), 1.5, 1e308, "", " ", "0", "null", "\x00", "\ud800", "\udfff\ud800",
    "9" * 400, "1e999", "-", "a" * 3000, "\u202e\u2028", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "{{ticket.id}}", "'; DROP TABLE events; --", [], {}, [[]], [None], {"": None}, {"id": {}}, [{"id": []}] * 3,
)  # fmt: skip
TOKENS = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r\n", b'"', b"\\", b"{", b"}", b"[", b"]", b"<", b">", b"&", b"&lt;", b"]]>", b"<![CDATA[",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!--", b"<?x?>", b"NaN", b"1e400", b"\\ud800", b"\\u0000", b"%00", b"+", b"=", b"\xc3\x28",
)  # fmt: skip
VALUES = (
    "", "x", "0", "-1", "null", "[]", "{}", "\x7f", "\xff\xfe", "v1=", "t=1,v1=", "t=,v1=a", "sha256=", "v1,", "v1,AAAA v1a,AAAA",
    "Basic", "Basic Og==", "Basic ====", "Bearer", "9" * 30, "1" * 4000, "gzip", "deflate", "identity", "gzip,gzip", "application/json",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml; charset=utf-7", "2026-04-01T12:00:00Z",
    "https://api.paypal.com/v1/notifications/certs/x", "https://evil.example/x", "http://[", "\u0661\u0662", "1e9", "0x10",
)  # fmt: skip


class Choice(Protocol):
    """Where chance comes from."""

    def whole(self, low: int, high: int) -> int: ...

    def raw(self, most: int) -> bytes: ...


class Dice:
    """Chance from a seed."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)

    def whole(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def raw(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randint(0, most))


def pick(choice: Choice, among: Sequence[T]) -> T:
    return among[choice.whole(0, len(among) - 1)]


def mutated_json(value: Any, choice: Choice) -> Any:
    """The value with one member somewhere in it changed, dropped, doubled or renamed."""
    if isinstance(value, dict) and value and choice.whole(0, 9):
        name = pick(choice, list(value))
        how = choice.whole(0, 11)
        if how == 0:
            return {key: member for key, member in value.items() if key != name}
        if how == 1:
            return {**value, str(pick(choice, ODD))[:50]: value[name]}
        return {**value, name: mutated_json(value[name], choice)}
    if isinstance(value, list) and value and choice.whole(0, 9):
        place = choice.whole(0, len(value) - 1)
        if choice.whole(0, 5) == 0:
            return value * 2 if len(value) < 50 else value[:place]
        return [*value[:place], mutated_json(value[place], choice), *value[place + 1 :]]
    if isinstance(value, str) and value and choice.whole(0, 2) == 0:
        at = choice.whole(0, len(value))
        return value[:at] + str(pick(choice, ODD))[:20] + value[at + choice.whole(0, 3) :]
    return pick(choice, ODD)


def torn(body: bytes, choice: Choice) -> bytes:
    """The bytes with pieces cut, put in, doubled or turned over."""
    for _ in range(choice.whole(1, 4)):
        at, length = choice.whole(0, len(body)), choice.whole(0, 40)
        piece = pick(choice, TOKENS) if choice.whole(0, 1) else choice.raw(12)
        how = choice.whole(0, 4)
        if how == 0:
            body = body[:at]
        elif how == 1:
            body = body[:at] + body[at : at + length] * choice.whole(2, 30) + body[at + length :]
        elif how == 2:
            body = body[:at] + piece + body[at + length :]
        elif how == 3:
            body = body[:at] + piece + body[at:]
        elif body:
            at = min(at, len(body) - 1)
            body = body[:at] + bytes([body[at] ^ (1 << choice.whole(0, 7))]) + body[at + 1 :]
    return body[: 1 << 16]


def mutated(body: bytes, suffix: str, choice: Choice) -> bytes:
    """A body of the provider's with something wrong in it, more often in its members than in its bytes."""
    if choice.whole(0, 3) == 0:
        return torn(body, choice)
    try:
        if suffix == ".form":
            fields = parse_qsl(body.decode(), keep_blank_values=True)
            place = choice.whole(0, max(0, len(fields) - 1))
            fields[place : place + 1] = [(fields[place][0], str(pick(choice, ODD)))] * choice.whole(0, 3)
            return urlencode(fields, errors="surrogatepass").encode()
        value = json.loads(body)
        for _ in range(choice.whole(1, 3)):
            value = mutated_json(value, choice)
        return json.dumps(value, ensure_ascii=bool(choice.whole(0, 3))).encode("utf-8", "surrogatepass")
    except (ValueError, IndexError, RecursionError):
        return torn(body, choice)


@dataclass(frozen=True)
class Case:
    """A request, and whether the provider's own secret signed it."""

    place: Place
    path: str
    incoming: HttpRequest
    signed: bool


def case(choice: Choice) -> Case:
    """One request: mostly signed over a body that is wrong, else wrong in its headers, query, path or all of it."""
    place = pick(choice, places())
    golden = pick(choice, place.goldens)
    kind = choice.whole(0, 9)
    body = mutated(golden.body, golden.path.suffix, choice) if kind < 8 else choice.raw(300)
    try:
        incoming = place.request(golden, body=body)
        signed = True
    except (
        SegueError,
        Unreadable,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
    ):  # nothing to put a signature into
        incoming, signed = replace(place.request(), body=body), False
    if kind in {5, 6, 9}:
        headers = dict(incoming.headers)
        for _ in range(choice.whole(1, 4)):
            name = pick(choice, [*headers, "content-encoding", "content-length", "content-type", "x-odd"])
            how = choice.whole(0, 3)
            if how == 0:
                headers.pop(name, None)
            elif how == 1:
                headers[name] = f"{headers.get(name, '')}, {headers.get(name, '')}"
            else:
                headers[name] = pick(choice, VALUES) if how == 2 else choice.raw(40).decode("latin-1")
        incoming, signed = replace(incoming, headers=headers), False
    query, token, method = urlencode(incoming.query), incoming.token, incoming.method
    if kind in {7, 9}:
        query = choice.raw(60).decode("latin-1") if choice.whole(0, 1) else f"{query}&{query}&a=%ff&=&;"
        token = pick(choice, ["", "/", "..", "../../x", token + "/", choice.raw(20).decode("latin-1")])
        method = pick(choice, ["POST", "POST", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "GET", "TRACE", "X"])
        signed = False
    name = (
        place.name
        if choice.whole(0, 30)
        else pick(choice, ["", "unknown", place.name.upper(), "a" * 500, "\xff", place.name + "\x00"])
    )
    path = f"/webhooks/{name}" + (f"/{token}" if token else "")
    return Case(place, path, replace(incoming, query_string=query, method=method), signed)


@dataclass
class Tally:
    """What came of the cases so far."""

    cases: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    raised: dict[str, str] = field(default_factory=dict)
    """The last line of a translator's traceback, and the source whose event it was."""


class Fuzzed:
    """A handler over a real journal; `try_` sends one case and checks its answer."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.handler = door(journal, max_body=1 << 16)
        self.tally = Tally()

    def try_(self, tried: Case) -> None:
        before = self.journal.count()
        status, headers, body = call(self.handler, tried.path, tried.incoming)
        new = self.journal.count() - before
        about = f"{tried.place.name}: {status} {body[:200]!r} to {tried.incoming!r}"
        self.tally.cases += 1
        self.tally.answers[status] += 1
        assert 200 <= status < 300 or status in DECLARED, about
        assert int(headers["Content-Length"]) == len(body), about
        if status >= 400:
            assert new == 0, f"stored on a rejection: {about}"
            assert set(json.loads(body)) == {"error", "reason", "hint"}, about
            assert tried.place.endpoint.secrets[0].encode() not in body, about
            return
        self._accepted(tried, body, new, about)

    def _accepted(self, tried: Case, body: bytes, new: int, about: str) -> None:
        source = tried.place.source
        if source.nack is not None and body == source.nack.body:
            assert new == 0, f"stored and not acknowledged: {about}"
            return
        if body.startswith((b'{"status":"accepted"', b'{"status":"duplicate"', b'{"status":"kept"')):
            answer = json.loads(body)
            assert answer["new"] == new, f"a 200 for what is not stored: {about}"
        elif source.ack is None or body != source.ack.body:
            assert new == 0, f"a handshake that stored something: {about}"
        self.tally.stored += new
        for row in self.journal.rows(newest_first=True, limit=min(new, 20)) if new else ():
            assert row.event.source == tried.place.name, about
            outcome = translate(row.event, tried.place.endpoint, namespace="fuzz")
            assert isinstance(outcome, Translated | Ignored | Unsupported | Broken), about
            self.tally.outcomes[type(outcome).__name__] += 1
            if isinstance(outcome, Broken) and outcome.reason.startswith("Traceback"):
                self.tally.raised[outcome.reason.strip().splitlines()[-1][:150]] = tried.place.name


SOAPS = [golden for place in places() if place.source.name == "salesforce" for golden in place.goldens]


def soap_body(choice: Choice) -> bytes:
    """An Outbound Message that something is wrong with."""
    body = torn(pick(choice, SOAPS).body, choice) if choice.whole(0, 9) else choice.raw(400)
    return body + torn(pick(choice, SOAPS).body, choice) if choice.whole(0, 9) == 0 else body


def try_soap(body: bytes) -> bool:
    """Whether it was read: whole, from its own bytes, or refused as malformed, and nothing else."""
    try:
        envelope = soap.read(body)
    except Malformed:
        return False
    for raw, namespaces in envelope.notifications:
        assert raw in body
        try:
            soap.notification(raw, namespaces)
        except Malformed:
            continue
    return True
