"""The webhook path reads the raw bytes itself, with Content-Length or chunked."""

import io
from typing import Any

import pytest

from support.acme import NOW, body, make_endpoint, signed
from support.journals import rows_of
from support.wsgi import call_app
from webhooks.journal import SqliteJournal
from webhooks.web.handler import WebhookHandler
from webhooks.web.request_timeout import RequestTimeout
from webhooks.web.wsgi import WebhookApp


@pytest.fixture
def handler(tmp_path: Any) -> Any:
    journal = SqliteJournal(tmp_path / "j.db")
    yield WebhookHandler(
        endpoints={"acme": make_endpoint()}, sources={}, journal=journal, max_body=1000, clock=lambda: NOW
    )
    journal.close()


def call_wsgi(handler: WebhookHandler, payload: Any, **environ: Any) -> tuple[str, list[tuple[str, str]], bytes]:
    full_environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/webhooks/acme", "wsgi.input": payload,
        "HTTP_ACME_SIGNATURE": signed(body())["acme-signature"], **environ,
    }  # fmt: skip
    return call_app(WebhookApp(handler, lambda *_: [b"elsewhere"]), full_environ)


def test_body_with_content_length_is_read_exactly(handler: WebhookHandler) -> None:
    stream = io.BytesIO(body() + b"the next request")
    status, headers, _ = call_wsgi(handler, stream, CONTENT_LENGTH=str(len(body())))
    assert status == "200 OK"
    assert dict(headers)["Content-Type"] == "application/json"


def test_chunked_body_is_read_to_its_end(handler: WebhookHandler) -> None:
    assert call_wsgi(handler, io.BytesIO(body()), **{"wsgi.input_terminated": True})[0] == "200 OK"


def test_chunked_body_over_the_limit_is_413(handler: WebhookHandler) -> None:
    assert call_wsgi(handler, io.BytesIO(b"x" * 200_000), **{"wsgi.input_terminated": True})[0].startswith("413")


def test_body_that_ends_early_is_400_and_not_stored(handler: WebhookHandler) -> None:
    status, _, response = call_wsgi(handler, io.BytesIO(body()[:-5]), CONTENT_LENGTH=str(len(body())))
    assert status == "400 Bad Request"
    assert b"cut_short" in response

    class BrokenStream:
        def read(self, _: int) -> bytes:
            raise ConnectionResetError

    for more in ({"CONTENT_LENGTH": "5"}, {"wsgi.input_terminated": True}):
        assert call_wsgi(handler, BrokenStream(), **more)[0] == "400 Bad Request"
    assert rows_of(handler) == []


def test_body_that_misses_the_deadline_is_408(handler: WebhookHandler) -> None:
    class SlowStream:
        def read(self, _: int) -> bytes:
            raise RequestTimeout

    for more in ({"CONTENT_LENGTH": "5"}, {"wsgi.input_terminated": True}):
        status, _, response = call_wsgi(handler, SlowStream(), **more)
        assert status == "408 Request Timeout"
        assert b"too_slow" in response


def test_request_without_content_length_has_no_body(handler: WebhookHandler) -> None:
    assert call_wsgi(handler, io.BytesIO(b"ignored"))[0] == "401 Unauthorized"


def test_other_paths_go_to_flask(handler: WebhookHandler) -> None:
    for path in ("/healthz", "/", "/webhooks"):
        for method in ("GET", "HEAD", "POST"):
            assert call_wsgi(handler, io.BytesIO(), PATH_INFO=path, REQUEST_METHOD=method)[2] == b"elsewhere"


class ChunkError(Exception):
    """The error that a server's body reader raises for malformed chunks."""


@pytest.mark.parametrize("error", [ChunkError, ValueError, RuntimeError])
def test_malformed_chunk_is_400_bad_framing_without_traceback(
    handler: WebhookHandler, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    class MalformedStream:
        def read(self, _: int) -> bytes:
            raise error("0x")

    for more in ({"CONTENT_LENGTH": "5"}, {"wsgi.input_terminated": True}):
        status, _, response = call_wsgi(handler, MalformedStream(), **more)
        assert status == "400 Bad Request"
        assert b'"bad_framing"' in response
    assert "Traceback" not in caplog.text
