"""An opener for requests other than those to Segment: http and https only, no redirects.

A redirect would send a key to the address that a response names. `file:` and `ftp:` URLs are refused.
"""

from __future__ import annotations

import urllib.request
from typing import Any


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect."""


def opener(*, proxies: bool) -> urllib.request.OpenerDirector:
    """Return an opener. `proxies` uses HTTPS_PROXY and the like. A 3xx raises `HTTPError`, other schemes `URLError`."""
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
