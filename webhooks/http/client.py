"""The outgoing client: one request, limited in time and size. No redirects; a proxy only if it is asked for.

It uses the standard library, which every process has loaded anyway. The delivery to Segment keeps its connections and
has a client of its own on `requests` (`webhooks.segment.transport`), which costs some 5 MB in each process that loads
it. Both share the deadline and the error of `webhooks.http.outgoing`.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from webhooks.http.outgoing import Deadline, Unreachable, failure_reason

MAX_BYTES: Final = 100_000
"""How many bytes of a response body are read, unless the caller says otherwise."""
_PORTS: Final = {"http": 80, "https": 443}
_NOT_IN_URLS: Final = re.compile(r"[\x00-\x20\x7f]")  # urlsplit drops some of them silently


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """The response; header names are lower case."""

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes


def request(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
    max_bytes: int = MAX_BYTES,
    proxies: bool = False,
) -> ClientResponse:
    """Send one request and return the response, of whatever status. Raise `Unreachable` if there is none.

    Everything but name resolution ends after `timeout` seconds. At most `max_bytes` of the body are read. `proxies`
    uses HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
    """
    with Deadline(timeout) as deadline:
        try:
            return _exchange(method, url, body, dict(headers or {}), deadline, max_bytes, proxies=proxies)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(failure_reason(TimeoutError() if deadline.passed else error)) from None


class _LimitedConnection(http.client.HTTPConnection):
    """A connection that its deadline ends at any step: to connect, to open a tunnel, to agree on TLS, to read."""

    def __init__(self, server: SplitResult, deadline: Deadline, tls_name: str | None) -> None:
        self.default_port = _PORTS["https" if tls_name else "http"]
        super().__init__(server.hostname or "", server.port or _PORTS.get(server.scheme, 80))
        self._deadline = deadline
        self._tls_name = tls_name
        self._create_connection = self._open

    def connect(self) -> None:
        super().connect()
        self._deadline.left()  # http.client takes the end of a connection for the end of a tunnel's head
        if self._tls_name is not None:
            context = ssl.create_default_context()
            context.set_alpn_protocols(["http/1.1"])
            sock = context.wrap_socket(self.sock, server_hostname=self._tls_name, do_handshake_on_connect=False)
            self.sock = sock
            self._deadline.watch(sock)
            sock.do_handshake()

    def _open(self, address: tuple[str, int], *_: Any) -> socket.socket:
        """Connect to the first address of the host that accepts, within the deadline."""
        failure: OSError = TimeoutError()
        for family, kind, protocol, _name, place in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self._deadline.left())
                sock.connect(place)
            except OSError as error:
                sock.close()
                failure = error
            else:
                self._deadline.watch(sock)
                return sock
        raise failure


def _exchange(
    method: str, url: str, body: bytes, headers: dict[str, str], deadline: Deadline, max_bytes: int, *, proxies: bool
) -> ClientResponse:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or _NOT_IN_URLS.search(url):
        raise http.client.InvalidURL
    connection, target = _route(parts, headers, deadline, _proxy(parts) if proxies else None)
    try:
        connection.request(method, target, body or None, headers)
        with connection.getresponse() as response:
            content = response.read(max_bytes)
            if deadline.passed:
                raise TimeoutError
            if response.length and len(content) < max_bytes:
                raise http.client.IncompleteRead(content, response.length)
    finally:
        connection.close()
    fields = {name.lower(): value for name, value in response.getheaders()}
    return ClientResponse(response.status, response.reason, fields, content)


def _route(
    parts: SplitResult, headers: dict[str, str], deadline: Deadline, proxy: SplitResult | None
) -> tuple[_LimitedConnection, str]:
    """Return the connection to the server or the proxy, and the target of the request line."""
    host = parts.hostname if parts.scheme == "https" else None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if proxy is None:
        return _LimitedConnection(parts, deadline, host), target
    permission = {}
    if proxy.username:
        password = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        permission["Proxy-Authorization"] = "Basic " + base64.b64encode(password.encode()).decode()
    if parts.scheme == "https":
        connection = _LimitedConnection(proxy, deadline, host)
        connection.set_tunnel(parts.hostname or "", parts.port or _PORTS["https"], permission)
        return connection, target
    headers.update(permission)
    tls_name = proxy.hostname if proxy.scheme == "https" else None
    return _LimitedConnection(proxy, deadline, tls_name), f"{parts.scheme}://{parts.netloc}{target}"


def _proxy(parts: SplitResult) -> SplitResult | None:
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get(parts.scheme, "")
    if not address or proxy_bypass(parts.netloc):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")
