"""Random requests to the endpoints of every installed source, and checks of each response.

Randomness comes from a `Choice`, so that hypothesis, atheris and a seeded generator drive the same cases.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode

from support.installed_endpoints import InstalledEndpoint, all_endpoints, call_wsgi, make_handler
from translators.kit import Malformed
from translators.salesforce import soap
from webhooks.errors import SegueError
from webhooks.http.request import HttpRequest
from webhooks.journal import Journal
from webhooks.signatures.presented import Unreadable
from webhooks.translation.translate import Broken, Ignored, Translated, Unsupported, translate

T = TypeVar("T")
DECLARED = {400, 401, 403, 404, 405, 408, 413, 415}
"""The error statuses that a request may get. No request may cause a 5xx."""
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
    """A source of randomness."""

    def whole(self, low: int, high: int) -> int: ...

    def raw(self, most: int) -> bytes: ...


class Dice:
    """Randomness from a seed."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)

    def whole(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def raw(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randint(0, most))


def pick(choice: Choice, among: Sequence[T]) -> T:
    return among[choice.whole(0, len(among) - 1)]


def mutated_json(value: Any, choice: Choice) -> Any:
    """Return the value with one of its members changed, dropped, doubled or renamed."""
    if isinstance(value, dict) and value and choice.whole(0, 9):
        name = pick(choice, list(value))
        how = choice.whole(0, 11)
        if how == 0:
            return {key: member for key, member in value.items() if key != name}
        if how == 1:
            return {**value, str(pick(choice, ODD))[:50]: value[name]}
        return {**value, name: mutated_json(value[name], choice)}
    if isinstance(value, list) and value and choice.whole(0, 9):
        index = choice.whole(0, len(value) - 1)
        if choice.whole(0, 5) == 0:
            return value * 2 if len(value) < 50 else value[:index]
        return [*value[:index], mutated_json(value[index], choice), *value[index + 1 :]]
    if isinstance(value, str) and value and choice.whole(0, 2) == 0:
        at = choice.whole(0, len(value))
        return value[:at] + str(pick(choice, ODD))[:20] + value[at + choice.whole(0, 3) :]
    return pick(choice, ODD)


def torn_bytes(body: bytes, choice: Choice) -> bytes:
    """Return the bytes with parts cut, inserted, doubled or flipped."""
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
    """Return a provider's body with an error in it, more often in its members than in its bytes."""
    if choice.whole(0, 3) == 0:
        return torn_bytes(body, choice)
    try:
        if suffix == ".form":
            fields = parse_qsl(body.decode(), keep_blank_values=True)
            index = choice.whole(0, max(0, len(fields) - 1))
            fields[index : index + 1] = [(fields[index][0], str(pick(choice, ODD)))] * choice.whole(0, 3)
            return urlencode(fields, errors="surrogatepass").encode()
        value = json.loads(body)
        for _ in range(choice.whole(1, 3)):
            value = mutated_json(value, choice)
        return json.dumps(value, ensure_ascii=bool(choice.whole(0, 3))).encode("utf-8", "surrogatepass")
    except (ValueError, IndexError, RecursionError):
        return torn_bytes(body, choice)


@dataclass(frozen=True)
class FuzzCase:
    """A request, and whether it is signed with the provider's secret."""

    installed: InstalledEndpoint
    path: str
    request: HttpRequest
    signed: bool


def make_case(choice: Choice) -> FuzzCase:
    """Return one request: mostly a signed wrong body, otherwise wrong headers, query, path or all of them."""
    installed = pick(choice, all_endpoints())
    golden = pick(choice, installed.goldens)
    kind = choice.whole(0, 9)
    body = mutated(golden.body, golden.path.suffix, choice) if kind < 8 else choice.raw(300)
    try:
        request = installed.request(golden, body=body)
        signed = True
    except (
        SegueError,
        Unreadable,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
    ):  # the body has no member for the signature
        request, signed = replace(installed.request(), body=body), False
    if kind in {5, 6, 9}:
        headers = dict(request.headers)
        for _ in range(choice.whole(1, 4)):
            name = pick(choice, [*headers, "content-encoding", "content-length", "content-type", "x-odd"])
            how = choice.whole(0, 3)
            if how == 0:
                headers.pop(name, None)
            elif how == 1:
                headers[name] = f"{headers.get(name, '')}, {headers.get(name, '')}"
            else:
                headers[name] = pick(choice, VALUES) if how == 2 else choice.raw(40).decode("latin-1")
        request, signed = replace(request, headers=headers), False
    query, token, method = urlencode(request.query), request.path_token, request.method
    if kind in {7, 9}:
        query = choice.raw(60).decode("latin-1") if choice.whole(0, 1) else f"{query}&{query}&a=%ff&=&;"
        token = pick(choice, ["", "/", "..", "../../x", token + "/", choice.raw(20).decode("latin-1")])
        method = pick(choice, ["POST", "POST", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "GET", "TRACE", "X"])
        signed = False
    name = (
        installed.name
        if choice.whole(0, 30)
        else pick(choice, ["", "unknown", installed.name.upper(), "a" * 500, "\xff", installed.name + "\x00"])
    )
    path = f"/webhooks/{name}" + (f"/{token}" if token else "")
    return FuzzCase(installed, path, replace(request, query_string=query, method=method), signed)


@dataclass
class Tally:
    """The results of the cases so far."""

    cases: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    raised: dict[str, str] = field(default_factory=dict)
    """The last line of a translator's traceback, and its source."""


class Fuzzed:
    """A handler with a real journal; `send` sends one case and checks its response."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.handler = make_handler(journal, max_body=1 << 16)
        self.tally = Tally()

    def send(self, case: FuzzCase) -> None:
        before = self.journal.count()
        status, headers, body = call_wsgi(self.handler, case.path, case.request)
        new = self.journal.count() - before
        details = f"{case.installed.name}: {status} {body[:200]!r} to {case.request!r}"
        self.tally.cases += 1
        self.tally.answers[status] += 1
        assert 200 <= status < 300 or status in DECLARED, details
        assert int(headers["Content-Length"]) == len(body), details
        if status >= 400:
            assert new == 0, f"stored on a rejection: {details}"
            assert set(json.loads(body)) == {"error", "reason", "hint"}, details
            assert case.installed.endpoint.secrets[0].encode() not in body, details
            return
        self._accepted(case, body, new, details)

    def _accepted(self, case: FuzzCase, body: bytes, new: int, details: str) -> None:
        source = case.installed.source
        if source.nack is not None and body == source.nack.body:
            assert new == 0, f"stored and not acknowledged: {details}"
            return
        if body.startswith((b'{"status":"accepted"', b'{"status":"duplicate"', b'{"status":"kept"')):
            counts = json.loads(body)
            assert counts["new"] == new, f"a 200 for an event that is not stored: {details}"
        elif source.ack is None or body != source.ack.body:
            assert new == 0, f"a handshake that stored something: {details}"
        self.tally.stored += new
        for row in self.journal.rows(newest_first=True, limit=min(new, 20)) if new else ():
            assert row.event.source == case.installed.name, details
            outcome = translate(row.event, case.installed.endpoint, namespace="fuzz")
            assert isinstance(outcome, Translated | Ignored | Unsupported | Broken), details
            self.tally.outcomes[type(outcome).__name__] += 1
            if isinstance(outcome, Broken) and outcome.reason.startswith("Traceback"):
                self.tally.raised[outcome.reason.strip().splitlines()[-1][:150]] = case.installed.name


SOAPS = [
    golden for installed in all_endpoints() if installed.source.name == "salesforce" for golden in installed.goldens
]


def soap_body(choice: Choice) -> bytes:
    """Return an Outbound Message with an error in it."""
    body = torn_bytes(pick(choice, SOAPS).body, choice) if choice.whole(0, 9) else choice.raw(400)
    return body + torn_bytes(pick(choice, SOAPS).body, choice) if choice.whole(0, 9) == 0 else body


def parse_soap(body: bytes) -> bool:
    """Return whether the message was read. It must be read whole, from its own bytes, or refused as malformed."""
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
