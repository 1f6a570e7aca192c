"""A load generator for one host: many keep-alive connections in one thread, each with one request under way.

Loopback only; bounded by `seconds` and by the number of requests it is given.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_END = b"\r\n\r\n"


@dataclass
class Figures:
    """Answers by status, and each latency in seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return a latency in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


@dataclass
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    buffer: bytes = b""


def post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return one HTTP/1.1 request, whole."""
    lines = [f"POST {path} HTTP/1.1", "Host: bench", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _END + body


def drive(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Figures:
    """Send requests over `connections` connections for `seconds`, or until there are no more."""
    figures = Figures()
    selector = selectors.DefaultSelector()
    begun = time.perf_counter()
    until = begun + seconds

    def send(connection: _Connection) -> bool:
        request = next(requests, None) if time.perf_counter() < until else None
        if request is None:
            selector.unregister(connection.socket)
            connection.socket.close()
            return False
        connection.buffer = b""
        connection.sent_at = time.perf_counter()
        connection.socket.sendall(request)
        return True

    busy = 0
    for _ in range(connections):
        opened = _Connection(socket.create_connection(("127.0.0.1", port)))
        opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(opened.socket, selectors.EVENT_READ, opened)
        busy += send(opened)
    while busy:
        for key, _ in selector.select(timeout=10):
            opened = key.data
            received = opened.socket.recv(65536)
            if not received:
                raise ConnectionError("the server closed a connection")
            opened.buffer += received
            head, separator, rest = opened.buffer.partition(_END)
            if not separator or len(rest) < _length(head):
                continue
            figures.latencies.append(time.perf_counter() - opened.sent_at)
            status = int(head[9:12])
            figures.statuses[status] = figures.statuses.get(status, 0) + 1
            busy -= not send(opened)
    figures.seconds = time.perf_counter() - begun
    selector.close()
    return figures


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
