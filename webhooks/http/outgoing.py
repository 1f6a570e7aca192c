"""What every outgoing request shares: a deadline for the whole exchange, and the reason why there is no response."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

_MAX_REASON: Final = 200


class Unreachable(Exception):
    """No complete response: refused, reset, timed out or cut short. Whether the request was handled is unknown."""


class Deadline:
    """Shut down the connection of an exchange after so many seconds, whatever it waits for.

    A socket's own timeout limits only the silence between two reads: a response that arrives byte by byte never ends.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._until = time.monotonic() + seconds
        self._sock: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def left(self) -> float:
        """Return the seconds that are left. Raise `TimeoutError` if there are none."""
        seconds = self._until - time.monotonic()
        if self.passed or seconds <= 0:
            raise TimeoutError
        return seconds

    def watch(self, sock: socket.socket | None) -> None:
        """Set the connection that is shut down at the deadline; at once if it has passed."""
        self._sock = sock
        if self.passed:
            self._shut_down()

    def _end(self) -> None:
        self.passed = True
        self._shut_down()

    def _shut_down(self) -> None:
        if self._sock is not None:
            with suppress(OSError):  # it may have been closed meanwhile
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # not the one of SSLSocket, which ends the TLS


def failure_reason(error: BaseException) -> str:
    """Return what went wrong, without an address or the repr of an object."""
    if isinstance(error, TimeoutError):
        return "no response in time"
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
    elif isinstance(error, http.client.IncompleteRead):
        reason = "the response was cut short"
    elif isinstance(error, http.client.InvalidURL | ValueError):
        reason = "the URL is not valid"
    else:
        reason = str(error)
    return reason if 0 < len(reason) <= _MAX_REASON else type(error).__name__
