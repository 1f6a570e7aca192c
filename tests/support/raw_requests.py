"""A real `segue web`, and raw bytes sent to it over a socket."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.processes import EVENT, SECRET, free_port, get, output, segue, until
from webhooks.journal import SqliteJournal

ENTRANCES = ["gevent", "gevent before WSGI", "gthread", "gthread before WSGI"]
"""Worker classes. A request that closes its connection is answered through WSGI, a plain one before it."""


@dataclass(frozen=True)
class Wire:
    """A running server. With `before_wsgi`, requests are sent without `Connection: close`."""

    port: int
    folder: Path
    before_wsgi: bool = False

    def prepared(self, request: bytes) -> bytes:
        """Return a request's bytes for this entrance."""
        return request.replace(b"Connection: close\r\n", b"", 1) if self.before_wsgi else request

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)

    def send(self, request: bytes, *, finish: bool = True) -> bytes:
        """Send a request and return the whole response, until the server closes; empty if it only closes.

        If the client does not `finish`, the request has to close the connection.
        """
        with self.connect() as sock:
            sock.sendall(self.prepared(request) if finish else request)
            if finish:
                with contextlib.suppress(OSError):  # the server may have closed it already
                    sock.shutdown(socket.SHUT_WR)
            return read(sock)

    def rows(self) -> list[Any]:
        journal = SqliteJournal(self.folder / "segue.db")
        try:
            return journal.rows()
        finally:
            journal.close()

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in output(self.folder).splitlines() if line.startswith("{")]


def read(sock: socket.socket) -> bytes:
    response = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            response += piece
    return response


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1]) if response.startswith(b"HTTP/") else 0


def signature(body: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def request(
    *headers: bytes, body: bytes = EVENT, path: bytes = b"/webhooks/acme", length: bool = True, signed: bool = True
) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: hooks.example.com", b"Connection: close"]
    lines += [b"X-Acme-Signature: " + signature(body)] if signed else []
    lines += [b"Content-Length: %d" % len(body)] if length else []
    return b"\r\n".join((*lines, *headers, b"", body))


@contextlib.contextmanager
def web(folder: Path, *, entrance: str = "gevent", **environ: str) -> Iterator[Wire]:
    """Run a server whose requests use one of `ENTRANCES`, or the sync worker."""
    port = free_port()
    kind, _, before_wsgi = entrance.partition(" ")
    with segue(folder, "web", PORT=str(port), SEGUE_WORKER_CLASS=kind, **environ):
        until(lambda: get(port, "/readyz") == 200, lambda: output(folder))
        yield Wire(port, folder, bool(before_wsgi))


def timed(work: Any) -> tuple[float, Any]:
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result
