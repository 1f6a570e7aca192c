"""Outgoing requests of the service, and that no incoming request can redirect them."""

import http.server
import threading
from dataclasses import replace

import pytest

from support.installed_endpoints import ENDPOINTS_BY_NAME, handle, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import PublicKey
from webhooks.errors import Rejected, SettingsError
from webhooks.http import certificates
from webhooks.http.certificates import Certificates
from webhooks.http.client import request as send
from webhooks.http.outgoing import Unreachable
from webhooks.segment.transport import Transport
from webhooks.settings import SegmentSettings, load

FETCHING = [
    installed for installed in ENDPOINTS_BY_NAME.values()
    if isinstance(installed.endpoint.scheme, PublicKey) and installed.endpoint.scheme.cert_url_header
]  # fmt: skip
ELSEWHERE = [
    "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "https://localhost/v1/notifications/certs/x",
    "https://api.paypal.com.evil.example/v1/notifications/certs/x", "gopher://api.paypal.com/v1/notifications/certs/x",
    "https://api.paypal.com@evil.example/v1/notifications/certs/x", "https://api.paypal.com:22/v1/notifications/certs/x",
    "https://api.paypal.com/v1/notifications/certs/../../oauth2", "https://api.paypal.com\\@evil.example/v1/notifications/certs/x",
    "https://api.paypal.com/v1/notifications/certs/x?redirect=http://evil.example", "https://[::1]/v1/notifications/certs/x",
    "https://API.PAYPAL.COM%2eevil.example/v1/notifications/certs/x", "//evil.example/v1/notifications/certs/x",
    "https://api.paypal.com\tevil.example/v1/notifications/certs/x", "https://api.paypal.com/v1/notifications/certsx/x",
]  # fmt: skip


def test_only_paypal_fetches_a_url_and_only_from_its_hosts() -> None:
    """The docs must name every host that is fetched from."""
    assert [installed.name for installed in FETCHING] == ["paypal"]
    for installed in FETCHING:
        assert isinstance(installed.endpoint.scheme, PublicKey)
        assert installed.endpoint.scheme.cert_hosts == ("api.paypal.com", "api.sandbox.paypal.com")


@pytest.mark.parametrize("url", ELSEWHERE)
def test_certificate_url_of_another_host_is_not_fetched(url) -> None:
    installed = ENDPOINTS_BY_NAME["paypal"]
    handler = make_handler(MemoryJournal())
    handler.fetch = lambda url: pytest.fail(f"fetched {url}")
    request = installed.request()
    forged = replace(request, headers={**request.headers, "paypal-cert-url": url})
    response = handle(handler, "paypal", forged)
    assert response.status == 401
    assert b"a URL that is not the provider" in response.body


class RecordingServer(http.server.ThreadingHTTPServer):
    """A server of the loopback: `requests` are (path, headers); `/slow` waits for `released`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RedirectingHandler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class RedirectingHandler(http.server.BaseHTTPRequestHandler):
    server: RecordingServer

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        if self.path == "/slow":
            self.server.released.wait(10)
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "http://127.0.0.1:9/stolen" if self.path == "/moved" else "/x")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with RecordingServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.released.set()
        server.shutdown()


def test_at_most_four_certificates_are_fetched_at_once(server, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = Certificates()
    waiting = [threading.Thread(target=fetch, args=(f"{server.url}/slow",)) for _ in range(4)]
    for thread in waiting:
        thread.start()
    while len(server.requests) < 4:
        pass
    with pytest.raises(Rejected, match="too many certificates are being fetched") as refused:
        fetch(f"{server.url}/other")
    assert (refused.value.status, len(server.requests)) == (503, 4)
    server.released.set()
    for thread in waiting:
        thread.join()
    assert fetch(f"{server.url}/other") == b"ok"
    assert certificates._MAX_CONCURRENT == 4


@pytest.mark.parametrize("proxies", [True, False])
def test_redirect_is_not_followed_and_carries_no_key(server, proxies) -> None:
    response = send("GET", f"{server.url}/moved", headers={"Authorization": "Bearer key"}, timeout=5, proxies=proxies)
    assert response.status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x"])
@pytest.mark.parametrize("proxies", [True, False])
def test_client_refuses_schemes_other_than_http(url, proxies) -> None:
    with pytest.raises(Unreachable, match="the URL is not valid"):
        send("GET", url, timeout=5, proxies=proxies)


def test_segment_client_follows_no_redirect_with_the_write_key(server, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport(SegmentSettings(url=server.url))

    def redirect(handler):
        handler.path = "/moved"
        handler.do_GET()

    monkeypatch.setattr(RedirectingHandler, "do_POST", redirect)
    assert transport.post("key", b"{}").status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://x/", "https://user:pass@segment.example", "https://x/?a=b", "javascript:alert(1)"],
)
@pytest.mark.parametrize("name", ["SEGMENT_URL", "SEGUE_PUBLIC_URL"])
def test_configured_url_must_be_http_without_credentials(name, url) -> None:
    with pytest.raises(SettingsError) as refused:
        load({name: url}, sources={})
    assert "user:pass" not in str(refused.value)
