"""More than there is room for: bodies, headers, bombs. Real gunicorn where gunicorn has to say no."""

import gzip
import json
import time
import tracemalloc
import zlib

import pytest

from doors import PLACES_BY_NAME, door, take
from memory_journal import MemoryJournal
from running import EVENT
from translators.kit import HmacRequest, SharedToken
from webhooks.journal import State
from webhooks.web.handler import HttpRequest
from wire import request, status, web


@pytest.fixture(scope="module")
def wire(tmp_path_factory):
    with web(tmp_path_factory.mktemp("web"), SEGUE_MAX_BODY="64KiB") as wire:
        yield wire


def test_a_body_over_the_limit_is_refused_before_it_is_read(wire):
    head = request(b"Content-Length: 99999999999", body=b"", length=False, signed=False)
    answer = wire.send(head, finish=False)
    assert status(answer) == 413
    assert b'"body_too_large"' in answer


def test_a_chunked_body_over_the_limit_is_refused(wire):
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    whole = request(b"Transfer-Encoding: chunked", body=chunk * 3 + b"0\r\n\r\n", length=False, signed=False)
    assert status(wire.send(whole)) == 413


@pytest.mark.parametrize(
    "headers",
    [
        [b"X-%d: 1" % number for number in range(120)],
        [b"X-Long: " + b"a" * 10_000],
        [b"a" * 10_000 + b": 1"],
    ],
    ids=["many", "a long one", "a long name"],
)
def test_headers_that_are_too_many_or_too_long_are_refused_by_gunicorn(wire, headers):
    assert status(wire.send(request(*headers))) in {400, 431}
    assert wire.rows() == []


def test_a_long_request_line_is_refused_by_gunicorn(wire):
    assert status(wire.send(request(path=b"/webhooks/acme?" + b"a" * 5_000))) in {400, 414}


@pytest.mark.parametrize("told", [b"1" * 5_000, b"-1", b"+5", b"5, 5", b"0x5", b"5 5", "\u0665".encode(), b""])
def test_a_length_that_is_none_is_refused_by_gunicorn(wire, told):
    answer = wire.send(request(b"Content-Length: " + told, body=EVENT, length=False))
    assert status(answer) in {400, 401}  # where there is no length, the signature of no body is asked for
    assert wire.rows() == []


def test_the_server_goes_on_after_all_of_this(wire):
    assert status(wire.send(request())) == 200
    assert len(wire.rows()) == 1


# What gunicorn lets through, the door bounds by itself.


def post(body, **headers):
    journal = MemoryJournal()
    name = "github"
    told = {"content-type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    answer = take(door(journal), name, HttpRequest(method="POST", body=body, headers=told))
    assert journal.rows() == []
    return answer


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_deflate_bomb_is_refused_and_takes_no_more_than_the_limit(encoding):
    machine = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    bomb = b"".join([*(machine.compress(b"\0" * (1 << 20)) for _ in range(200)), machine.flush()])
    assert len(bomb) < 300_000
    tracemalloc.start()
    try:
        assert post(bomb, content_encoding=encoding).status == 413
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "gzip\x00", "GZIP;q=1", "zstd", "compress"])
def test_an_encoding_that_nobody_needs_is_refused(encoding):
    assert post(gzip.compress(EVENT), content_encoding=encoding).status == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"\x1f\x8b", gzip.compress(EVENT)[:-9], b"\x1f\x8b" + b"\xff" * 100],
    ids=["nothing", "two bytes", "cut short", "noise"],
)
def test_what_only_says_that_it_is_compressed_is_refused(body):
    assert post(body, content_encoding="gzip").status == 400


SIGNED_FORMS = [
    place for place in PLACES_BY_NAME.values()
    if isinstance(place.endpoint.scheme, HmacRequest) and "form" in place.endpoint.scheme.parts
]  # fmt: skip


@pytest.mark.parametrize("place", SIGNED_FORMS, ids=lambda place: place.name)
def test_a_form_of_a_hundred_thousand_fields_is_refused_before_they_are_sorted(place):
    """It took two seconds of a whole process, before anything was proven."""
    body = b"&".join(b"a%d=1" % number for number in range(100_000))
    genuine = place.request()
    journal = MemoryJournal()
    forged = HttpRequest(method="POST", body=body, headers={**genuine.headers, "content-length": str(len(body))})
    answer = take(door(journal), place.name, forged)
    assert (answer.status, json.loads(answer.body)["error"]) == (401, "signature_malformed")
    assert "fields" in json.loads(answer.body)["reason"]


def test_no_forgery_costs_the_door_seconds():
    """A bound so wide that only a blow-up breaks it: what is quadratic takes minutes at this size."""
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
    opened = door(journal)
    for place in PLACES_BY_NAME.values():
        genuine = place.request()
        for body in bodies:
            began = time.perf_counter()
            take(opened, place.name, HttpRequest(method="POST", body=body, headers=genuine.headers, token="t"))
            assert time.perf_counter() - began < 5, (place.name, body[:20])
    by_token = {place.name for place in PLACES_BY_NAME.values() if isinstance(place.endpoint.scheme, SharedToken)}
    assert {row.event.source for row in journal.rows()} <= by_token  # a token proves no body: it is kept as dead
    assert {row.state for row in journal.rows()} <= {State.DEAD}
