"""Requests that come byte by byte ("slow loris") against real gunicorn with real sockets."""

import contextlib
import time

import pytest

from running import EVENT
from wire import read, request, status, web

PATIENCE = 1.0


CONCURRENT = pytest.mark.parametrize("wire", ["gevent", "gthread"], indirect=True)
"""The sync worker serves one after the other, and keeps no connection: docs/security.md."""


@pytest.fixture(params=["gevent", "gthread", "sync"])
def wire(request, tmp_path):
    with web(tmp_path, SEGUE_WORKER_CLASS=request.param, SEGUE_REQUEST_TIMEOUT=str(PATIENCE)) as wire:
        yield wire


def dribble(sock, data, *, every=0.1, most=60):
    """One byte at a time until the server has had enough; whether it had."""
    try:
        for number in range(most):
            sock.sendall(data[number : number + 1] or b"x")
            time.sleep(every)
    except OSError:
        return True
    return False


def test_headers_that_dribble_are_cut_off(wire):
    with wire.connect() as sock:
        assert dribble(sock, request() + b"x" * 100)
    assert wire.rows() == []


def test_a_connection_that_says_nothing_is_closed(wire):
    with wire.connect() as sock:
        assert read(sock) == b""


def test_a_body_that_dribbles_is_answered_408_and_nothing_is_stored(wire):
    whole = request()
    with wire.connect() as sock:
        sock.sendall(whole[: -len(EVENT)])
        dribble(sock, EVENT, most=8)
        answer = read(sock)
    assert status(answer) == 408
    assert b'"too_slow"' in answer
    assert wire.rows() == []


def test_a_chunked_body_that_dribbles_is_cut_off(wire):
    with wire.connect() as sock:
        sock.sendall(request(b"Transfer-Encoding: chunked", body=b"", length=False))
        with contextlib.suppress(OSError):
            for _ in range(30):
                sock.sendall(b"1\r\nx\r\n")
                time.sleep(0.1)
        assert status(read(sock)) in {0, 408}
    assert wire.rows() == []


@CONCURRENT
def test_a_client_in_no_hurry_between_two_requests_is_served(wire):
    """The patience is for a request, not for the connection."""
    keep = request().replace(b"Connection: close", b"Connection: keep-alive")
    with wire.connect() as sock:
        for _ in range(2):
            sock.sendall(keep)
            answer = b""
            while not answer.endswith(b"}"):
                answer += sock.recv(4096)
            assert status(answer) == 200
            time.sleep(PATIENCE * 1.5)


@CONCURRENT
def test_while_many_dawdle_others_are_served(wire):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(wire.connect()) for _ in range(25)]
        for sock in slow:
            sock.sendall(request()[:40])
        began = time.monotonic()
        assert status(wire.send(request())) == 200
        assert time.monotonic() - began < 15
    assert len(wire.rows()) == 1
