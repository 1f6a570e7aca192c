"""Malformed framings and bodies, sent to every endpoint of every source on one real gunicorn.

None may cause a 500 or a traceback, and after each round the server accepts a good delivery.
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

from support.installed_endpoints import GOLDENS, InstalledEndpoint, all_endpoints, secrets_of, sources
from support.processes import EVENT, SECRET
from support.raw_requests import Wire, read, request, status, web
from translators.kit import PublicKey
from webhooks.errors import SegueError
from webhooks.http.request import HttpRequest
from webhooks.signatures.presented import Unreadable
from webhooks.translation.goldens import find_goldens

HOST = "https://hooks.example.com"
FIRST = {installed.source.name: installed for installed in reversed(all_endpoints())}
NAMES = sorted(FIRST)


def environment() -> dict[str, str]:
    env = {"SEGUE_PUBLIC_URL": HOST, "SEGUE_MAX_BODY": "64KiB", "SEGUE_LOG_LEVEL": "info", "WEB_CONCURRENCY": "1"}
    for name, installed in FIRST.items():
        env[f"{name.upper()}_WEBHOOK_SECRET"] = secrets_of(installed.endpoint.scheme, installed.name)[0]
        env[f"SEGUE_{name.upper()}_SCHEME"] = installed.scheme_name
        for option, value in installed.goldens[0].request.get("options", {}).items():
            env[f"SEGUE_{name.upper()}_{option.upper()}"] = value if isinstance(value, str) else ",".join(value)
    return env


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with web(tmp_path_factory.mktemp("web"), **environment()) as wire:
        yield wire


def renamed_endpoint(name: str) -> InstalledEndpoint:
    installed = FIRST[name]
    return replace(installed, endpoint=replace(installed.endpoint, name=name, public_url=f"{HOST}/webhooks/{name}"))


def signed(name: str, body: bytes | None = None) -> HttpRequest:
    """Return a request as the provider sends it now; unsigned if the body has no member for the signature.

    Its certificate URL is not the provider's, so that none is fetched.
    """
    installed, now = renamed_endpoint(name), datetime.now(UTC)
    try:
        http_request = installed.request(body=body, now=now)
    except (SegueError, Unreadable, ValueError, KeyError, TypeError, AttributeError, IndexError):
        http_request = replace(installed.request(now=now), body=body or b"")
    certificate = getattr(installed.endpoint.scheme, "cert_url_header", None)
    if certificate:
        http_request = replace(
            http_request, headers={**http_request.headers, certificate.lower(): "https://example.com/a"}
        )
    return http_request


def target(name: str, http_request: HttpRequest) -> bytes:
    path = f"/webhooks/{name}" + (f"/{http_request.path_token}" if http_request.path_token else "")
    query = http_request.query_string or urlencode(http_request.query)
    return (path + (f"?{query}" if query else "")).encode()


def head(name: str, http_request: HttpRequest, *more: bytes, method: bytes = b"POST") -> bytes:
    lines = [
        method + b" " + target(name, http_request) + b" HTTP/1.1",
        b"Host: hooks.example.com",
        b"Connection: close",
    ]
    for key, value in http_request.headers.items():
        if key not in {"content-length", "host"}:
            lines.append(f"{key}: {value}".encode())
    return b"\r\n".join((*lines, *more, b"", b""))


CHUNKED = b"Transfer-Encoding: chunked"
BAD_CHUNKS: dict[str, bytes] = {
    "a malformed size": b"zz\r\nabc\r\n0\r\n\r\n",
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
    http_request = signed(name)
    for case, chunks in BAD_CHUNKS.items():
        yield f"chunks: {case}", head(name, http_request, CHUNKED) + chunks
    body = http_request.body
    yield "cut short", head(name, http_request, b"Content-Length: %d" % (len(body) + 9)) + body
    yield "too large", head(name, http_request, b"Content-Length: 99999999")
    yield (
        "too large in chunks",
        head(name, http_request, CHUNKED) + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\nffff\r\n" + b"x" * 0xFFFF,
    )
    for coding in (b"gzip", b"deflate", b"br", b"gzip, gzip", b"utf-8", b"\xff", b"x" * 5000):
        yield (
            f"coding {coding[:20]!r}",
            head(name, http_request, b"Content-Encoding: " + coding, b"Content-Length: %d" % len(body)) + body,
        )
    for method in (b"GET", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND"):
        yield method.decode(), head(name, http_request, b"Content-Length: %d" % len(body), method=method) + body
        yield (
            f"{method.decode()} in bad chunks",
            head(name, http_request, CHUNKED, method=method) + BAD_CHUNKS["a malformed size"],
        )
    for odd in (b"%", b"%zz", b"a=%ff&%00=1", b"&&&===", b"a" * 3000, b"\xff\xfe=1"):
        line = head(name, http_request, b"Content-Length: %d" % len(body)).split(b" ", 2)
        yield f"query {odd[:20]!r}", b" ".join((line[0], line[1].partition(b"?")[0] + b"?" + odd, line[2])) + body
    for key in (*http_request.headers, "content-type", "authorization", "host", "x-forwarded-host"):
        for value in ("", "\xff\xfe", "{}", "https://api.paypal.com/v1/notifications/certs/a b", "9" * 400, "\x85"):
            headers = {**http_request.headers, key: value, "content-length": str(len(body))}
            odd_head = head(name, replace(http_request, headers=headers), b"Content-Length: %d" % len(body))
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


def assert_good_delivery(wire: Wire) -> None:
    """Assert that another endpoint accepts a delivery."""
    assert status(wire.send(request(body=EVENT))) == 200


def tracebacks(wire: Wire) -> list[dict[str, Any]]:
    return [line for line in wire.log() if "traceback" in line or line["level"] in {"error", "critical"}]


@pytest.mark.parametrize("name", NAMES)
def test_malformed_framing_is_never_a_500(wire: Wire, name: str) -> None:
    for case, data in framings(name):
        response = wire.send(data)
        assert status(response) < 500 or status(response) == 501, (
            case,
            response,
        )  # 501: a transfer coding that is unknown
        assert b"Traceback" not in response, case
        if case.startswith("chunks"):
            assert status(response) in {0, 400, 401, 408}, (case, response)
            assert response.count(b"HTTP/1.1 ") <= 1, (case, response)
    assert_good_delivery(wire)
    assert tracebacks(wire) == []


@pytest.mark.parametrize("name", NAMES)
def test_malformed_body_is_never_a_500(wire: Wire, name: str) -> None:
    for case, body in BODIES.items():
        for is_signed in (True, False):
            http_request = signed(name, body) if is_signed else HttpRequest(
                method="POST", body=body, headers={"content-type": "application/json", "x-front-challenge": "x"}
            )  # fmt: skip
            response = wire.send(
                head(name, http_request, b"Content-Length: %d" % len(http_request.body)) + http_request.body
            )
            assert status(response) in {200, 400, 401, 403}, (case, is_signed, response)
            if (
                is_signed
                and not isinstance(renamed_endpoint(name).endpoint.scheme, PublicKey)
                and http_request.body == body
            ):
                payload = response.partition(b"\r\n\r\n")[2]
                assert status(response) == 200 or b'"refused"' in payload or b"signature" in payload, (case, response)
    assert_good_delivery(wire)
    assert tracebacks(wire) == []


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/healthz?nonce=%ff", "/readyz", "/metrics", "/nowhere", "/webhooks", "/webhooks/", "//", "/webhooks/unknown/x",
             "/webhooks/%ff%00", "/%2e%2e/webhooks/acme", "/webhooks/acme/%c3%28"],
)  # fmt: skip
def test_malformed_requests_to_other_paths_are_never_a_500(wire: Wire, path: str) -> None:
    headers = [
        b"Accept: ;q=x,,*/*;q=9", b"Accept-Encoding: gzip;q=x", b"Authorization: Bearer \xff", b'Authorization: Digest "', b"Cookie: \xff=;;=",
        b"Range: bytes=x-", b'If-None-Match: "', b"If-Modified-Since: x", b"Content-Type: ;;;", b"Host: [", b"X-Forwarded-For: \xff",
    ]  # fmt: skip
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"X"):
        first = method + b" " + path.encode() + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        attempts = [first + header + b"\r\n\r\n" for header in headers]
        attempts += [first + CHUNKED + b"\r\n\r\n" + chunks for chunks in BAD_CHUNKS.values()]
        for data in attempts:
            response = wire.send(data)
            assert status(response) < 500, (data, response)
    assert_good_delivery(wire)
    assert tracebacks(wire) == []


def test_malformed_chunk_is_400_and_closes_the_connection(wire: Wire) -> None:
    """The bytes after it are not read as a request, because the end of the body is unknown."""
    hidden = request(body=EVENT.replace(b"evt_1", b"evt_hidden"))
    data = request(CHUNKED, body=b"zz\r\n", length=False).replace(b"Connection: close", b"Connection: keep-alive")
    with wire.connect() as sock:
        sock.sendall(data + hidden)
        response = read(sock)
    assert status(response) == 400
    assert b'"bad_framing"' in response
    assert response.count(b"HTTP/1.1 ") == 1
    assert "evt_hidden" not in {row.event.id for row in wire.rows()}


def test_refused_framings_are_logged_without_secrets(wire: Wire) -> None:
    for _, data in framings("stripe"):
        wire.send(data)
    lines = [line for line in wire.log() if line["message"] == "rejected"]
    assert {"bad_framing", "cut_short", "body_too_large", "method_not_allowed", "unsupported_encoding"} <= {
        line["error"] for line in lines
    }
    assert all(line["source"] and line["reason"] and line["status"] >= 400 for line in lines)
    text = json.dumps(lines)
    assert SECRET not in text
    for installed in FIRST.values():
        assert secrets_of(installed.endpoint.scheme, installed.name)[0] not in text


def test_framing_tests_cover_every_installed_source() -> None:
    assert set(NAMES) == {name for name in sources() if find_goldens(GOLDENS / name)}
    assert len(NAMES) >= 40
