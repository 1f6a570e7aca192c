"""The outgoing client, against servers that answer byte for byte what a test says."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from webhooks.http.client import MAX_BYTES, ClientResponse, request
from webhooks.http.outgoing import Deadline, Unreachable, failure_reason

Script = Callable[["RawServer", socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Mixed-Case: Yes\r\n\r\nok"
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def more(sock: socket.socket) -> bytes:
    """Return the next bytes; raise at the end of the connection."""
    data = sock.recv(4096)
    if not data:
        raise ConnectionError
    return data


class RawServer:
    """A server that runs `script` for each connection, and keeps what it read."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.received: list[bytes] = []
        self.closed = threading.Event()
        self._listener = socket.create_server(("", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            self.script(self, sock)

    def read(self, sock: socket.socket) -> bytes:
        """Read one request, with its body if it has a Content-Length."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += more(sock)
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += more(sock)
        self.received.append(head + b"\r\n\r\n" + body)
        return head

    def drip(self, sock: socket.socket, data: bytes) -> None:
        """Send one byte every 20 ms, again and again."""
        while not self.closed.wait(0.02):
            for number in range(len(data)):
                sock.sendall(data[number : number + 1])
                if self.closed.wait(0.02):
                    return

    def close(self) -> None:
        self.closed.set()
        self._listener.close()


def answering(data: bytes) -> Script:
    def script(server: RawServer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(data)

    return script


@pytest.fixture
def serve() -> Iterator[Callable[[Script], RawServer]]:
    servers: list[RawServer] = []

    def start(script: Script) -> RawServer:
        servers.append(RawServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def no_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def reason(*arguments: Any, **options: Any) -> str:
    """Return why there is no response; it must come soon."""
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        request(*arguments, **options)
    assert time.monotonic() - began < 5
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_request_is_sent_byte_for_byte_and_response_names_are_lower_case(serve: Any) -> None:
    server = serve(answering(OK))
    response = request(
        "POST", f"{server.url}/a%2fb;c?x=%7E&y=+#part", body=b"{}", headers={"X-Key": "k", "User-Agent": "segue-test"}
    )
    assert response == ClientResponse(200, "OK", {"content-length": "2", "x-mixed-case": "Yes"}, b"ok")
    head, _, body = server.received[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a%2fb;c?x=%7E&y=+ HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}".encode() in lines
    assert {b"X-Key: k", b"User-Agent: segue-test", b"Content-Length: 2"} <= set(lines)
    assert body == b"{}"


def test_address_without_a_path_asks_for_the_root_without_a_body(serve: Any) -> None:
    server = serve(answering(OK))
    request("GET", server.url)
    assert server.received[0].startswith(b"GET / HTTP/1.1\r\n")
    assert b"content-length" not in server.received[0].lower()


@pytest.mark.parametrize("length", [b"Content-Length: 200000\r\n", b""])
def test_at_most_max_bytes_of_a_body_are_read(serve: Any, length: bytes) -> None:
    server = serve(answering(b"HTTP/1.1 500 Failed\r\n" + length + b"\r\n" + b"a" * 200_000))
    assert len(request("GET", server.url).body) == MAX_BYTES
    response = request("GET", server.url, max_bytes=7)
    assert (response.status, response.phrase, response.body) == (500, "Failed", b"a" * 7)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf",
    ],
)
def test_response_that_ends_early_is_unreachable(serve: Any, data: bytes) -> None:
    assert reason("GET", serve(answering(data)).url) == "the response was cut short"


def test_body_that_ends_with_the_connection_is_complete(serve: Any) -> None:
    assert request("GET", serve(answering(b"HTTP/1.0 200 OK\r\n\r\nall of it")).url).body == b"all of it"


def test_answer_that_is_not_http_is_unreachable(serve: Any) -> None:
    assert reason("GET", serve(answering(b"SSH-2.0-OpenSSH\r\n")).url).startswith("SSH-2.0")
    assert reason("GET", serve(lambda server, sock: server.read(sock)).url) == (
        "Remote end closed connection without response"
    )


def test_refused_connection_says_so_without_the_address() -> None:
    assert reason("GET", "http://127.0.0.1:1/") == "Connection refused"


@pytest.mark.parametrize(
    "url",
    [
        "nonsense", "http://", "file:///etc/passwd", "https://[", "http://h:port/", "http://127.0.0.1/a b",
        "http://127.0.0.1/a\tb", "http://127.0.0.1/\r\nHost: x", "http://127.0.0.1/\x7f",
    ],
)  # fmt: skip
def test_invalid_url_is_unreachable_and_not_shown(url: str) -> None:
    assert reason("GET", url) == "the URL is not valid"


def test_path_that_is_not_ascii_is_an_invalid_url(serve: Any) -> None:
    assert reason("GET", serve(answering(OK)).url + "/é") == "the URL is not valid"


def drip_headers(server: RawServer, sock: socket.socket) -> None:
    server.read(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    server.drip(sock, b"X-Slow: 1\r\n")


def drip_body(server: RawServer, sock: socket.socket) -> None:
    server.read(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    server.drip(sock, b"more")


def drip_at_once(server: RawServer, sock: socket.socket) -> None:
    server.drip(sock, b"\x16\x03\x03\x40\x00" + b"\x00" * 10_000)  # the beginning of a long TLS record


def silent(server: RawServer, _: socket.socket) -> None:
    server.closed.wait(10)


@pytest.mark.parametrize("script", [drip_headers, drip_body, silent])
def test_slow_response_ends_at_the_deadline(serve: Any, script: Script) -> None:
    assert reason("GET", serve(script).url, timeout=0.3) == "no response in time"


@pytest.mark.parametrize("script", [drip_at_once, silent])
def test_slow_tls_handshake_ends_at_the_deadline(serve: Any, script: Script) -> None:
    url = serve(script).url.replace("http:", "https:")
    assert reason("GET", url, timeout=0.3) == "no response in time"


def addresses(*places: tuple[str, int]) -> Callable[..., list[Any]]:
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]


def test_deadline_holds_in_a_process_under_gevent(serve: Any) -> None:
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import sys\nfrom webhooks.http.client import request\nfrom webhooks.http.outgoing import Unreachable\n"
        "for url in sys.argv[1:]:\n"
        "    try:\n        request('GET', url, timeout=0.3)\n"
        "    except Unreachable as error:\n        print(error)\n"
    )
    urls = [serve(drip_body).url, serve(drip_at_once).url.replace("http:", "https:")]
    done = subprocess.run([sys.executable, "-c", code, *urls], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["no response in time"] * 2


def test_each_address_of_a_host_is_tried(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answering(OK))
    monkeypatch.setattr(socket, "getaddrinfo", addresses(("127.0.0.1", 1), ("127.0.0.1", server.port)))
    assert request("GET", "http://two.example/").body == b"ok"
    assert b"Host: two.example\r\n" in server.received[0]
    monkeypatch.setattr(socket, "getaddrinfo", addresses(("127.0.0.1", 1), ("127.0.0.1", 1)))
    assert reason("GET", "http://two.example/") == "Connection refused"


def test_deadline_covers_all_addresses_together(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    try:
        for _ in range(4):  # fill the backlog, so that the next connection is not accepted
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
            waiting.append(sock)
        monkeypatch.setattr(socket, "getaddrinfo", addresses(*[listener.getsockname()] * 20))
        assert reason("GET", "http://many.example/", timeout=0.3) == "no response in time"
    finally:
        for sock in (*waiting, listener):
            sock.close()


def tls(certificate: Path, script: Script) -> Script:
    def secured(server: RawServer, sock: socket.socket) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with context.wrap_socket(sock, server_side=True) as secure:
            script(server, secure)

    return secured


def test_tls_is_verified_and_shows_why_it_failed(
    serve: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(tls(certificate, answering(OK)))
    url = server.url.replace("http:", "https:")
    assert "certificate verify failed" in reason("GET", url)
    assert server.received == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert request("GET", url).body == b"ok"
    assert "certificate is not valid for '127.0.0.2'" in reason("GET", url.replace("127.0.0.1", "127.0.0.2"))


def test_tls_response_byte_by_byte_ends_at_the_deadline(
    serve: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url = serve(tls(certificate, drip_headers)).url.replace("http:", "https:")
    assert reason("GET", url, timeout=0.5) == "no response in time"


def test_proxy_is_used_only_if_asked_for(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(answering(OK)), serve(answering(OK))
    monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//seg%75e:p%40ss@"))
    request("GET", f"{server.url}/direct")
    assert (len(server.received), proxy.received) == (1, [])
    request("GET", "http://api.example:81/list?page=2", headers={"X-Key": "k"}, proxies=True)
    lines = proxy.received[0].split(b"\r\n")
    assert lines[0] == b"GET http://api.example:81/list?page=2 HTTP/1.1"
    assert {b"Host: api.example:81", b"X-Key: k", b"Proxy-Authorization: Basic c2VndWU6cEBzcw=="} <= set(lines)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    request("GET", f"{server.url}/excepted", proxies=True)
    assert (len(server.received), len(proxy.received)) == (2, 1)


def test_proxy_without_a_scheme_or_password(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(answering(OK))
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
    assert request("GET", "http://api.example/", proxies=True).status == 200
    assert b"Proxy-Authorization" not in proxy.received[0]


def test_proxy_that_is_reached_by_tls(serve: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    proxy = serve(tls(certificate, answering(OK)))
    monkeypatch.setenv("http_proxy", f"https://127.0.0.1:{proxy.port}")
    assert request("GET", "http://api.example/x", proxies=True).body == b"ok"
    assert proxy.received[0].startswith(b"GET http://api.example/x HTTP/1.1\r\n")


def test_https_passes_a_proxy_in_a_tunnel(serve: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tunnel(server: RawServer, sock: socket.socket) -> None:
        server.read(sock)
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tls(certificate, answering(OK))(server, sock)

    proxy = serve(tunnel)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//user@"))
    response = request("POST", "https://localhost/x", body=b"{}", headers={"Authorization": "Bearer k"}, proxies=True)
    assert response.body == b"ok"
    connect, inside = proxy.received
    assert connect.startswith(b"CONNECT localhost:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic dXNlcjo=" in connect
    assert b"Bearer k" not in connect
    assert inside.startswith(b"POST /x HTTP/1.1\r\n")
    assert b"Host: localhost\r\n" in inside
    assert b"Proxy-Authorization" not in inside


def test_proxy_that_refuses_or_hangs_is_unreachable(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = serve(answering(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"))
    monkeypatch.setenv("https_proxy", refusing.url)
    assert reason("GET", "https://localhost/", proxies=True) == (
        "Tunnel connection failed: 407 Proxy Authentication Required"
    )
    monkeypatch.setenv("https_proxy", serve(drip_headers).url)
    assert reason("GET", "https://localhost/", proxies=True, timeout=0.3) == "no response in time"


def test_connection_watched_after_the_deadline_is_shut_down_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.0) as deadline:
        time.sleep(0.05)
        with pytest.raises(TimeoutError):
            deadline.left()
        deadline.watch(ours)
        assert theirs.recv(1) == b""


def test_deadline_without_a_connection_has_no_effect_and_a_closed_one_no_error() -> None:
    with Deadline(0.0) as deadline:
        time.sleep(0.05)
    sock = socket.socket()
    sock.close()
    deadline.watch(sock)
    assert deadline.passed


def test_deadline_that_is_over_leaves_no_time_before_its_timer_runs() -> None:
    deadline = Deadline(0.0)
    with pytest.raises(TimeoutError):
        deadline.left()
    assert Deadline(60).left() > 50


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(110, "Connection timed out"), "no response in time"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (OSError("cannot connect"), "cannot connect"),
        (OSError(), "OSError"),
        (http.client.IncompleteRead(b"half", 10), "the response was cut short"),
        (http.client.InvalidURL("http://secret/ a"), "the URL is not valid"),
        (ValueError("http://secret"), "the URL is not valid"),
        (http.client.BadStatusLine("SSH"), "SSH"),
        (http.client.BadStatusLine("x" * 500), "BadStatusLine"),
    ],
)
def test_failure_reason(error: Exception, expected: str) -> None:
    assert failure_reason(error) == expected
