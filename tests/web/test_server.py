"""The web server with real gunicorn, on each worker class."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from faults.testbed import SCHEME, SECRET, free_port
from webhooks.journal import SqliteJournal
from webhooks.signatures import sign


@pytest.fixture(params=["gevent", "gthread", "sync"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    number = free_port()
    env = {
        "PATH": os.environ["PATH"], "PORT": str(number), "SEGUE_HOST": "127.0.0.1", "WEB_CONCURRENCY": "2",
        "SEGUE_WORKER_CLASS": request.param, "SEGUE_DATABASE": f"sqlite:///{tmp_path}/segue.db", "SEGMENT_WRITE_KEY": "wk",
        "STRIPE_WEBHOOK_SECRET": SECRET, "SEGUE_MAX_BODY": "100KiB",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "webhooks.cli", "web"],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if send(number, "GET", "/readyz")[0] == 200:
                break
        except OSError:
            time.sleep(0.05)
    yield number
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def send(port: int, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers, encode_chunked=headers.get("Transfer-Encoding") == "chunked")  # type: ignore[arg-type]
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def event(key: str) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(
        {"id": key, "type": "customer.created", "created": int(time.time()), "data": {"object": {}}}
    ).encode()
    return body, dict(sign(SCHEME, body=body, secret=SECRET, now=datetime.now(UTC)).headers)


def test_webhooks_arrive_with_length_chunked_and_over_keep_alive(port: int, tmp_path: Path) -> None:
    body, headers = event("evt_1")
    assert send(port, "POST", "/webhooks/stripe", body, **headers)[0] == 200
    body, headers = event("evt_2")
    chunks = iter([body[:10], body[10:]])
    assert send(port, "POST", "/webhooks/stripe", chunks, **headers, **{"Transfer-Encoding": "chunked"})[0] == 200
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(3, 6):
        body, headers = event(f"evt_{number}")
        connection.request("POST", "/webhooks/stripe/", body, headers)
        assert connection.getresponse().read()
    connection.close()
    journal = SqliteJournal(tmp_path / "segue.db")
    assert {row.event.id for row in journal.rows()} == {f"evt_{n}" for n in range(1, 6)}
    journal.close()


def test_bad_requests_are_answered_and_the_next_delivery_is_accepted(port: int) -> None:
    body, headers = event("evt_1")
    assert send(port, "HEAD", "/webhooks/stripe")[0] == 200
    assert send(port, "PUT", "/webhooks/stripe", b"x")[0] == 405
    assert send(port, "POST", "/webhooks/unknown", b"x")[0] == 404
    assert send(port, "POST", "/webhooks/stripe", body)[0] == 401
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort")
    status, response_body = send(port, "POST", "/webhooks/stripe", b"x" * 150_000)
    assert (status, json.loads(response_body)["error"]) == (413, "body_too_large")
    assert send(port, "POST", "/webhooks/stripe", body, **headers)[0] == 200
