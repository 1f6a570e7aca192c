"""Every endpoint of every source, behind one real gunicorn, is sent every malformed framing and body.

None may cause a 500 or a traceback, and after each round the server takes a good delivery.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from doors import GOLDENS, Place, places, secrets_of, sources
from running import EVENT, SECRET
from translators.kit import PublicKey
from webhooks.errors import SegueError
from webhooks.signatures.presented import Unreadable
from webhooks.translation.goldens import find_goldens
from webhooks.web.handler import HttpRequest
from wire import Wire, read, request, status, web

HOST = "https://hooks.example.com"
FIRST = {place.source.name: place for place in reversed(places())}
NAMES = sorted(FIRST)


def environment() -> dict[str, str]:
    env = {"SEGUE_PUBLIC_URL": HOST, "SEGUE_MAX_BODY": "64KiB", "SEGUE_LOG_LEVEL": "info", "WEB_CONCURRENCY": "1"}
    for name, place in FIRST.items():
        env[f"{name.upper()}_WEBHOOK_SECRET"] = secrets_of(place.endpoint.scheme, place.name)[0]
        env[f"SEGUE_{name.upper()}_SCHEME"] = place.scheme_name
        for option, value in place.goldens[0].request.get("options", {}).items():
            env[f"SEGUE_{name.upper()}_{option.upper()}"] = value if isinstance(value, str) else ",".join(value)
    return env


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with web(tmp_path_factory.mktemp("web"), **environment()) as wire:
        yield wire


def place_of(name: str) -> Place:
    place = FIRST[name]
    return replace(place, endpoint=replace(place.endpoint, name=name, public_url=f"{HOST}/webhooks/{name}"))


def signed(name: str, body: bytes | None = None) -> HttpRequest:
    """As the provider would send it now; unsigned if there is nothing in the body to hold a signature.

    A certificate that is not the provider's is named, so that none is fetched.
    """
    place, now = place_of(name), datetime.now(UTC)
    try:
        incoming = place.request(body=body, now=now)
    except (SegueError, Unreadable, ValueError, KeyError, TypeError, AttributeError, IndexError):
        incoming = replace(place.request(now=now), body=body or b"")
    certificate = getattr(place.endpoint.scheme, "cert_url_header", None)
    if certificate:
        incoming = replace(incoming, headers={**incoming.headers, certificate.lower(): "https://example.com/a"})
    return incoming


def target(name: str, incoming: HttpRequest) -> bytes:
    path = f"/webhooks/{name}" + (f"/{incoming.token}" if incoming.token else "")
    query = incoming.query_string or urlencode(incoming.query)
    return (path + (f"?{query}" if query else "")).encode()


def head(name: str, incoming: HttpRequest, *more: bytes, method: bytes = b"POST") -> bytes:
    lines = [method + b" " + target(name, incoming) + b" HTTP/1.1", b"Host: hooks.example.com", b"Connection: close"]
    for key, value in incoming.headers.items():
        if key not in {"content-length", "host"}:
            lines.append(f"{key}: {value}".encode())
    return b"\r\n".join((*lines, *more, b"", b""))


CHUNKED = b"Transfer-Encoding: chunked"
BAD_CHUNKS: dict[str, bytes] = {
    "a size that is none": b"zz\r\nabc\r\n0\r\n\r\n",
    "a signed size": b"+3\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "a size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "an empty size": b"\r\nabc\r\n0\r\n\r\n",
    "a huge size": b"ffffffffffffffffffff\r\nabc",
    "a size line without end": b"1" * 70_000,
    "a chunk longer than its size": b"2\r\nabc\r\n0\r\n\r\n",
    "a chunk shorter than its size": b"9\r\nabc\r\n0\r\n\r\n",
    "no last chunk": b"3\r\nabc\r\n",
    "no end of trailers": b"3\r\nabc\r\n0\r\n",
    "a bad trailer": b"3\r\nabc\r\n0\r\nno colon\r\n\r\n",
    "a trailer with NUL": b"3\r\nabc\r\n0\r\nX: a\0b\r\n\r\n",
    "a folded trailer": b"3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n",
    "a bare CR in an extension": b"3;a=\rb\r\nabc\r\n0\r\n\r\n",
    "a bad extension": b"3;\x01\r\nabc\r\n0\r\n\r\n",
    "line feeds only": b"3\nabc\n0\n\n",
    "nothing": b"",
}


def framings(name: str) -> Iterator[tuple[str, bytes]]:
    incoming = signed(name)
    for what, chunks in BAD_CHUNKS.items():
        yield f"chunks: {what}", head(name, incoming, CHUNKED) + chunks
    body = incoming.body
    yield "cut short", head(name, incoming, b"Content-Length: %d" % (len(body) + 9)) + body
    yield "too large", head(name, incoming, b"Content-Length: 99999999")
    yield (
        "too large in chunks",
        head(name, incoming, CHUNKED) + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\nffff\r\n" + b"x" * 0xFFFF,
    )
    for coding in (b"gzip", b"deflate", b"br", b"gzip, gzip", b"utf-8", b"\xff", b"x" * 5000):
        yield (
            f"coding {coding[:20]!r}",
            head(name, incoming, b"Content-Encoding: " + coding, b"Content-Length: %d" % len(body)) + body,
        )
    for method in (b"GET", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND"):
        yield method.decode(), head(name, incoming, b"Content-Length: %d" % len(body), method=method) + body
        yield (
            f"{method.decode()} in bad chunks",
            head(name, incoming, CHUNKED, method=method) + BAD_CHUNKS["a size that is none"],
        )
    for odd in (b"%", b"%zz", b"a=%ff&%00=1", b"&&&===", b"a" * 3000, b"\xff\xfe=1"):
        line = head(name, incoming, b"Content-Length: %d" % len(body)).split(b" ", 2)
        yield f"query {odd[:20]!r}", b" ".join((line[0], line[1].partition(b"?")[0] + b"?" + odd, line[2])) + body
    for key in (*incoming.headers, "content-type", "authorization", "host", "x-forwarded-host"):
        for value in ("", "\xff\xfe", "{}", "https://api.paypal.com/v1/notifications/certs/a b", "9" * 400, "\x85"):
            headers = {**incoming.headers, key: value, "content-length": str(len(body))}
            odd_head = head(name, replace(incoming, headers=headers), b"Content-Length: %d" % len(body))
            yield f"{key}: {value[:20]!r}", odd_head + body


BODIES: dict[str, bytes] = {
    "empty": b"", "NUL": b"\0" * 50, "no UTF-8": b"\xff\xfe\xfd", "a byte order mark": b"\xef\xbb\xbf{}", "text": b"garbage", "null": b"null",
    "true": b"true", "number": b"12", "string": b'"x"', "list": b"[]", "object": b"{}", "lists in lists": b"[[[[1]]]]", "nulls": b"[null, null]",
    "deep": b"[" * 5000, "deep objects": b'{"a":' * 5000, "NaN": b'{"id": NaN}', "surrogate": b'{"id": "\\ud800", "type": "\\udfff"}',
    "long number": b'{"id": ' + b"9" * 5000 + b"}", "exponent": b'{"id": 1e999999999}', "twice": b'{"id": 1, "id": 2}', "cut": b'{"id": "evt_1", "ty',
    "form": b"a=1&b=%zz&payload=%7B", "a form of nothing": b"&&&=&", "payload of garbage": b"payload=garbage", "payload": b"payload=%7B%22type%22%3A1%7D",
    "challenge": b'{"type": "url_verification"}', "front": b'{"type": "sync"}', "grid": b'[{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"}]',
    "grid of garbage": b"SubscriptionValidationEvent {", "ens": b'{"callbackId": 1, "verificationKey": []}', "xml": b"<a", "doctype": b"<!DOCTYPE a><a/>",
    "xml of another": b"<a><b/></a>", "gzip": gzip.compress(b"{}"), "deflate": zlib.compress(b"{}"), "wrong types": b'{"id": {}, "type": [], "data": 1, "event": null}',
    "items": b'{"notificationItems": [1, null, {}]}', "signature": b'{"signature": {"timestamp": [], "token": {}, "signature": 1}}', "signature text": b'{"signature": "x"}',
}  # fmt: skip


def good(wire: Wire) -> None:
    """Another endpoint's delivery is taken."""
    assert status(wire.send(request(body=EVENT))) == 200


