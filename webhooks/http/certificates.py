"""Fetch and cache a provider's signing certificate (PayPal names it by URL).

The verifier has checked scheme, host and path before. No redirects, no proxies; size and time are limited.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from webhooks.errors import Rejected
from webhooks.http.client import request
from webhooks.http.outgoing import Unreachable

_MAX_BYTES: Final = 64 * 1024
_MAX_CACHED: Final = 32
_MAX_CONCURRENT: Final = 4
"""A forged request can name any certificate of the provider, and it is fetched before the signature is verified."""


def unavailable(reason: str) -> Rejected:
    """Return the rejection of a request whose certificate cannot be fetched now; the provider retries."""
    return Rejected(
        503,
        "certificate_unavailable",
        f"The provider's signing certificate could not be fetched: {reason}.",
        hint="Send it again. The operator checks that this machine can reach the provider over HTTPS.",
        headers={"Retry-After": "30"},
    )


class Certificates:
    """A cache: `certificates(url)` returns the PEM bytes, fetched at most once in `keep` seconds."""

    def __init__(
        self,
        *,
        keep: float = 12 * 3600.0,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep = keep
        self._timeout = timeout
        self._clock = clock
        self._cache: dict[str, tuple[float, bytes]] = {}
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_MAX_CONCURRENT)

    def __call__(self, url: str) -> bytes:
        """Return the certificate. Raise `Rejected` with 503 if it cannot be fetched."""
        with self._lock:
            cached = self._cache.get(url)
        if cached is not None and self._clock() - cached[0] < self._keep:
            return cached[1]
        if not self._slots.acquire(blocking=False):
            raise unavailable("too many certificates are being fetched")
        try:
            response = request("GET", url, timeout=self._timeout, max_bytes=_MAX_BYTES + 1)
        except Unreachable as error:
            raise unavailable(str(error)) from None
        finally:
            self._slots.release()
        if response.status != HTTPStatus.OK:
            raise unavailable(f"the provider answered {response.status}")
        if len(response.body) > _MAX_BYTES:
            raise unavailable("it is too large")
        with self._lock:
            while len(self._cache) >= _MAX_CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[url] = (self._clock(), response.body)
        return response.body
