"""`/webhooks/...` as plain WSGI in front of the Flask app: without Flask's cost for each request.

It reads the raw bytes itself, so nothing can have touched form or JSON before. Measured with bench/ingest.py.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from webhooks.errors import Rejected
from webhooks.http.encodings import too_large
from webhooks.signatures import Signature
from webhooks.web.handler import LOOKS, HttpRequest, HttpResponse, WebhookHandler, error_response
from webhooks.web.request_timeout import RequestTimeout

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log: Final = logging.getLogger("webhooks.web.wsgi")
PREFIX: Final = "/webhooks/"
ALWAYS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""With every answer: a provider's challenge, given back, is never taken for a page."""
_PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_PIECE: Final = 65536
_MOST_DIGITS: Final = 18

Environ = dict[str, Any]


class WebhookApp:
    """Serves webhooks; hands everything else on to `otherwise`."""

    def __init__(self, door: WebhookHandler, otherwise: WSGIApplication) -> None:
        self._door = door
        self._otherwise = otherwise

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI, PEP 3333."""
        path: str = environ.get("PATH_INFO", "")
        method: str = environ["REQUEST_METHOD"]
        if not path.startswith(PREFIX):
            return self._otherwise(environ, start_response)
        began = time.perf_counter()
        name, _, token = path[len(PREFIX) :].partition("/")
        door = self._door
        if method in LOOKS and not has_body(environ):
            incoming = incoming_from(environ, b"", token)
            if door.is_look(name, incoming):
                return _answer(self._look(name), method, start_response)
        label = door.label(name)
        door.meter.door(label).received.inc()
        with door.tracer.receive(label) as span:
            try:
                reply = self._take(environ, name, token)
            except Rejected as error:
                door.refusals.record(label, error, method=method, now=door.clock())
                span.fail(error.error)
                reply = error_response(error)
            except Exception:
                log.exception("unexpected")
                door.refusals.count(label, failed := internal_error(), now=door.clock())
                span.fail("internal")
                reply = error_response(failed)
            span.tell({"http.request.method": method, "http.response.status_code": reply.status})
        door.meter.answered.observe(time.perf_counter() - began)
        return _answer(reply, method, start_response)

    def _look(self, name: str) -> HttpResponse:
        try:
            return self._door.look(name)
        except Rejected as error:
            return error_response(error)

    def _take(self, environ: Environ, name: str, token: str) -> HttpResponse:
        try:
            body = read_body(environ, self._door.max_body)
        except Rejected as error:
            raise self._door.unread(name, incoming_from(environ, b"", token), error) from None
        return self._door.take(name, incoming_from(environ, body, token))


def incoming_from(environ: Mapping[str, Any], body: bytes, token: str) -> HttpRequest:
    """Return the request's parts as the handler reads them."""
    query_string: str = environ.get("QUERY_STRING", "")
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        body=body,
        headers=headers_from(environ),
        query=dict(parse_qsl(query_string, keep_blank_values=True)) if query_string else {},
        query_string=query_string,
        token=token.rstrip("/"),
        path=environ.get("RAW_URI", environ["PATH_INFO"]).partition("?")[0],
    )


def has_body(environ: Mapping[str, Any]) -> bool:
    """Whether the request announces a body."""
    return environ.get("CONTENT_LENGTH", "") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ


def _answer(reply: HttpResponse, method: str, start_response: StartResponse) -> Iterable[bytes]:
    start_response(_PHRASES.get(reply.status, str(reply.status)), headers_of(reply))
    return () if method == "HEAD" else (reply.body,)


def internal_error() -> Rejected:
    """Return the refusal for an error that nobody foresaw."""
    return Rejected(
        500, "internal", "Segue failed and stored nothing.", hint="Send it again; see the log.",
        signature=Signature.NOT_CHECKED,
    )  # fmt: skip


def read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """Read the raw body, with Content-Length or chunked; never more than the limit."""
    length: str = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal() and len(length) > _MOST_DIGITS:
        raise too_large(limit)
    if length.isdecimal() and int(length) > limit:
        raise too_large(limit, int(length))
    try:
        return _read(environ, environ["wsgi.input"], limit)
    except Rejected:
        raise
    except RequestTimeout:
        hint = "Send it again, quicker; see SEGUE_REQUEST_TIMEOUT."
        raise _unread(408, "too_slow", "The body did not come in time.", hint) from None
    except OSError:
        raise _unread(400, "cut_short", "The connection broke before the body ended.") from None
    except Exception as error:  # noqa: BLE001 - the server's own reader, whichever it is, at malformed chunks
        refused = _unread(400, "bad_framing", "The chunks of the body are malformed.")
        refused.detail = type(error).__name__
        raise refused from None


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
    """Header names in lower case, as the verifiers read them."""
    found = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
        if environ.get(key):
            found[name] = environ[key]
    return found


def headers_of(reply: HttpResponse) -> list[tuple[str, str]]:
    """A reply's headers as WSGI wants them."""
    headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
    return [*headers, *ALWAYS.items(), *reply.headers.items()]
