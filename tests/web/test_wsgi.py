"""The webhook path reads its own raw bytes, however they come."""

import io
from typing import Any

import pytest

from acme import NOW, body, make_endpoint, signed
from webhooks.journal import SqliteJournal
from webhooks.web.handler import WebhookHandler
from webhooks.web.request_timeout import RequestTimeout
from webhooks.web.wsgi import WebhookApp


@pytest.fixture
def door(tmp_path: Any) -> Any:
    journal = SqliteJournal(tmp_path / "j.db")
    yield WebhookHandler(
        endpoints={"acme": make_endpoint()}, sources={}, journal=journal, max_body=1000, clock=lambda: NOW
    )
    journal.close()


def call(door: WebhookHandler, payload: Any, **environ: Any) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []
    given = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/webhooks/acme", "wsgi.input": payload,
        "HTTP_ACME_SIGNATURE": signed(body())["Acme-Signature"], **environ,
    }  # fmt: skip
    answer = WebhookApp(door, lambda *_: [b"elsewhere"])(given, lambda status, headers: told.extend([status, headers]))  # type: ignore[arg-type,func-returns-value]
    return (*(told or ["", []]), b"".join(answer))  # type: ignore[return-value]


def test_a_body_of_told_length_is_read_exactly(door: WebhookHandler) -> None:
    stream = io.BytesIO(body() + b"the next request")
    status, headers, _ = call(door, stream, CONTENT_LENGTH=str(len(body())))
    assert status == "200 OK"
    assert dict(headers)["Content-Type"] == "application/json"


def test_a_chunked_body_is_read_to_its_end(door: WebhookHandler) -> None:
    assert call(door, io.BytesIO(body()), **{"wsgi.input_terminated": True})[0] == "200 OK"


def test_a_chunked_body_over_the_limit_is_refused(door: WebhookHandler) -> None:
    assert call(door, io.BytesIO(b"x" * 200_000), **{"wsgi.input_terminated": True})[0].startswith("413")


def test_a_body_that_ends_early_stores_nothing(door: WebhookHandler) -> None:
    status, _, told = call(door, io.BytesIO(body()[:-5]), CONTENT_LENGTH=str(len(body())))
    assert status == "400 Bad Request"
    assert b"cut_short" in told

    class Broken:
        def read(self, _: int) -> bytes:
            raise ConnectionResetError

    for more in ({"CONTENT_LENGTH": "5"}, {"wsgi.input_terminated": True}):
        assert call(door, Broken(), **more)[0] == "400 Bad Request"
    assert door.journal.rows() == []


def test_a_body_that_does_not_come_in_time_is_a_408(door: WebhookHandler) -> None:
    class Dribbling:
        def read(self, _: int) -> bytes:
            raise RequestTimeout

    for more in ({"CONTENT_LENGTH": "5"}, {"wsgi.input_terminated": True}):
        status, _, told = call(door, Dribbling(), **more)
        assert status == "408 Request Timeout"
        assert b"too_slow" in told


def test_without_a_length_there_is_no_body(door: WebhookHandler) -> None:
    assert call(door, io.BytesIO(b"ignored"))[0] == "401 Unauthorized"


def test_everything_else_goes_to_flask(door: WebhookHandler) -> None:
    for path in ("/healthz", "/", "/webhooks"):
        for method in ("GET", "HEAD", "POST"):
            assert call(door, io.BytesIO(), PATH_INFO=path, REQUEST_METHOD=method)[2] == b"elsewhere"


class Chunked(Exception):
    """What a server's body reader raises at chunks that are none, as gunicorn's does."""


@pytest.mark.parametrize("error", [Chunked, ValueError, RuntimeError])
def test_a_malformed_chunk_is_400_bad_framing_and_no_traceback(
    door: WebhookHandler, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    class Malformed:
        def read(self, _: int) -> bytes:
            raise error("0x")

    for more in ({"CONTENT_LENGTH": "5"}, {"wsgi.input_terminated": True}):
        status, _, answer = call(door, Malformed(), **more)
        assert status == "400 Bad Request"
        assert b'"bad_framing"' in answer
    assert "Traceback" not in caplog.text
