"""Requests that arrive byte by byte ("slow loris"), with real gunicorn and real sockets."""

import contextlib
import time
from pathlib import Path

import pytest

from support.processes import EVENT
from support.raw_requests import ENTRANCES, read, request, status, web

REQUEST_TIMEOUT = 1.0


CONCURRENT = pytest.mark.parametrize("wire", ENTRANCES, indirect=True)
"""The sync worker serves one request at a time without keep-alive: docs/security.md."""


@pytest.fixture(params=[*ENTRANCES, "sync"])
def wire(request: pytest.FixtureRequest, tmp_path: Path):
    with web(tmp_path, entrance=request.param, SEGUE_REQUEST_TIMEOUT=str(REQUEST_TIMEOUT)) as wire:
        yield wire


def dribble(sock, data, *, every=0.1, most=60):
    """Send one byte at a time until the server closes; return whether it closed."""
    try:
        for number in range(most):
            sock.sendall(data[number : number + 1] or b"x")
            time.sleep(every)
    except OSError:
        return True
    return False


def test_slow_headers_are_cut_off(wire) -> None:
    with wire.connect() as sock:
        assert dribble(sock, wire.prepared(request()) + b"x" * 100)
    assert wire.rows() == []


def test_silent_connection_is_closed(wire) -> None:
    with wire.connect() as sock:
        assert read(sock) == b""


def test_slow_body_is_408_and_not_stored(wire) -> None:
    data = wire.prepared(request())
    with wire.connect() as sock:
        sock.sendall(data[: -len(EVENT)])
        dribble(sock, EVENT, most=8)
        response = read(sock)
    assert status(response) == 408
    assert b'"too_slow"' in response
    assert wire.rows() == []


def test_slow_chunked_body_is_cut_off(wire) -> None:
    with wire.connect() as sock:
        sock.sendall(wire.prepared(request(b"Transfer-Encoding: chunked", body=b"", length=False)))
        with contextlib.suppress(OSError):
            for _ in range(30):
                sock.sendall(b"1\r\nx\r\n")
                time.sleep(0.1)
        assert status(read(sock)) in {0, 408}
    assert wire.rows() == []


@CONCURRENT
def test_keep_alive_pause_longer_than_the_request_timeout_is_served(wire) -> None:
    """The timeout applies to a request, not to the connection."""
    keep = request().replace(b"Connection: close", b"Connection: keep-alive")
    with wire.connect() as sock:
        for _ in range(2):
            sock.sendall(keep)
            response = b""
            while not response.endswith(b"}"):
                response += sock.recv(4096)
            assert status(response) == 200
            time.sleep(REQUEST_TIMEOUT * 1.5)


@CONCURRENT
def test_other_clients_are_served_beside_25_slow_ones(wire) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(wire.connect()) for _ in range(25)]
        for sock in slow:
            sock.sendall(wire.prepared(request())[:40])
        began = time.monotonic()
        assert status(wire.send(request())) == 200
        assert time.monotonic() - began < 15
    assert len(wire.rows()) == 1
