"""Fetches a provider's signing certificate (PayPal names it by URL), and keeps it for a while.

The verifier has pinned scheme, host and path before it asks. Here: no redirects, no proxies, small, quick.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError

from webhooks.errors import Rejected
from webhooks.http.opener import opener as plain

_MOST_BYTES: Final = 64 * 1024
_MOST_KEPT: Final = 32
_MOST_AT_ONCE: Final = 4
"""Who forges requests can name any certificate of the provider's, and each is asked for before anything is proven."""


def unavailable(reason: str) -> Rejected:
    """The certificate could not be had now; the provider sends again."""
    return Rejected(
        503,
        "certificate_unavailable",
        f"The provider's signing certificate could not be had: {reason}.",
        hint="Send it again; the operator checks that this machine reaches the provider over HTTPS.",
        headers={"Retry-After": "30"},
    )


class Certificates:
    """`certificates(url)` gives the PEM bytes; each is fetched at most once in `keep` seconds."""

    def __init__(
        self,
        *,
        keep: float = 12 * 3600.0,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        opener: urllib.request.OpenerDirector | None = None,
    ) -> None:
        self._keep = keep
        self._timeout = timeout
        self._clock = clock
        self._opener = opener or plain(proxies=False)
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def __call__(self, url: str) -> bytes:
        """The certificate; `Rejected` with 503 where it cannot be had."""
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and self._clock() - kept[0] < self._keep:
            return kept[1]
        if not self._room.acquire(blocking=False):
            raise unavailable("too many are being fetched")
        try:
            with self._opener.open(url, timeout=self._timeout) as answer:
                body: bytes = answer.read(_MOST_BYTES + 1)
        except (URLError, OSError, ValueError, HTTPException) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise unavailable(type(error).__name__) from error
        finally:
            self._room.release()
        if len(body) > _MOST_BYTES:
            raise unavailable("it is unreasonably large")
        with self._lock:
            while len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[url] = (self._clock(), body)
        return body
