"""gunicorn's workers: plain webhooks are answered before WSGI, exactly as through it; every other request is not."""

import inspect
import logging
import os
import re
import selectors
import socket
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from gevent import GreenletExit
from gunicorn.workers import gthread  # type: ignore[import-untyped]

from support.acme import NOW, body, make_endpoint, make_source, signed
from support.entrances import answer, make_worker, parsed
from support.installed_endpoints import InstalledEndpoint, all_endpoints, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import Response
from webhooks.http.request import HttpRequest
from webhooks.monitoring.metrics import Meter
from webhooks.web import plain_post, request_timeout, workers
from webhooks.web.handler import WebhookHandler
from webhooks.web.request_timeout import DeadlineSocket, RequestTimeout
from webhooks.web.wsgi import WebhookApp

BEFORE_WSGI = ("gevent", "gthread")


class App:
    """An application with a handler, as `webhooks.web.app` makes it. It counts its WSGI requests."""

    def __init__(self, handler: WebhookHandler) -> None:
        self.extensions = {"segue": handler}
        self.wsgi = WebhookApp(handler, lambda *_: [])
        self.requests = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.requests += 1
        return self.wsgi(environ, start_response)


def make_app(*, meter: Meter | None = None, **more: Any) -> App:
    return App(
        WebhookHandler(
            endpoints={"acme": make_endpoint(make_source(**more))}, sources={}, journal=MemoryJournal(), max_body=1000,
            clock=lambda: NOW, meter=meter,
        )
    )  # fmt: skip


def post(
    payload: bytes, *lines: str, target: str = "/webhooks/acme", length: int | None = None, **changed: str
) -> bytes:
    headers = (
        signed(payload) | {"Host": "h", "Content-Length": str(len(payload) if length is None else length)} | changed
    )
    first = f"POST {target} HTTP/1.1"
    return (
        "\r\n".join((first, *(f"{name}: {value}" for name, value in headers.items()), *lines, "", "")).encode()
        + payload
    )


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


@pytest.mark.parametrize("name", workers.PARTS)
def test_parts_of_gunicorn_in_use_have_not_changed(name: str) -> None:
    module, _, class_name = name.partition(":")
    part = getattr(import_module(module), class_name)
    for declared in workers.PARTS[name]:
        method = getattr(part, declared.partition("(")[0])
        actual = f"{method.__name__}{inspect.signature(method)}"
        assert actual == declared, f"gunicorn has changed {name}.{method.__name__}: adapt webhooks/web/workers.py"


@pytest.mark.parametrize("kind", workers.WORKERS)
def test_attributes_of_gunicorn_in_use_exist(kind: str) -> None:
    worker = make_worker(kind, make_app())
    request = parsed(worker, post(body()))
    assert (request.method, request.uri, request.version) == ("POST", "/webhooks/acme", (1, 1))
    assert ("CONTENT-LENGTH", str(len(body()))) in request.headers
    assert (worker.alive, worker.nr, worker.cfg.keepalive) == (True, 0, 95)
    assert worker.max_requests > 1_000_000
    if kind == "gthread":
        assert (len(worker.keepalived_conns), len(worker.pending_conns)) == (0, 0)
        assert worker.max_keepalived == worker.cfg.worker_connections - worker.cfg.threads


@pytest.mark.parametrize("kind", BEFORE_WSGI)
@pytest.mark.parametrize(
    "data",
    [
        post(body()),
        post(body(), Connection="keep-alive"),
        post(body(), target="/webhooks/acme/"),
        post(body(), target="/webhooks/unknown"),
        post(b"nonsense"),
        post(body(), length=None, **{"acme-signature": "t=1,v1=00"}),
        post(b""),
    ],
    ids=["plain", "keep-alive", "slash", "unknown endpoint", "not JSON", "bad signature", "no body"],
)
def test_plain_post_is_answered_before_wsgi(kind: str, data: bytes) -> None:
    app = make_app()
    worker = make_worker(kind, app)
    assert status(answer(worker, parsed(worker, data))) in {200, 401, 404}
    assert (app.requests, worker.nr) == (0, 1)