def tracebacks(wire: Wire) -> list[dict[str, Any]]:
    return [line for line in wire.log() if "traceback" in line or line["level"] in {"error", "critical"}]


@pytest.mark.parametrize("name", NAMES)
def test_no_framing_makes_a_500_and_the_server_goes_on(wire: Wire, name: str) -> None:
    for what, whole in framings(name):
        answer = wire.send(whole)
        assert status(answer) < 500 or status(answer) == 501, (what, answer)  # 501: a transfer coding that is unknown
        assert b"Traceback" not in answer, what
        if what.startswith("chunks"):
            assert status(answer) in {0, 400, 401, 408}, (what, answer)
            assert answer.count(b"HTTP/1.1 ") <= 1, (what, answer)
    good(wire)
    assert tracebacks(wire) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_body_makes_a_500_signed_or_not(wire: Wire, name: str) -> None:
    for what, body in BODIES.items():
        for is_signed in (True, False):
            incoming = signed(name, body) if is_signed else HttpRequest(
                method="POST", body=body, headers={"content-type": "application/json", "x-front-challenge": "x"}
            )  # fmt: skip
            answer = wire.send(head(name, incoming, b"Content-Length: %d" % len(incoming.body)) + incoming.body)
            assert status(answer) in {200, 400, 401, 403}, (what, is_signed, answer)
            if is_signed and not isinstance(place_of(name).endpoint.scheme, PublicKey) and incoming.body == body:
                payload = answer.partition(b"\r\n\r\n")[2]
                assert status(answer) == 200 or b'"refused"' in payload or b"signature" in payload, (what, answer)
    good(wire)
    assert tracebacks(wire) == []


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/healthz?nonce=%ff", "/readyz", "/metrics", "/nowhere", "/webhooks", "/webhooks/", "//", "/webhooks/nobody/x",
             "/webhooks/%ff%00", "/%2e%2e/webhooks/acme", "/webhooks/acme/%c3%28"],
)  # fmt: skip
def test_no_other_path_answers_500_either(wire: Wire, path: str) -> None:
    headers = [
        b"Accept: ;q=x,,*/*;q=9", b"Accept-Encoding: gzip;q=x", b"Authorization: Bearer \xff", b'Authorization: Digest "', b"Cookie: \xff=;;=",
        b"Range: bytes=x-", b'If-None-Match: "', b"If-Modified-Since: x", b"Content-Type: ;;;", b"Host: [", b"X-Forwarded-For: \xff",
    ]  # fmt: skip
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"X"):
        first = method + b" " + path.encode() + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        attempts = [first + header + b"\r\n\r\n" for header in headers]
        attempts += [first + CHUNKED + b"\r\n\r\n" + chunks for chunks in BAD_CHUNKS.values()]
        for whole in attempts:
            answer = wire.send(whole)
            assert status(answer) < 500, (whole, answer)
    good(wire)
    assert tracebacks(wire) == []


