"""Oversized bodies, headers and compressed bombs. Real gunicorn if gunicorn must refuse."""

import gzip
import json
import time
import tracemalloc
import zlib

import pytest

from support.installed_endpoints import ENDPOINTS_BY_NAME, handle, make_handler
from support.memory_journal import MemoryJournal
from support.processes import EVENT
from support.raw_requests import request, status, web
from translators.kit import HmacRequest, SharedToken
from webhooks.http.request import HttpRequest
from webhooks.journal import State


@pytest.fixture(scope="module", params=["gevent", "gevent before WSGI"])
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    with web(tmp_path_factory.mktemp("web"), entrance=request.param, SEGUE_MAX_BODY="64KiB") as wire:
        yield wire


def test_content_length_over_the_limit_is_413_before_reading(wire) -> None:
    head = request(b"Content-Length: 99999999999", body=b"", length=False, signed=False)
    response = wire.send(head, finish=False)
    assert status(response) == 413
    assert b'"body_too_large"' in response


def test_chunked_body_over_the_limit_is_413(wire) -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    data = request(b"Transfer-Encoding: chunked", body=chunk * 3 + b"0\r\n\r\n", length=False, signed=False)
    assert status(wire.send(data)) == 413


@pytest.mark.parametrize(
    "headers",
    [
        [b"X-%d: 1" % number for number in range(120)],
        [b"X-Long: " + b"a" * 10_000],
        [b"a" * 10_000 + b": 1"],
    ],
    ids=["many", "a long one", "a long name"],
)
def test_too_many_or_too_long_headers_are_refused(wire, headers) -> None:
    assert status(wire.send(request(*headers))) in {400, 431}
    assert wire.rows() == []


def test_long_request_line_is_refused(wire) -> None:
    assert status(wire.send(request(path=b"/webhooks/acme?" + b"a" * 5_000))) in {400, 414}


@pytest.mark.parametrize("length", [b"1" * 5_000, b"-1", b"+5", b"5, 5", b"0x5", b"5 5", "\u0665".encode(), b""])
def test_malformed_content_length_is_refused(wire, length) -> None:
    response = wire.send(request(b"Content-Length: " + length, body=EVENT, length=False))
    assert status(response) in {400, 401}  # without a length the body is empty and its signature is checked
    assert wire.rows() == []


def test_server_accepts_a_delivery_after_oversized_requests(wire) -> None:
    assert status(wire.send(request())) == 200
    assert len(wire.rows()) == 1


# The handler limits what gunicorn accepts.


def post(body, **headers):
    journal = MemoryJournal()
    name = "github"
    request_headers = {
        "content-type": "application/json",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    response = handle(make_handler(journal), name, HttpRequest(method="POST", body=body, headers=request_headers))
    assert journal.rows() == []
    return response


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_deflate_bomb_is_413_and_uses_bounded_memory(encoding) -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    bomb = b"".join([*(compressor.compress(b"\0" * (1 << 20)) for _ in range(200)), compressor.flush()])
    assert len(bomb) < 300_000
    tracemalloc.start()
    try:
        assert post(bomb, content_encoding=encoding).status == 413
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "gzip\x00", "GZIP;q=1", "zstd", "compress"])
def test_unsupported_content_encoding_is_415(encoding) -> None:
    assert post(gzip.compress(EVENT), content_encoding=encoding).status == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"\x1f\x8b", gzip.compress(EVENT)[:-9], b"\x1f\x8b" + b"\xff" * 100],
    ids=["nothing", "two bytes", "cut short", "noise"],
)
def test_invalid_gzip_body_is_400(body) -> None:
    assert post(body, content_encoding="gzip").status == 400


SIGNED_FORMS = [
    installed for installed in ENDPOINTS_BY_NAME.values()
    if isinstance(installed.endpoint.scheme, HmacRequest) and "form" in installed.endpoint.scheme.parts
]  # fmt: skip


@pytest.mark.parametrize("installed", SIGNED_FORMS, ids=lambda installed: installed.name)
def test_signed_form_with_100000_fields_is_refused_before_sorting(installed) -> None:
    """Sorting took two seconds of a process, before the signature was verified."""
    body = b"&".join(b"a%d=1" % number for number in range(100_000))
    genuine = installed.request()
    journal = MemoryJournal()
    forged = HttpRequest(method="POST", body=body, headers={**genuine.headers, "content-length": str(len(body))})
    response = handle(make_handler(journal), installed.name, forged)
    assert (response.status, json.loads(response.body)["error"]) == (401, "signature_malformed")
    assert "fields" in json.loads(response.body)["reason"]


def test_large_forged_bodies_are_refused_in_linear_time() -> None:
    """The limit is generous: quadratic work takes minutes at this size."""
    bodies = [
        b'{"data":[' + b",".join(b'{"id":%d}' % number for number in range(70_000)) + b"]}",
        b"[" * 500_000,
        b'{"a":' + b"1" * 1_000_000 + b"}",
        b"&".join(b"%%%02x=1" % (number % 256) for number in range(150_000)),
        b"<a " + b" ".join(b'a%d="1"' % number for number in range(60_000)) + b"/>",
        b" " * 1_000_000,
        b'"' + b"\\u0000" * 160_000 + b'"',
    ]
    journal = MemoryJournal()
    handler = make_handler(journal)
    for installed in ENDPOINTS_BY_NAME.values():
        genuine = installed.request()
        for body in bodies:
            began = time.perf_counter()
            handle(
                handler, installed.name, HttpRequest(method="POST", body=body, headers=genuine.headers, path_token="t")
            )
            assert time.perf_counter() - began < 5, (installed.name, body[:20])
    by_token = {
        installed.name for installed in ENDPOINTS_BY_NAME.values() if isinstance(installed.endpoint.scheme, SharedToken)
    }
    assert {
        row.event.source for row in journal.rows()
    } <= by_token  # a token does not cover the body: it is stored as dead
    assert {row.state for row in journal.rows()} <= {State.DEAD}
