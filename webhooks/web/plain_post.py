"""A plain POST to a webhook, answered by the handler from the parts of its request, without a WSGI environ.

Making an environ and sending a response through WSGI costs as much as verifying and storing a webhook together. A
request is plain if WSGI could add nothing to it: its body has a length, and its headers and path need no decoding. Any
other request is for WSGI (`webhooks.web.wsgi`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from translators.kit import Response
from webhooks.http.request import HttpRequest
from webhooks.web.handler import WebhookHandler
from webhooks.web.wsgi import MOST_DIGITS, PREFIX, name_and_token

_FOR_WSGI: Final = frozenset({"expect", "transfer-encoding", "upgrade"})
"""Headers of a request that is not plain."""


class PlainPosts:
    """Answer plain POSTs to webhooks; see the module."""

    def __init__(self, handler: WebhookHandler) -> None:
        self._handler = handler

    def headers_of(self, method: str, target: str, fields: Sequence[tuple[str, str]]) -> Mapping[str, str] | None:
        """Return the headers of a plain POST, with names in lower case; None if the request is for WSGI.

        `target` is the request's target as it was sent, `fields` are the header lines in order.
        """
        if method != "POST" or not target.startswith(PREFIX) or "%" in target or "?" in target or "#" in target:
            return None
        headers = {name.lower(): value for name, value in fields}
        if len(headers) != len(fields):
            return None
        if headers.get("connection", "keep-alive").lower() != "keep-alive" or not _FOR_WSGI.isdisjoint(headers):
            return None
        length = headers.get("content-length", "")
        if not length.isdecimal() or len(length) > MOST_DIGITS or int(length) > self._handler.max_body:
            return None
        return headers

    def answer(self, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Handle the request, and return its response."""
        name, token = name_and_token(target)
        request = HttpRequest(body=body, headers=headers, path_token=token.rstrip("/"), path=target)
        return self._handler.respond(name, "POST", lambda: request)