def test_a_malformed_chunk_is_answered_and_ends_the_connection(wire: Wire) -> None:
    """What stands behind it is no request: where the body ends is not known."""
    hidden = request(body=EVENT.replace(b"evt_1", b"evt_hidden"))
    whole = request(CHUNKED, body=b"zz\r\n", length=False).replace(b"Connection: close", b"Connection: keep-alive")
    with wire.connect() as sock:
        sock.sendall(whole + hidden)
        answer = read(sock)
    assert status(answer) == 400
    assert b'"bad_framing"' in answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert "evt_hidden" not in {row.event.key for row in wire.rows()}


def test_what_was_refused_is_in_the_log_without_secrets(wire: Wire) -> None:
    for _, whole in framings("stripe"):
        wire.send(whole)
    lines = [line for line in wire.log() if line["message"] == "rejected"]
    assert {"bad_framing", "cut_short", "body_too_large", "method_not_allowed", "unsupported_encoding"} <= {
        line["error"] for line in lines
    }
    assert all(line["source"] and line["reason"] and line["status"] >= 400 for line in lines)
    text = json.dumps(lines)
    assert SECRET not in text
    for place in FIRST.values():
        assert secrets_of(place.endpoint.scheme, place.name)[0] not in text


def test_every_installed_source_is_tried() -> None:
    assert set(NAMES) == {name for name in sources() if find_goldens(GOLDENS / name)}
    assert len(NAMES) >= 40
