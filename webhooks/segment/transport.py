"""POST one batch to Segment with requests: keep-alive, limits on time and bytes, no redirects.

Every other outgoing request goes through `webhooks.http.client`. This one is a client of its own since a worker sends
thousands of batches over kept connections, and honours what `requests` reads: proxies of every kind, and the
certificates of REQUESTS_CA_BUNDLE.
"""

from __future__ import annotations

import base64
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from webhooks.http.outgoing import Deadline, Unreachable
from webhooks.segment.post import SegmentResponse
from webhooks.settings import SegmentSettings

GZIP_LEVEL: Final = 1
"""Measured on batches of 475 kB (bench/suites/steps.py): level 1 costs least by far, and is a few percent larger."""
RECYCLE: Final = 3600.0
"""Seconds that a connection is kept. Segment's addresses change; it asks to resolve them at least once a day."""
TEXT: Final = 2_000
"""Bytes of a response that are kept."""
READ: Final = 65_536
"""The most bytes of a response that are read."""


class _Current(threading.local):
    deadline: Deadline | None = None


_current: Final = _Current()


class _Connection(HTTPConnection):
    """A connection that the deadline of the current thread's request can end."""

    def connect(self) -> None:
        super().connect()
        self._watch()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._watch()
        super().request(*args, **kwargs)

    def _watch(self) -> None:
        if _current.deadline is not None and self.sock is not None:
            _current.deadline.watch(self.sock)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


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
    """Safe to share between threads; each thread has its own connection.

    The limits of a request: `connect_timeout`, `read_timeout` between two reads, and twice `read_timeout` in total.
    The total also ends a response that arrives byte by byte, headers included.
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
        """Send one batch. Raise `Unreachable` if no complete response arrives."""
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
                _time_limit(self._deadline),
                self._session().post(
                    self._url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
                ) as raw,
            ):
                response = SegmentResponse(raw.status_code, raw.headers, _read(raw))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self.forget()
            raise Unreachable(_failure(error)) from None
        if response.status >= 500:
            self.forget()
        return response

    def forget(self) -> None:
        """Close this thread's connection. The next request resolves the address again."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            self._local.session = None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None and self._tick() - self._local.created >= RECYCLE:
            self.forget()
            session = None
        if session is None:
            session = requests.Session()
            session.auth = _keep_header  # without an auth, requests would read a password from ~/.netrc
            adapter = _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session, self._local.created = session, self._tick()
        return session


def _user_agent() -> str:
    try:
        return f"segue/{version('segue')}"
    except PackageNotFoundError:  # pragma: no cover - a checkout that was never installed
        return "segue"


def _keep_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Close this thread's connection after so many seconds, whatever the request waits for."""
    with Deadline(seconds) as deadline:
        _current.deadline = deadline
        try:
            yield
        finally:
            _current.deadline = None


def _read(response: requests.Response) -> str:
    text = b""
    read = 0
    for chunk in response.iter_content(4096):
        text = (text + chunk)[:TEXT] if len(text) < TEXT else text
        read += len(chunk)
        if read >= READ:
            break
    return text.decode("utf-8", "replace")


def _failure(error: Exception) -> str:
    """Return the kind of failure, without the address and the objects in the messages of requests."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    return f"{type(error).__name__} ({type(cause).__name__})" if cause is not error else type(error).__name__