@pytest.mark.parametrize("kind", BEFORE_WSGI)
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (post(body(), target="/webhooks/acme?org=acme"), 200),
        (post(body(), target="/webhooks/%61cme"), 200),
        (post(body(), target="http://h/webhooks/acme"), 200),
        (post(body(), target="/webhooks/acme#x"), 200),
        (post(body(), Connection="close"), 200),
        (post(body(), "X-Twice: 1", "X-Twice: 2"), 200),
        (post(body(), Upgrade="h2c"), 200),
        (post(body()).replace(b"HTTP/1.1", b"HTTP/1.0"), 200),
        (post(body(), Expect="100-continue"), 100),
        (post(b"x" * 1001), 413),
        (post(body(), length=10**19), 413),
        (post(body(), length=len(body()) + 1), 400),
        (post(body()).replace(b"POST", b"PUT"), 405),
        (post(body()).replace(b"Content-Length", b"X-Length"), 401),
        (
            post(b"", "Transfer-Encoding: chunked", length=None, **signed(body())).replace(b"Content-Length: 0\r\n", b"")
            + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body()), body()),
            200,
        ),
    ],
    ids=[
        "query", "escaped path", "absolute target", "fragment", "Connection: close", "repeated header", "upgrade",
        "HTTP/1.0", "Expect", "too large", "length of many digits", "cut short", "PUT", "no length", "chunked",
    ],
)  # fmt: skip
def test_any_other_request_is_answered_through_wsgi(kind: str, data: bytes, expected: int) -> None:
    app = make_app()
    worker = make_worker(kind, app)
    assert status(answer(worker, parsed(worker, data))) == expected
    assert (app.requests, worker.nr) == (1, 1)


@pytest.mark.parametrize("kind", BEFORE_WSGI)
@pytest.mark.parametrize("change", ["shutting down", "no keep-alive", "last request"])
def test_response_that_closes_the_connection_goes_through_wsgi(kind: str, change: str) -> None:
    app = make_app()
    worker = make_worker(kind, app, **{"keepalive": 0} if change == "no keep-alive" else {})
    worker.alive = change != "shutting down"
    if change == "last request":
        worker.max_requests = 1
    response = answer(worker, parsed(worker, post(body())))
    assert (status(response), app.requests) == (200, 1)
    if change != "last request" or kind == "gthread":
        assert b"\r\nConnection: close\r\n" in response


def test_gthread_with_its_most_idle_connections_answers_through_wsgi() -> None:
    app = make_app()
    worker = make_worker("gthread", app)
    worker.max_keepalived = 0
    assert b"\r\nConnection: close\r\n" in answer(worker, parsed(worker, post(body())))
    assert app.requests == 1


@pytest.mark.parametrize("kind", workers.WORKERS)
def test_another_wsgi_application_runs_in_the_workers(kind: str) -> None:
    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    worker = make_worker(kind, application)
    assert answer(worker, parsed(worker, post(body()))).endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(("error", "expected"), [(RequestTimeout, 408), (ConnectionResetError, 400)])
def test_body_that_cannot_be_read_is_answered_through_wsgi(error: type[Exception], expected: int) -> None:
    class Broken:
        def read(self, _: int) -> bytes:
            raise error

    app = make_app()
    worker = make_worker("gevent", app)
    request = parsed(worker, post(body()))
    request.body = Broken()
    assert status(answer(worker, request)) == expected
    assert app.requests == 1


