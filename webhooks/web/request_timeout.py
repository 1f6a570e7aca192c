"""gunicorn workers that wait so long for a request and no longer, however slowly its bytes come.

gunicorn bounds the silence between requests, not a request that dribbles in byte by byte ("slow loris"); each such
connection would hold a thread or greenlet for as long as it likes. At the end idle connections are closed at once.
"""

from __future__ import annotations

import errno
import socket
import time
import weakref
from contextlib import suppress
from typing import Any, Final

WORKERS: Final = {
    "gevent": ("gunicorn.workers.ggevent", "GeventWorker"),
    "gthread": ("gunicorn.workers.gthread", "ThreadWorker"),
    "sync": ("gunicorn.workers.sync", "SyncWorker"),
}


class RequestTimeout(ConnectionResetError):
    """The request did not come in time. gunicorn takes it for a connection that was reset, and closes it quietly."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the request did not come in time")


class PatientSocket:
    """A client's socket. `seconds` is for a whole request from its first byte, or from the connection's beginning;
    `idle` for the time between two. It looks at the clock a few times within `seconds`: it may be a quarter late.
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
        """A blocking one blocks for a while only."""
        self._sock.settimeout(self._seconds / 4 if flag else 0.0)

    def recv(self, size: int) -> bytes:
        """Some bytes of the request; `TooSlow` once its time is over."""
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
        """Send the answer; from then on it is between two requests. A client that does not read it is cut off."""
        try:
            self._sock.sendall(data)
        except TimeoutError:
            self.until = 0.0
            raise RequestTimeout from None
        self._is_idle = True
        if self.until:  # what came too slowly once is not waited for again
            self._between = True
            self.until = time.monotonic() + self._idle

    def close_if_idle(self) -> None:
        """End a connection that waits for its next request, or for its first; nothing if one has begun."""
        if self._is_idle:
            with suppress(OSError):  # it was closed meanwhile
                self._sock.shutdown(socket.SHUT_RD)  # whoever waits in `recv` reads the end


def worker(kind: str, *, seconds: float, idle: float) -> type:
    """The worker class of that kind, with patience."""
    from importlib import import_module

    module, name = WORKERS[kind]
    base: Any = getattr(import_module(module), name)

    class Threaded(base):  # type: ignore[misc]
        def handle(self, conn: Any) -> Any:
            if not isinstance(conn.sock, PatientSocket):
                conn.sock = PatientSocket(conn.sock, seconds, idle)
            return super().handle(conn)

        def finish_request(self, conn: Any, fs: Any) -> None:
            super().finish_request(conn, fs)
            if self.pending_conns and self.pending_conns[-1] is conn:  # not a byte yet: no longer than any other
                conn.timeout = conn.sock.until

    class Plain(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._clients: weakref.WeakSet[PatientSocket] = weakref.WeakSet()

        def handle(self, listener: Any, client: Any, addr: Any) -> Any:
            sock = PatientSocket(client, seconds, idle)
            self._clients.add(sock)
            return super().handle(listener, sock, addr)

        def notify(self) -> None:
            """Gunicorn calls it every second, also while it waits for the connections' end."""
            super().notify()
            if not self.alive:
                for sock in list(self._clients):
                    sock.close_if_idle()

    return Threaded if kind == "gthread" else Plain
