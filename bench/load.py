"""The load: wrk with one thread, or without it a generator of our own; many connections, a request under way on each.

Loopback only; bounded by seconds.
"""

from __future__ import annotations

import json
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.measure import percentile
from bench.payloads import read_requests

LUA = Path(__file__).with_name("wrk.lua")
END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """Answers, the seconds they took, percentiles in milliseconds, and what was not answered 2xx or 3xx.

    `rewound` counts how often wrk began the file again: from then on its requests are duplicates.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int
    broken: int
    rewound: int = 0

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return self.requests / self.seconds if self.seconds else 0.0


def drive(port: int, path: str, file: Path, *, connections: int, seconds: float, wrk: bool | None = None) -> Load:
    """Send the requests of a file over `connections` connections for `seconds`."""
    if shutil.which("wrk") if wrk is None else wrk:
        return _wrk(port, path, file, connections, seconds)
    first = f"POST {path} HTTP/1.1\r\n".encode()
    return generate(port, (first + request for request in read_requests(file)), connections, seconds)


def _wrk(port: int, path: str, file: Path, connections: int, seconds: float) -> Load:
    whole = max(1, round(seconds))
    command = [
        *("wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{whole}s", "--timeout", "10s"),
        *("--script", str(LUA), f"http://127.0.0.1:{port}", "--", path, str(file)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=whole + 60, check=True)
    return Load(**json.loads(done.stdout.strip().splitlines()[-1]))


@dataclass(slots=True)
class Connection:
    """A connection with the request that is under way."""

    socket: socket.socket
    sent_at: float = 0.0
    buffer: bytes = b""


def generate(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Load:
    """Send requests by a loop of our own, until the time or the requests end."""
    latencies: list[float] = []
    refused = 0
    selector = selectors.DefaultSelector()
    start = time.perf_counter()
    end = start + seconds

    def send(connection: Connection) -> bool:
        request = next(requests, None) if time.perf_counter() < end else None
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
        opened = Connection(socket.create_connection(("127.0.0.1", port), timeout=30))
        opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(opened.socket, selectors.EVENT_READ, opened)
        busy += send(opened)
    while busy:
        ready = selector.select(timeout=30)
        if not ready:
            raise ConnectionError("the server did not answer within 30 seconds")
        for key, _ in ready:
            connection: Connection = key.data
            received = connection.socket.recv(65536)
            if not received:
                raise ConnectionError("the server closed a connection")
            connection.buffer += received
            head, separator, rest = connection.buffer.partition(END)
            if not separator or not is_whole(head, rest):
                continue
            latencies.append((time.perf_counter() - connection.sent_at) * 1000)
            refused += int(head[9:12]) >= 400
            busy -= not send(connection)
    took = time.perf_counter() - start
    selector.close()
    return Load(len(latencies), took, percentile(latencies, 0.5), percentile(latencies, 0.99), refused, 0)


def is_whole(head: bytes, body: bytes) -> bool:
    """Return whether a response has all of its body."""
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return body.endswith(b"0" + END)
    at = lower.find(b"content-length:")
    return len(body) >= (int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0)
