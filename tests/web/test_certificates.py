"""Signing certificates are fetched once, without redirects, and their absence is a 503."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from webhooks.errors import Rejected
from webhooks.http.certificates import Certificates


class Handler(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/cert")
            self.end_headers()
            return
        body = b"x" * 100_000 if self.path == "/large" else b"certificate"
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Handler.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_certificate_is_fetched_once_and_again_when_it_is_old(url: str) -> None:
    now = [0.0]
    certificates = Certificates(keep=10, clock=lambda: now[0])
    assert [certificates(f"{url}/cert") for _ in range(3)] == [b"certificate"] * 3
    assert Handler.asked == ["/cert"]
    now[0] = 10.0
    certificates(f"{url}/cert")
    assert Handler.asked == ["/cert"] * 2


def test_only_so_many_are_kept(url: str) -> None:
    certificates = Certificates()
    for number in range(40):
        certificates(f"{url}/{number}")
    assert len(certificates._cache) == 32


@pytest.mark.parametrize("path", ["/moved", "/none", "/large"])
def test_what_is_not_plainly_there_is_unavailable(url: str, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        Certificates()(url + path)
    assert caught.value.status == 503
    assert "/cert" not in Handler.asked


def test_a_place_that_does_not_answer_is_unavailable() -> None:
    for nowhere in ("http://127.0.0.1:1/cert", "nonsense"):
        with pytest.raises(Rejected):
            Certificates(timeout=1)(nowhere)


@pytest.mark.parametrize("path", ["/a b", "/a\tb", "/a\x00b", "/\x7f", "/\u00e9", "/a\r\nHost: x"])
def test_a_url_that_is_none_is_503_and_no_other_error(url: str, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        Certificates()(url + path)
    assert caught.value.error == "certificate_unavailable"
    assert Handler.asked == []
