"""Signing certificates are cached, fetched without redirects, and a 503 if they cannot be fetched."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from webhooks.errors import Rejected
from webhooks.http.certificates import Certificates


class CertificateHandler(http.server.BaseHTTPRequestHandler):
    requested_paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.requested_paths.append(self.path)
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
    CertificateHandler.requested_paths = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CertificateHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_certificate_is_cached_and_fetched_again_after_expiry(url: str) -> None:
    now = [0.0]
    certificates = Certificates(keep=10, clock=lambda: now[0])
    assert [certificates(f"{url}/cert") for _ in range(3)] == [b"certificate"] * 3
    assert CertificateHandler.requested_paths == ["/cert"]
    now[0] = 10.0
    certificates(f"{url}/cert")
    assert CertificateHandler.requested_paths == ["/cert"] * 2


def test_certificate_cache_holds_at_most_32(url: str) -> None:
    certificates = Certificates()
    for number in range(40):
        certificates(f"{url}/{number}")
    assert len(certificates._cache) == 32


@pytest.mark.parametrize("path", ["/moved", "/none", "/large"])
def test_redirected_missing_or_large_certificate_is_503(url: str, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        Certificates()(url + path)
    assert caught.value.status == 503
    assert "/cert" not in CertificateHandler.requested_paths


def test_unreachable_certificate_host_is_rejected() -> None:
    for nowhere in ("http://127.0.0.1:1/cert", "nonsense"):
        with pytest.raises(Rejected):
            Certificates(timeout=1)(nowhere)


@pytest.mark.parametrize("path", ["/a b", "/a\tb", "/a\x00b", "/\x7f", "/\u00e9", "/a\r\nHost: x"])
def test_malformed_certificate_url_is_503(url: str, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        Certificates()(url + path)
    assert caught.value.error == "certificate_unavailable"
    assert CertificateHandler.requested_paths == []
