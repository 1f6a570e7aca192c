"""One POST to Segment over requests: keep-alive, bounded in time and bytes, never redirected."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from webhooks.settings import SegmentSettings

GZIP_LEVEL: Final = 1
"""Measured on batches of 475 kB (bench/deliver.py --where): level 1 is the cheapest by far and within a few percent."""
RECYCLE: Final = 3600.0
"""Seconds that a connection lives. Segment's addresses change; it asks to look them up anew once a day at least."""
TEXT: Final = 2_000
"""Bytes of an answer that are kept."""
READ: Final = 65_536
"""Bytes of an answer that are read at most."""


@dataclass(frozen=True, slots=True)
class SegmentResponse:
    """What the server said. `headers` looks names up in any case; `text` is bounded."""

    status: int
    headers: Mapping[str, str]
    text: str


class Unreachable(Exception):
    """No whole answer came: refused, reset, timed out, cut off. Whether it was accepted is not known."""


@dataclass(slots=True)
class _Exchange:
    """The connection that a request uses, so that a watchdog can end it."""

    connection: HTTPConnection | None = None


class _Current(threading.local):
    exchange = _Exchange()


_current: Final = _Current()


class _Connection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _current.exchange.connection = self
        super().request(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _current.exchange.connection = self
        super().request(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _watched(manager: Any) -> Any:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return manager


class _Adapter(HTTPAdapter):
    poolmanager: PoolManager

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watched(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return _watched(super().proxy_manager_for(*args, **kwargs))


class Transport:
    """Safe to share between threads; each keeps one connection of its own.

    A request takes `connect_timeout`, then `read_timeout` for any silence, and twice `read_timeout` in all: a server
    that dribbles its answer, headers included, is cut off there.
    """

    def __init__(self, settings: SegmentSettings, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._url = settings.url.rstrip("/") + "/v1/batch"
        self._gzip = settings.gzip
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        self._deadline = settings.connect_timeout + 2 * settings.read_timeout
        self._agent = _user_agent()
        self._tick = tick
        self._local = threading.local()

    def post(self, write_key: str, body: bytes, *, retries: int = 0) -> SegmentResponse:
        """Send one batch. `Unreachable` where no whole answer came."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Authorization": "Basic " + base64.b64encode(f"{write_key}:".encode()).decode(),
            "X-Retry-Count": str(retries),
        }
        if self._gzip:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
        try:
            with (
                _bounded(self._deadline),
                self._session().post(
                    self._url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
                ) as response,
            ):
                answer = SegmentResponse(response.status_code, response.headers, _read(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self.forget()
            raise Unreachable(_why(error)) from None
        if answer.status >= 500:
            self.forget()
        return answer

    def forget(self) -> None:
        """Close this thread's connection; the next request looks the address up again."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            self._local.session = None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None and self._tick() - self._local.born >= RECYCLE:
            self.forget()
            session = None
        if session is None:
            session = requests.Session()
            session.auth = _keep_header  # without one, requests would look for a password in ~/.netrc
            adapter = _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session, self._local.born = session, self._tick()
        return session


def _user_agent() -> str:
    try:
        return f"segue/{version('segue')}"
    except PackageNotFoundError:  # pragma: no cover - a checkout that was never installed
        return "segue"


def _keep_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """End this thread's exchange after so many seconds, whatever it waits for."""
    exchange = _current.exchange = _Exchange()

    def end() -> None:
        sock = exchange.connection.sock if exchange.connection is not None else None
        if sock is not None:
            with suppress(OSError):  # it may be closed just now
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _read(response: requests.Response) -> str:
    text = b""
    read = 0
    for chunk in response.iter_content(4096):
        text = (text + chunk)[:TEXT] if len(text) < TEXT else text
        read += len(chunk)
        if read >= READ:
            break
    return text.decode("utf-8", "replace")


def _why(error: Exception) -> str:
    """The kind of failure, without the address and the objects that requests writes into its messages."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    return f"{type(error).__name__} ({type(cause).__name__})" if cause is not error else type(error).__name__


def fingerprint(write_key: str) -> str:
    """Eight hex digits that name a write key in logs and notes without telling it; `none` for no key."""
    return hashlib.sha256(write_key.encode()).hexdigest()[:8] if write_key else "none"
