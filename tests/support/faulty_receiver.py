"""A fake Segment with the faults of networks, proxies and Segment itself, over real sockets."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from webhooks.segment.fake import FakeSegment, _write_key


@dataclass
class ReceivedRequest:
    """A request as it was received."""

    key: str
    headers: Mapping[str, str]
    raw: bytes
    connection: object

    @property
    def batch(self) -> list[dict[str, Any]]:
        batch: list[dict[str, Any]] = json.loads(self.raw)["batch"]
        return batch

    @property
    def ids(self) -> list[str]:
        return [message["messageId"] for message in self.batch]


Fault = Callable[["_FaultyHandler", ReceivedRequest], None]


def status(code: int, body: str = "", **headers: str) -> Fault:
    """Answer with this status; underscores in header names are dashes."""

    def fault(handler: _FaultyHandler, _: ReceivedRequest) -> None:
        handler.answer(code, body.encode(), {name.replace("_", "-"): value for name, value in headers.items()})

    return fault


def slow(seconds: float) -> Fault:
    """Accept, and answer 200 late."""

    def fault(handler: _FaultyHandler, request: ReceivedRequest) -> None:
        time.sleep(seconds)
        handler.accept(request)

    return fault


def hang(handler: _FaultyHandler, _: ReceivedRequest) -> None:
    """Never answer."""
    handler.owner.closed.wait(30)
    handler.close_connection = True


def wait_for(event: threading.Event) -> Fault:
    """Accept once the event is set."""

    def fault(handler: _FaultyHandler, request: ReceivedRequest) -> None:
        event.wait(30)
        handler.accept(request)

    return fault


def reset(handler: _FaultyHandler, _: ReceivedRequest) -> None:
    """Reset the connection without a response."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.drop()


def lose_reply(handler: _FaultyHandler, request: ReceivedRequest) -> None:
    """Accept, and close the connection without a response."""
    handler.owner.receiver.take(handler.path, request.headers, handler.body)
    handler.drop()


def truncate(handler: _FaultyHandler, request: ReceivedRequest) -> None:
    """Accept, and close the connection in the middle of the response."""
    handler.owner.receiver.take(handler.path, request.headers, handler.body)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{'suc")
    handler.drop()


def dribble(where: str) -> Fault:
    """Send the `headers` or the `body` of the response one byte at a time, without end."""

    def fault(handler: _FaultyHandler, _: ReceivedRequest) -> None:
        handler.close_connection = True
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"
        try:
            handler.wfile.write(head + (b"\r\n" if where == "body" else b"X-Slow: "))
            while not handler.owner.closed.wait(0.02):
                handler.wfile.write(b"a")
        except OSError:
            pass

    return fault


@dataclass
class FaultyReceiver:
    """Serves on a free port while the `with` block runs.

    certificate   a PEM file of certificate and key; if set, the server uses TLS
    plan          the faults of the next requests, one each
    always        the fault of every request that `plan` has none for
    poison        messageIds whose batch is answered 400
    refused_keys  write keys that are answered 401
    most_bytes    bigger bodies are answered 413
    """

    receiver: FakeSegment = field(default_factory=FakeSegment)
    certificate: Path | None = None
    plan: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    poison: Collection[str] = ()
    refused_keys: set[str] = field(default_factory=set)
    most_bytes: int = 10**9
    requests: list[ReceivedRequest] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        handler = type("Handler", (_FaultyHandler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        scheme = "http"
        if self.certificate:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._server.block_on_close = False
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def ids(self) -> list[str]:
        """Return the accepted messageIds, duplicates included."""
        return [message["messageId"] for message in self.receiver.received]

    def wait_for_requests(self, count: int) -> None:
        deadline = time.monotonic() + 20
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} of {count} requests arrived"
            time.sleep(0.002)


class _FaultyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: FaultyReceiver
    body: bytes

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = gzip.decompress(self.body) if headers.get("content-encoding") == "gzip" else self.body
        request = ReceivedRequest(_write_key(headers.get("authorization", "")), headers, raw, self.connection)
        self.owner.requests.append(request)
        try:
            fault = self.owner.plan.popleft()
        except IndexError:
            fault = self.owner.always or _FaultyHandler.accept
        fault(self, request)

    def accept(self, request: ReceivedRequest) -> None:
        owner = self.owner
        if request.key in owner.refused_keys:
            self.answer(401, b'{"message":"no such write key"}')
        elif len(request.raw) > owner.most_bytes:
            self.answer(413, b"too large")
        elif owner.poison and any(id_ in owner.poison for id_ in request.ids):
            self.answer(400, b'{"success":false,"message":"malformed"}')
        else:
            self.answer(*owner.receiver.take(self.path, request.headers, self.body))

    def answer(self, code: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drop(self) -> None:
        self.close_connection = True
        self.wfile = io.BytesIO()
        self.rfile.close()
        self.connection.close()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client gave up
            self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        pass
