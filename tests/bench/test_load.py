"""The load generators, and the signed requests that they send."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import pytest

from bench.load import Load, drive, is_whole
from bench.payloads import PATH, checkouts, endpoint, read_requests, write_requests
from bench.suites.delivery import messages
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal
from webhooks.web.handler import WebhookHandler

GENERATORS = [
    pytest.param(True, marks=pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed"), id="wrk"),
    pytest.param(False, id="Python"),
]


class RecordingReceiver(ThreadingHTTPServer):
    """`received` has each request's path, headers and body."""

    def __init__(self, address, handler):
        super().__init__(address, handler)
        self.received: list[tuple[str, dict[str, str], bytes]] = []


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, dict(self.headers), body))
            status = 400 if len(received) % 10 == 0 and self.path == "/refuses" else 200
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    running = RecordingReceiver(("127.0.0.1", 0), Handler)
    received = running.received
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.mark.parametrize("wrk", GENERATORS)
def test_requests_are_sent_in_turn_and_are_valid_deliveries(server, tmp_path, wrk):
    write_requests(tmp_path / "requests", "run", 50)
    load = drive(server.server_port, PATH, tmp_path / "requests", connections=1, seconds=1, wrk=wrk)
    assert (load.refused, load.broken) == (0, 0)
    first = server.received[:50]
    assert {path for path, _, _ in first} == {PATH}
    ids = {json.loads(body)["id"] for _, _, body in first}
    assert ids == {f"evt_run_{number}" for number in range(50)}
    at = endpoint()
    journal = SqliteJournal(tmp_path / "segue.db")
    handler = WebhookHandler(endpoints={"stripe": at}, sources={}, journal=journal, max_body=10**6)
    for _, headers, body in first:
        assert 2900 < len(body) < 3200
        request = HttpRequest(method="POST", body=body, headers={name.lower(): text for name, text in headers.items()})
        assert handler.handle("stripe", request).status == 200
    assert journal.count() == 50
    journal.close()


@pytest.mark.parametrize("wrk", GENERATORS)
def test_refused_requests_are_counted(server, tmp_path, wrk):
    write_requests(tmp_path / "requests", "run", 40)
    load = drive(server.server_port, "/refuses", tmp_path / "requests", connections=2, seconds=1, wrk=wrk)
    assert load.refused >= 4
    assert load.rate > 0
    assert 0 < load.p50 <= load.p99


def test_the_load_ends_with_its_seconds(server, tmp_path):
    write_requests(tmp_path / "requests", "run", 20_000)
    load = drive(server.server_port, PATH, tmp_path / "requests", connections=4, seconds=0.3, wrk=False)
    assert 0 < load.requests < 20_000
    assert load.seconds < 10


def test_a_load_of_no_time_has_no_rate():
    assert Load(0, 0.0, 0.0, 0.0, 0, 0).rate == 0


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2", b"o", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2", b"ok", True),
        (b"HTTP/1.1 204 No Content", b"", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"2\r\nok\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"2\r\nok\r\n0\r\n\r\n", True),
    ],
)
def test_a_response_is_whole_with_all_of_its_body(head, body, expected):
    assert is_whole(head, body) is expected


def test_requests_are_read_as_they_were_written(tmp_path):
    write_requests(tmp_path / "requests", "run", 3)
    requests = list(read_requests(tmp_path / "requests"))
    assert len(requests) == 3
    assert all(request.startswith(b"Host: bench\r\n") for request in requests)
    assert list(islice(read_requests(tmp_path / "requests"), 1)) == requests[:1]


def test_a_checkout_of_3_kb_becomes_two_messages():
    (event,) = checkouts(1)
    assert 2900 < len(event.raw) < 3200
    assert [message["event"] for message in messages(1)] == ["Checkout Started", "Order Completed"]
