"""A time limit for the whole request, however slowly its bytes arrive.

gunicorn limits the silence between requests, not a request that arrives byte by byte ("slow loris"). Each such
connection would occupy a thread or greenlet without limit. At shutdown, idle connections are closed at once.
"""

from __future__ import annotations

import errno
import socket
import time
from contextlib import suppress
from typing import Any


class RequestTimeout(ConnectionResetError):
    """The request did not arrive in time. gunicorn handles it as a reset connection, without a log line."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the request did not arrive in time")


class DeadlineSocket:
    """A client's socket with a deadline. `seconds` limits a whole request, from its first byte or from the start of the
    connection; `idle` limits the time between two requests. The clock is read every quarter of `seconds`.
    """

    def __init__(self, sock: Any, seconds: float, idle: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self._idle = idle
        self._between = False
        self._is_idle = True
        self.until = time.monotonic() + seconds
        self.setblocking(True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - as a socket's
        """Set the mode; a blocking socket blocks for a quarter of `seconds` at a time."""
        self._sock.settimeout(self._seconds / 4 if flag else 0.0)

    def recv(self, size: int) -> bytes:
        """Return some bytes of the request. Raise `RequestTimeout` after the deadline."""
        data: bytes | None = None
        while data is None:
            if time.monotonic() >= self.until:
                self.until = 0.0
                raise RequestTimeout
            with suppress(TimeoutError):
                data = self._sock.recv(size)
        self._is_idle = self._is_idle and not data
        if self._between:
            self._between = False
            self.until = time.monotonic() + self._seconds
        return data

    def sendall(self, data: bytes) -> None:
        """Send the response; the idle time begins. Raise `RequestTimeout` if the client does not read it."""
        try:
            self._sock.sendall(data)
        except TimeoutError:
            self.until = 0.0
            raise RequestTimeout from None
        self._is_idle = True
        if self.until:  # after a timeout there is no next request
            self._between = True
            self.until = time.monotonic() + self._idle

    def close_if_idle(self) -> None:
        """Close the connection if no request has begun on it."""
        if self._is_idle:
            with suppress(OSError):  # it is already closed
                self._sock.shutdown(socket.SHUT_RD)  # a blocked `recv` then reads the end