@pytest.mark.parametrize("error", [GreenletExit, SystemExit])
def test_gevent_worker_ends_a_request_that_is_killed_at_shutdown(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise error

    app = make_app()
    monkeypatch.setattr(app.extensions["segue"].journal, "append", killed)
    worker = make_worker("gevent", app)
    assert answer(worker, parsed(worker, post(body()))) == b""


def test_head_of_a_response_is_written_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [100.0]
    written: list[float] = []
    monkeypatch.setattr(workers, "time", SimpleNamespace(time=lambda: seconds[0]))
    worker = make_worker("gevent", make_app())
    write = worker._webhooks._written

    def write_and_count(*request: Any) -> Any:
        written.append(seconds[0])
        return write(*request)

    monkeypatch.setattr(worker._webhooks, "_written", write_and_count)
    for key, count in (("evt_1", 1), ("evt_2", 1), ("evt_2", 2), ("evt_2", 2)):
        assert status(answer(worker, parsed(worker, post(body(key))))) == 200
        assert len(written) == count  # a duplicate has a longer body
    seconds[0] = 101.0
    answer(worker, parsed(worker, post(body("evt_2"))))
    assert len(written) == 3


@pytest.mark.parametrize(
    "ack",
    [
        Response(body=b"dropped", status=204),
        Response(body=b"made", status=201, headers={"X-Acme": "1"}),
        Response(body=b"<ok/>", content_type="text/xml", headers={"X-Acme": "1", "Connection": "close"}),
        Response(),
    ],
    ids=["204", "201", "own headers", "no body"],
)
def test_ack_of_a_source_has_the_same_bytes_before_wsgi_and_through_it(ack: Response) -> None:
    before, through = (make_worker("gevent", make_app(ack=ack)) for _ in range(2))
    through._webhooks._posts = None
    for number in range(2):
        data = post(body(f"evt_{number}"))
        assert same_date(answer(before, parsed(before, data))) == same_date(answer(through, parsed(through, data)))


@pytest.mark.parametrize("kind", BEFORE_WSGI)
@pytest.mark.parametrize("header", [{"X-Acme": "a\r\nb: c"}, {"X Acme": "a"}])
def test_ack_with_a_bad_header_is_refused_as_through_wsgi(kind: str, header: dict[str, str]) -> None:
    worker = make_worker(kind, make_app(ack=Response(headers=header)))
    with pytest.raises(Exception, match=r"X.Acme"):
        answer(worker, parsed(worker, post(body())))


def same_date(response: bytes) -> bytes:
    return re.sub(rb"\r\nDate: [^\r]+", b"\r\nDate: now", response)


def raw(name: str, request: HttpRequest) -> bytes:
    path = f"/webhooks/{name}" + (f"/{request.path_token}" if request.path_token else "")
    query = f"?{request.query_string}" if request.query_string else ""
    headers = {"host": "h", **request.headers, "content-length": str(len(request.body))}
    lines = (f"POST {path}{query} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items()), "", "")
    return "\r\n".join(lines).encode("latin-1") + request.body


def counts(handler: WebhookHandler) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in handler.meter.registry.collect()
        for sample in metric.samples
        if not sample.name.endswith(("_created", "_seconds_bucket", "_seconds_sum"))
    }


def log_lines(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    standard = frozenset(vars(logging.makeLogRecord({})))
    lines = [
        (
            record.levelname,
            record.getMessage(),
            sorted((key, str(value)) for key, value in vars(record).items() if key not in standard),
        )
        for record in caplog.records
        if record.name.startswith("webhooks")
    ]
    caplog.clear()
    return lines


@pytest.mark.parametrize("installed", all_endpoints(), ids=lambda installed: installed.name)
def test_responses_events_counts_and_log_lines_are_equal_before_wsgi_and_through_it(
    installed: InstalledEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    requests = [installed.request(golden) for golden in installed.goldens[:3]]
    requests += [requests[0], HttpRequest(body=requests[0].body), installed.request()]
    good = requests[-1]
    requests[-1] = HttpRequest(body=good.body + b" ", headers=good.headers, path_token=good.path_token)
    results = []
    for through_wsgi in (False, True):
        handler = make_handler(journal := MemoryJournal())
        worker = make_worker("gthread", App(handler))
        if through_wsgi:
            worker._webhooks._posts = None
        responses = [same_date(answer(worker, parsed(worker, raw(installed.name, request)))) for request in requests]
        rows = [(row.event, row.state, row.reason) for row in journal.rows()]
        results.append((responses, rows, counts(handler), log_lines(caplog)))
    assert results[0] == results[1]


def test_plain_post_needs_a_length_within_the_limit() -> None:
    posts = plain_post.PlainPosts(make_app().extensions["segue"])
    for length, plain in {"1000": True, "0": True, "1001": False, "": False, "-1": False, "1" * 30: False}.items():
        headers = posts.headers_of("POST", "/webhooks/acme", [("CONTENT-LENGTH", length)])
        assert (headers is not None) is plain


@pytest.mark.parametrize("kind", ["gevent", "sync"])
def test_connection_is_served_with_a_deadline_until_the_client_ends_it(kind: str) -> None:
    worker = make_worker(kind, make_app())
    server, client = socket.socketpair()
    with client:
        client.sendall(post(body()) + post(body("evt_2")))
        client.shutdown(socket.SHUT_WR)
        worker.handle(SimpleNamespace(getsockname=lambda: ("127.0.0.1", 80)), server, ("127.0.0.1", 1))
        response = b"".join(iter(lambda: client.recv(65536), b""))
    assert response.count(b"HTTP/1.1 200 OK") == (1 if kind == "sync" else 2)
    assert server.fileno() == -1


def test_gthread_serves_a_connection_with_a_deadline() -> None:
    worker = make_worker("gthread", make_app())
    server, client = socket.socketpair()
    conn = gthread.TConn(worker.cfg, server, ("127.0.0.1", 1), ("127.0.0.1", 80))
    with client, server:
        client.sendall(post(body()))
        assert worker.handle(conn) is True
        first = conn.sock
        assert isinstance(first, DeadlineSocket)
        client.sendall(post(body("evt_2"), Connection="close"))
        assert worker.handle(conn) is False
        assert conn.sock is first
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("result", ["deferred", "closed"])
def test_gthread_waits_for_a_first_byte_until_the_deadline(result: str) -> None:
    worker = make_worker("gthread", make_app())
    worker.poller = selectors.DefaultSelector()
    server, client = socket.socketpair()
    with client, server, worker.poller:
        conn = gthread.TConn(worker.cfg, DeadlineSocket(server, 30, 95), ("127.0.0.1", 1), ("127.0.0.1", 80))
        value = gthread._DEFER if result == "deferred" else False
        worker.nr_conns = 1
        worker.finish_request(conn, SimpleNamespace(cancelled=lambda: False, result=lambda: value))
        assert (conn.timeout == conn.sock.until) is (result == "deferred")


def test_idle_connections_are_closed_at_shutdown_only(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = make_worker("gevent", make_app())
    monkeypatch.setattr(worker, "ppid", os.getppid())
    monkeypatch.setattr(worker, "tmp", SimpleNamespace(notify=lambda: None))
    server, client = socket.socketpair()
    with client, server:
        idle = DeadlineSocket(server, 30, 95)
        worker._clients.add(idle)
        worker.notify()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.recv(1)
        worker.alive = False
        worker.notify()
        assert server.recv(1) == b""


def test_request_has_until_its_deadline_and_a_pause_until_the_idle_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(request_timeout, "time", SimpleNamespace(monotonic=lambda: now[0]))
    server, client = socket.socketpair()
    with client, server:
        sock = DeadlineSocket(server, 4, 95)
        assert (server.gettimeout(), sock.until, sock.fileno()) == (1.0, 104.0, server.fileno())
        client.sendall(b"ab")
        assert sock.recv(1) == b"a"
        assert sock.until == 104.0, "the deadline is the request's"
        sock.sendall(b"x")
        assert sock.until == 195.0
        now[0] = 150.0
        assert sock.recv(1) == b"b"
        assert sock.until == 154.0, "a new request"
        now[0] = 154.0
        with pytest.raises(RequestTimeout):
            sock.recv(1)
        sock.sendall(b"x")
        assert sock.until == 0.0, "no request after one that was too slow"
        sock.setblocking(False)
        assert server.gettimeout() == 0.0
        sock.close_if_idle()
    sock.close_if_idle()  # it is closed already


def test_recv_waits_again_until_the_deadline() -> None:
    waits: list[Any] = [TimeoutError(), b"a"]

    def recv(_: int) -> bytes:
        value = waits.pop(0)
        if isinstance(value, TimeoutError):
            raise value
        assert isinstance(value, bytes)
        return value

    sock = DeadlineSocket(SimpleNamespace(recv=recv, settimeout=lambda _: None), 30, 95)
    assert sock.recv(1) == b"a"
    sock.close_if_idle()  # a request has begun: it stays open


def test_client_that_does_not_read_its_response_is_cut_off() -> None:
    def sendall(_: bytes) -> None:
        raise TimeoutError

    sock = DeadlineSocket(SimpleNamespace(sendall=sendall, settimeout=lambda _: None), 30, 95)
    with pytest.raises(RequestTimeout):
        sock.sendall(b"x")
    assert sock.until == 0.0
