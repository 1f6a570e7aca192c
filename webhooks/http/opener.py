"""Requests that the service makes besides those to Segment: over http and https only, and never redirected.

A redirect would carry a key to whatever address an answer names; `file:` and `ftp:` have no business here.
"""

from __future__ import annotations

import urllib.request
from typing import Any


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """What is asked for is where it is said to be, or nowhere."""


def opener(*, proxies: bool) -> urllib.request.OpenerDirector:
    """`proxies` follows HTTPS_PROXY and the like. A 3xx is an `HTTPError`, another scheme a `URLError`."""
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(None if proxies else {}),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _NoRedirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        director.add_handler(handler)
    return director
