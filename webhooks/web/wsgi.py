"""`/webhooks/...` as plain WSGI in front of the Flask app: without Flask's cost for each request.

It reads the raw bytes itself, so nothing parses or changes the body before. Measured with bench/suites/ingest.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from translators.kit import Response
from webhooks.errors import Rejected
from webhooks.http.encodings import too_large
from webhooks.http.request import HttpRequest
from webhooks.signatures import Signature
from webhooks.web.handler import WebhookHandler
from webhooks.web.request_timeout import RequestTimeout
from webhooks.web.responses import ALWAYS, DESCRIBE_METHODS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

PREFIX: Final = "/webhooks/"
_PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_PIECE: Final = 65536
MOST_DIGITS: Final = 18

Environ = dict[str, Any]


class WebhookApp:
    """Serve webhooks; pass every other request to `fallback`."""

    def __init__(self, handler: WebhookHandler, fallback: WSGIApplication) -> None:
        self._handler = handler
        self._fallback = fallback

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI, PEP 3333."""
        path: str = environ.get("PATH_INFO", "")
        method: str = environ["REQUEST_METHOD"]
        if not path.startswith(PREFIX):
            return self._fallback(environ, start_response)
        name, token = name_and_token(path)
        request: HttpRequest | None = None
        if method in DESCRIBE_METHODS and not has_body(environ):
            request = request_from(environ, b"", token)
            description = self._handler.description(name, request)
            if description is not None:
                return _send(description, method, start_response)
        response = self._handler.respond(name, method, lambda: request or self._read(environ, name, token))
        return _send(response, method, start_response)

    def _read(self, environ: Environ, name: str, token: str) -> HttpRequest:
        try:
            body = read_body(environ, self._handler.max_body)
        except Rejected as error:
            raise self._handler.reject_unread(name, request_from(environ, b"", token), error) from None
        return request_from(environ, body, token)


def name_and_token(path: str) -> tuple[str, str]:
    """Return the endpoint's name and what follows it, of a path that begins with `PREFIX`."""
    name, _, token = path[len(PREFIX) :].partition("/")
    return name, token


def request_from(environ: Mapping[str, Any], body: bytes, token: str) -> HttpRequest:
    """Return the request of a WSGI environ."""
    query_string: str = environ.get("QUERY_STRING", "")
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        body=body,
        headers=headers_from(environ),
        query=dict(parse_qsl(query_string, keep_blank_values=True)) if query_string else {},
        query_string=query_string,
        path_token=token.rstrip("/"),
        path=environ.get("RAW_URI", environ["PATH_INFO"]).partition("?")[0],
    )


def has_body(environ: Mapping[str, Any]) -> bool:
    """Return whether the request announces a body."""
    return environ.get("CONTENT_LENGTH", "") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ


def _send(response: Response, method: str, start_response: StartResponse) -> Iterable[bytes]:
    start_response(status_line(response), headers_of(response))
    return () if method == "HEAD" else (response.body,)


def read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """Read the raw body, with Content-Length or chunked, up to the limit."""
    length: str = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal() and len(length) > MOST_DIGITS:
        raise too_large(limit)
    if length.isdecimal() and int(length) > limit:
        raise too_large(limit, int(length))
    try:
        return _read(environ, environ["wsgi.input"], limit)
    except Rejected:
        raise
    except RequestTimeout:
        hint = "Send it again, faster; see SEGUE_REQUEST_TIMEOUT."
        raise _unread(408, "too_slow", "The body did not arrive in time.", hint) from None
    except OSError:
        raise _unread(400, "cut_short", "The connection broke before the body ended.") from None
    except Exception as error:  # noqa: BLE001 - each server's reader has its own errors
        rejected = _unread(400, "bad_framing", "The chunks of the body are malformed.")
        rejected.detail = type(error).__name__
        raise rejected from None


def _read(environ: Mapping[str, Any], stream: Any, limit: int) -> bytes:
    length: str = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal():
        body: bytes = stream.read(int(length))
        if len(body) < int(length):
            raise _unread(400, "cut_short", "The body ended before its Content-Length.")
        return body
    pieces = bytearray()
    while environ.get("wsgi.input_terminated") and (piece := stream.read(_PIECE)):
        pieces += piece
        if len(pieces) > limit:
            raise too_large(limit)
    return bytes(pieces)


def _unread(status: int, error: str, reason: str, hint: str = "Send it again.") -> Rejected:
    return Rejected(status, error, reason, hint=hint, signature=Signature.NOT_CHECKED)


def headers_from(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers, with names in lower case."""
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
        if environ.get(key):
            headers[name] = environ[key]
    return headers


def status_line(response: Response) -> str:
    """Return a response's status in WSGI's form."""
    return _PHRASES.get(response.status, str(response.status))


def headers_of(response: Response) -> list[tuple[str, str]]:
    """Return a response's headers in WSGI's form."""
    headers = [("Content-Type", response.content_type), ("Content-Length", str(len(response.body)))]
    return [*headers, *ALWAYS.items(), *response.headers.items()]
