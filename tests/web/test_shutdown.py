"""Shutdown on SIGTERM: idle connections do not delay it, and a started request is answered."""

import signal
import time
from pathlib import Path

import pytest

from support.processes import EVENT, free_port, get, output, segue, until
from support.raw_requests import Wire, read, request, status

SOON = 8.0
"""Seconds; gunicorn's own limit for a shutdown is 20."""


@pytest.mark.parametrize("kind", ["gevent", "gthread"])
def test_idle_connections_do_not_delay_shutdown(tmp_path: Path, kind: str) -> None:
    port = free_port()
    with segue(tmp_path, "web", PORT=str(port), SEGUE_WORKER_CLASS=kind, WEB_CONCURRENCY="2") as process:
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        wire = Wire(port, tmp_path)
        keep = request().replace(b"Connection: close", b"Connection: keep-alive")
        with wire.connect() as between, wire.connect() as fresh:
            between.sendall(keep)
            response = b""
            while not response.endswith(b"}"):
                response += between.recv(4096)
            assert status(response) == 200
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(25) == 0
            assert time.monotonic() - began < SOON
            assert read(between) == b""
            assert read(fresh) == b""


@pytest.mark.parametrize("plain", [False, True], ids=["WSGI", "before WSGI"])
@pytest.mark.parametrize("kind", ["gevent", "gthread"])
def test_started_request_is_answered_before_shutdown(tmp_path: Path, kind: str, plain: bool) -> None:
    port = free_port()
    with segue(tmp_path, "web", PORT=str(port), SEGUE_WORKER_CLASS=kind) as process:
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        wire = Wire(port, tmp_path, before_wsgi=plain)
        data = wire.prepared(request(body=EVENT))
        with wire.connect() as sock:
            sock.sendall(data[: -len(EVENT)] + EVENT[:10])
            time.sleep(0.5)  # it has begun
            process.send_signal(signal.SIGTERM)
            time.sleep(3)
            sock.sendall(EVENT[10:])
            assert status(read(sock)) == 200
        assert process.wait(25) == 0
        assert [row.event.id for row in wire.rows()] == ["evt_1"]
