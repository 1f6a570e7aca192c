"""`POST /webhooks/...` as plain WSGI in front of the Flask app: the same door without Flask's cost per request.

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
from webhooks.patience import TooSlow
from webhooks.receive import Door, Incoming, Reply, not_allowed, rejection, too_large

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log: Final = logging.getLogger("webhooks.wsgi")
PREFIX: Final = "/webhooks/"
ALWAYS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""With every answer: a provider's challenge, given back, is never taken for a page."""
_PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_PIECE: Final = 65536

Environ = dict[str, Any]


class Webhooks:
    """Serves webhooks; hands everything else on to `otherwise`."""

    def __init__(self, door: Door, otherwise: WSGIApplication) -> None:
        self._door = door
        self._otherwise = otherwise

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI, PEP 3333."""
        path: str = environ.get("PATH_INFO", "")
        method: str = environ["REQUEST_METHOD"]
        if method in {"GET", "HEAD"} or not path.startswith(PREFIX):
            return self._otherwise(environ, start_response)
        began = time.perf_counter()
        name, _, token = path[len(PREFIX) :].partition("/")
        meter = self._door.meter
        label = self._door.label(name)
        meter.door(label).received.inc()
        with self._door.tracer.receive(label) as span:
            try:
                reply = self._take(environ, method, name, token)
            except Rejected as error:
                meter.rejected.labels(label, error.error).inc()
                span.fail(error.error)
                reply = rejection(error)
            except Exception:
                log.exception("unexpected")
                meter.rejected.labels(label, "internal").inc()
                span.fail("internal")
                reply = internal()
            span.tell({"http.request.method": method, "http.response.status_code": reply.status})
        meter.answered.observe(time.perf_counter() - began)
        start_response(_PHRASES.get(reply.status, str(reply.status)), headers_of(reply))
        return (reply.body,)

    def _take(self, environ: Environ, method: str, name: str, token: str) -> Reply:
        if method not in {"POST", "OPTIONS"}:
            raise not_allowed(method)
        query_string: str = environ.get("QUERY_STRING", "")
        return self._door.take(
            name,
            Incoming(
                method=method,
                body=read_body(environ, self._door.max_body),
                headers=headers_from(environ),
                query=dict(parse_qsl(query_string, keep_blank_values=True)) if query_string else {},
                query_string=query_string,
                token=token.rstrip("/"),
            ),
        )


def internal() -> Reply:
    """An error that nobody foresaw."""
    return rejection(Rejected(500, "internal", "Segue failed and stored nothing.", hint="Send it again; see the log."))


def read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """The raw bytes, whether their length was told or they come in chunks; never more than the limit."""
    told: str = environ.get("CONTENT_LENGTH", "")
    if told.isdecimal() and int(told) > limit:
        raise too_large(limit)
    stream = environ["wsgi.input"]
    try:
        if told.isdecimal():
            body: bytes = stream.read(int(told))
            if len(body) < int(told):
                raise Rejected(400, "cut_short", "The body ended before its Content-Length.", hint="Send it again.")
            return body
        pieces = bytearray()
        while environ.get("wsgi.input_terminated") and (piece := stream.read(_PIECE)):
            pieces += piece
            if len(pieces) > limit:
                raise too_large(limit)
    except TooSlow:
        raise Rejected(
            408, "too_slow", "The body did not come in time.", hint="Send it again, quicker; see SEGUE_REQUEST_TIMEOUT."
        ) from None
    except OSError:
        raise Rejected(400, "cut_short", "The connection broke before the body ended.", hint="Send it again.") from None
    return bytes(pieces)


def headers_from(environ: Mapping[str, Any]) -> dict[str, str]:
    """Header names in lower case, as the verifiers read them."""
    found = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
        if environ.get(key):
            found[name] = environ[key]
    return found


def headers_of(reply: Reply) -> list[tuple[str, str]]:
    """A reply's headers as WSGI wants them."""
    told = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
    return [*told, *ALWAYS.items(), *reply.headers.items()]
