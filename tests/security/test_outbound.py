"""Where the service goes by itself, and that nobody who sends it something can send it elsewhere."""

import http.server
import threading
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from doors import PLACES_BY_NAME, door, take
from memory_journal import MemoryJournal
from translators.kit import PublicKey
from webhooks.errors import Rejected, SettingsError
from webhooks.http import certificates
from webhooks.http.certificates import Certificates
from webhooks.http.opener import opener
from webhooks.segment.transport import Transport
from webhooks.settings import SegmentSettings, load

FETCHING = [
    place for place in PLACES_BY_NAME.values()
    if isinstance(place.endpoint.scheme, PublicKey) and place.endpoint.scheme.cert_url_header
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


def test_only_these_sources_fetch_anything_and_only_from_their_provider():
    """One more here is one more host that the docs must name."""
    assert [place.name for place in FETCHING] == ["paypal"]
    for place in FETCHING:
        assert place.endpoint.scheme.cert_hosts == ("api.paypal.com", "api.sandbox.paypal.com")


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_certificate_elsewhere_is_not_asked_for(url):
    place = PLACES_BY_NAME["paypal"]
    opened = door(MemoryJournal())
    opened.fetch = lambda url: pytest.fail(f"asked for {url}")
    incoming = place.request()
    forged = replace(incoming, headers={**incoming.headers, "paypal-cert-url": url})
    answer = take(opened, "paypal", forged)
    assert answer.status == 401
    assert b"a URL that is not the provider" in answer.body


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        if self.path == "/slow":
            self.server.go.wait(10)
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
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.asked, server.go = [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.go.set()
        server.shutdown()


def test_a_flood_of_forged_certificates_holds_four_requests_and_no_more(server, monkeypatch):
    fetch = Certificates()
    waiting = [threading.Thread(target=fetch, args=(f"{server.url}/slow",)) for _ in range(4)]
    for thread in waiting:
        thread.start()
    while len(server.asked) < 4:
        pass
    with pytest.raises(Rejected, match="too many certificates are being fetched") as refused:
        fetch(f"{server.url}/other")
    assert (refused.value.status, len(server.asked)) == (503, 4)
    server.go.set()
    for thread in waiting:
        thread.join()
    assert fetch(f"{server.url}/other") == b"ok"
    assert certificates._MAX_CONCURRENT == 4


@pytest.mark.parametrize("proxies", [True, False])
def test_a_redirect_is_not_followed_and_takes_no_key_along(server, proxies):
    asked = urllib.request.Request(f"{server.url}/moved", headers={"Authorization": "Bearer key"})
    with pytest.raises(urllib.error.HTTPError) as error:
        opener(proxies=proxies).open(asked, timeout=5)
    error.value.close()
    assert error.value.code == 302
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x"])
def test_only_http_is_spoken(url):
    with pytest.raises((urllib.error.URLError, TypeError)):
        opener(proxies=False).open(url, timeout=5)


def test_segment_cannot_send_the_write_key_elsewhere(server):
    transport = Transport(SegmentSettings(url=server.url))
    server.RequestHandlerClass.do_POST = lambda self: (setattr(self, "path", "/moved"), Server.do_GET(self))[1]
    try:
        assert transport.post("key", b"{}").status == 302
    finally:
        server.RequestHandlerClass.do_POST = Server.do_GET
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://x/", "https://user:pass@segment.example", "https://x/?a=b", "javascript:alert(1)"],
)
@pytest.mark.parametrize("name", ["SEGMENT_URL", "SEGUE_PUBLIC_URL"])
def test_a_configured_url_is_http_without_credentials(name, url):
    with pytest.raises(SettingsError) as refused:
        load({name: url}, sources={})
    assert "user:pass" not in str(refused.value)
