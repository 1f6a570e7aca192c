"""One HTTP request to an address from the configuration: limited in time and size, no redirects, no proxy."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

MAX_BYTES: Final = 100_000
"""How many bytes of a response body are read at most."""
Unreachable: Final = (OSError, http.client.HTTPException)
"""The errors that `request` raises if there is no response."""


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """The response; header names are lower case."""

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes


def request(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 10.0
) -> ClientResponse:
    """Send one request and return the response. Everything but name resolution ends after `timeout` seconds."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    timed_out = threading.Event()

    def end() -> None:
        timed_out.set()
        with suppress(OSError):  # it may already be closed
            sock.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(timeout, end)
    watchdog.daemon = True
    try:
        connection.connect()
        sock = connection.sock  # http.client drops it if the response ends with the connection
        watchdog.start()
        path = parts.path or "/"
        connection.request(method, f"{path}?{parts.query}" if parts.query else path, body or None, dict(headers or {}))
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        result = ClientResponse(response.status, response.reason, fields, response.read(MAX_BYTES))
    except Unreachable:
        if not timed_out.is_set():
            raise
    finally:
        watchdog.cancel()
        connection.close()
    if timed_out.is_set():
        raise TimeoutError
    return result


def failure_reason(error: BaseException) -> str:
    """Return what went wrong, without an address or the repr of an object."""
    if isinstance(error, TimeoutError):
        return "no response in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if not str(error) or len(str(error)) > 200 else str(error)
