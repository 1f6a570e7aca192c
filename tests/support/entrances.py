"""The entrances of a web request: werkzeug's test client, and each worker class of gunicorn with the bytes of a request.

The workers are Segue's own classes, called with gunicorn's parsed request. The sync worker answers through WSGI; the
others answer plain webhooks before it.
"""

from __future__ import annotations

import http.client
import io
import os
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, ClassVar

from flask.testing import FlaskClient
from gunicorn import http as gunicorn_http  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]

from webhooks.web import workers

ADDRESS = ("127.0.0.1", 1234)


class _Socket:
    """Keeps what the server sends."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    send = sendall

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self.sent)

    def getsockname(self) -> tuple[str, int]:
        return ADDRESS


def make_worker(kind: str, app: Any, **settings: Any) -> Any:
    """Return a worker with an application, as it is after its fork."""
    config = Config()
    for name, value in {
        "http_parser": "python",
        "keepalive": 95,
        "threads": 2,
        "header_map": "drop",
        "forwarder_headers": "",
        **settings,
    }.items():
        config.set(name, value)
    worker = workers.worker(kind, seconds=30, idle=95)(
        0, os.getpid(), [], SimpleNamespace(wsgi=lambda: app), 30, config, workers.NoAccessLog(config)
    )
    worker.tmp.close()
    worker.load_wsgi()
    return worker


def parsed(worker: Any, *pieces: bytes) -> Any:
    """Return gunicorn's request of these bytes."""
    return next(gunicorn_http.get_parser(worker.cfg, iter(pieces), ADDRESS))


def answer(worker: Any, request: Any) -> bytes:
    """Return the bytes that the worker sends in response to a parsed request."""
    sock = _Socket()
    if hasattr(worker, "keepalived_conns"):
        worker.handle_request(request, SimpleNamespace(sock=sock, client=ADDRESS, server=ADDRESS))
        return sock.sent
    try:
        worker.handle_request(sock if type(worker).__name__.startswith("Sync") else ADDRESS, request, sock, ADDRESS)
    except StopIteration:  # gunicorn closes the connection
        assert b"\r\nConnection: close\r\n" in sock.sent
    return sock.sent


def raw(environ: dict[str, Any]) -> bytes:
    """Return the bytes of the request in a WSGI environ, as an HTTP/1.1 client sends it."""
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    lines = [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}{query} HTTP/1.1"]
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            lines.append(f"{key[5:].replace('_', '-').title()}: {value}")
        elif key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
            lines.append(f"{key.replace('_', '-').title()}: {value}")
    body: bytes = environ["wsgi.input"].read()
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


class GunicornClient(FlaskClient):
    """A test client that sends each request through a worker class of gunicorn."""

    kind: ClassVar[str]

    def run_wsgi_app(self, environ: Any, buffered: bool = False) -> tuple[Iterable[bytes], str, Any]:
        del buffered
        if not hasattr(self, "_worker"):
            self._worker = make_worker(self.kind, self.application)
        sock = _Socket()
        sock.sent = answer(self._worker, parsed(self._worker, raw(environ)))
        response = http.client.HTTPResponse(sock, method=environ["REQUEST_METHOD"])  # type: ignore[arg-type]
        response.begin()
        return [response.read()], f"{response.status} {response.reason}", response.headers.items()


CLIENTS: dict[str, type[FlaskClient]] = {"werkzeug": FlaskClient} | {
    kind: type(f"{kind.title()}Client", (GunicornClient,), {"kind": kind}) for kind in workers.WORKERS
}
