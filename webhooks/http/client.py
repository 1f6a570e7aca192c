"""One HTTP request to an address that the operator gave: bounded in time and bytes, no redirect followed, no proxy."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

MOST: Final = 100_000
"""Bytes of an answer that are read at most."""
Unreachable: Final = (OSError, http.client.HTTPException)
"""What `exchange` raises where no answer came."""


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """The answer; header names are lower case."""

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes


def request(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 10.0
) -> ClientResponse:
    """Ask once. After `timeout` seconds it ends, whatever the server does meanwhile (name resolution apart)."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    over = threading.Event()

    def end() -> None:
        over.set()
        with suppress(OSError):  # it may be closed just now
            sock.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(timeout, end)
    watchdog.daemon = True
    try:
        connection.connect()
        sock = connection.sock  # an answer that ends with its connection takes it from there
        watchdog.start()
        path = parts.path or "/"
        connection.request(method, f"{path}?{parts.query}" if parts.query else path, body or None, dict(headers or {}))
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        heard = ClientResponse(answer.status, answer.reason, told, answer.read(MOST))
    except Unreachable:
        if not over.is_set():
            raise
    finally:
        watchdog.cancel()
        connection.close()
    if over.is_set():
        raise TimeoutError
    return heard


def failure_reason(error: BaseException) -> str:
    """What went wrong, without an address or an object's repr."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if not str(error) or len(str(error)) > 200 else str(error)
