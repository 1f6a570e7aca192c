"""gunicorn's worker classes, with a time limit for each request, and with plain webhooks answered before WSGI.

This is the only module that uses parts of gunicorn that are not documented. `PARTS` names them; if a release of
gunicorn changes one, `tests/web/test_workers.py` fails and says which. `pyproject.toml` excludes the next major
release until it is tested.
"""

from __future__ import annotations

import io
import time
import weakref
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http.wsgi import Response as GunicornResponse  # type: ignore[import-untyped]

from webhooks.web.plain_post import PlainPosts
from webhooks.web.request_timeout import DeadlineSocket
from webhooks.web.wsgi import headers_of, status_line

if TYPE_CHECKING:
    from translators.kit import Response

WORKERS: Final = {
    "gevent": ("gunicorn.workers.ggevent", "GeventWorker"),
    "gthread": ("gunicorn.workers.gthread", "ThreadWorker"),
    "sync": ("gunicorn.workers.sync", "SyncWorker"),
}
PARTS: Final = {
    "gunicorn.workers.base:Worker": ("load_wsgi(self)", "notify(self)"),
    "gunicorn.workers.ggevent:GeventWorker": (
        "handle(self, listener, client, addr)",
        "handle_request(self, listener_name, req, sock, addr)",
    ),
    "gunicorn.workers.sync:SyncWorker": ("handle(self, listener, client, addr)",),
    "gunicorn.workers.gthread:ThreadWorker": (
        "handle(self, conn)",
        "handle_request(self, req, conn)",
        "finish_request(self, conn, fs)",
    ),
    "gunicorn.http.wsgi:Response": (
        "__init__(self, req, sock, cfg)",
        "start_response(self, status, headers, exc_info=None)",
        "write(self, arg)",
        "close(self)",
    ),
    "gunicorn.http.body:Body": ("read(self, size=None)",),
    "gunicorn.glogging:Logger": ("access(self, resp, req, environ, request_time)",),
}
"""Methods that this module calls or overrides, with their parameters. Beside them it reads a worker's `alive`, `nr`,
`max_requests`, `cfg` and `wsgi`, `keepalived_conns`, `max_keepalived` and `pending_conns` of a `ThreadWorker`, and a
request's `method`, `uri`, `version`, `headers` and `body`."""


class NoAccessLog(Logger):  # type: ignore[misc]
    """gunicorn's logger without access log. A `logconfig_dict` makes it compute the values of every request."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Log nothing: a path may hold a token, and the handler logs what it accepts and rejects."""


class _Collector:
    """A socket for gunicorn's response: it keeps what is sent."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def sendall(self, data: bytes) -> None:
        self.sent += data


class WebhookPosts:
    """The plain webhooks of one worker: read from gunicorn's request, answered, and sent at once.

    gunicorn writes each response, so that it has the same bytes as one through WSGI. The head of a response that is
    sent again in the same second is not written again.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        handler = getattr(worker.wsgi, "extensions", {}).get("segue")
        self._posts = PlainPosts(handler) if handler is not None else None
        self._heads: dict[tuple[Any, ...], bytes] = {}
        self._second = 0

    def answer(self, request: Any, sock: Any) -> bool:
        """Answer the request if it is a plain webhook on a connection that stays open. If not, leave it as it is."""
        worker = self._worker
        if (
            self._posts is None
            or request.version != (1, 1)
            or not worker.alive
            or not worker.cfg.keepalive
            or worker.nr + 1 >= worker.max_requests
        ):
            return False
        headers = self._posts.headers_of(request.method, request.uri, request.headers)
        if headers is None:
            return False
        length = int(headers["content-length"])
        try:
            body = request.body.read(length)
        except OSError:  # it is raised again when the body is read again
            return False
        if len(body) < length:
            request.body = io.BytesIO(body)
            return False
        worker.nr += 1
        sock.sendall(self._bytes(request, self._posts.answer(request.uri, headers, body)))
        return True

    def _bytes(self, request: Any, response: Response) -> bytes:
        if response.status != 200:
            return self._written(request, response)
        if (second := int(time.time())) != self._second:
            self._heads.clear()
            self._second = second
        key = (len(response.body), response.content_type, *response.headers.items())
        head = self._heads.get(key)
        if head is None:
            written = self._written(request, response)
            head = self._heads[key] = written[: len(written) - len(response.body)]
        return head + response.body

    def _written(self, request: Any, response: Response) -> bytes:
        collector = _Collector()
        writer = GunicornResponse(request, collector, self._worker.cfg)
        writer.start_response(status_line(response), headers_of(response))
        writer.write(response.body)
        writer.close()
        return bytes(collector.sent)


def worker(kind: str, *, seconds: float, idle: float) -> type:
    """Return gunicorn's worker class of that kind, with deadlines, and with webhooks before WSGI.

    The sync worker closes each connection, and answers through WSGI.
    """
    module, name = WORKERS[kind]
    base: Any = getattr(import_module(module), name)
    return {"gevent": _gevent, "gthread": _gthread, "sync": _sync}[kind](base, seconds, idle)


def _sync(base: Any, seconds: float, idle: float) -> type:
    class SyncWorkerWithDeadline(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._clients: weakref.WeakSet[DeadlineSocket] = weakref.WeakSet()

        def handle(self, listener: Any, client: Any, addr: Any) -> Any:
            sock = DeadlineSocket(client, seconds, idle)
            self._clients.add(sock)
            return super().handle(listener, sock, addr)

        def notify(self) -> None:
            """Close idle connections at shutdown. Gunicorn calls this every second, also while connections end."""
            super().notify()
            if not self.alive:
                for sock in list(self._clients):
                    sock.close_if_idle()

    return SyncWorkerWithDeadline


def _gevent(base: Any, seconds: float, idle: float) -> type:
    from gevent import GreenletExit

    class GeventWorkerBeforeWsgi(_sync(base, seconds, idle)):  # type: ignore[misc]
        def load_wsgi(self) -> None:
            super().load_wsgi()
            self._webhooks = WebhookPosts(self)

        def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
            with suppress(GreenletExit, SystemExit):  # as gunicorn does at the end of a shutdown
                if self._webhooks.answer(req, sock):
                    return True
                return super().handle_request(listener_name, req, sock, addr)
            return None

    return GeventWorkerBeforeWsgi


def _gthread(base: Any, seconds: float, idle: float) -> type:
    class ThreadWorkerBeforeWsgi(base):  # type: ignore[misc]
        def load_wsgi(self) -> None:
            super().load_wsgi()
            self._webhooks = WebhookPosts(self)

        def handle(self, conn: Any) -> Any:
            if not isinstance(conn.sock, DeadlineSocket):
                conn.sock = DeadlineSocket(conn.sock, seconds, idle)
            return super().handle(conn)

        def handle_request(self, req: Any, conn: Any) -> Any:
            if len(self.keepalived_conns) < self.max_keepalived and self._webhooks.answer(req, conn.sock):
                return True
            return super().handle_request(req, conn)

        def finish_request(self, conn: Any, fs: Any) -> None:
            super().finish_request(conn, fs)
            if self.pending_conns and self.pending_conns[-1] is conn:  # no byte yet: the same deadline
                conn.timeout = conn.sock.until

    return ThreadWorkerBeforeWsgi
