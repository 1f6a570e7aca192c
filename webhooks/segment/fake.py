"""A small Segment for demos, tests and benchmarks: `python -m webhooks.segment.fake --port 9000 --log got.jsonl`.

It is as strict as https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ says. A message that
Segment drops after a 200 is answered 200 here too, and is kept in `dropped` with the reason.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import io
import os
import socketserver
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

import msgspec

REQUEST_BYTES: Final = 500_000
MESSAGE_BYTES: Final = 32_768
BATCH_MESSAGES: Final = 2_500
MESSAGE_TYPES: Final = ("identify", "track", "page", "screen", "group", "alias")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that was answered 200 and dropped."""

    message: Any
    reason: str


class FakeSegment:
    """A WSGI app. `keep` limits the messages in memory; `log` gets each accepted message as a line before its 200.

    `keys`, if any, are the existing write keys. As at Segment, messages for another key are answered 200 and dropped.
    """

    def __init__(
        self, *, log: Path | None = None, keep: int | None = None, keys: Iterable[str] = (), latency: float = 0.0
    ) -> None:
        self.received: deque[dict[str, Any]] = deque(maxlen=keep)
        self.dropped: deque[Dropped] = deque(maxlen=keep)
        self.by_key: dict[str, list[str]] = {}
        self.count = 0
        self.requests = 0
        self._keep_keys = keep is None
        self._keys = frozenset(keys)
        self._latency = latency
        self._lock = threading.Lock()
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if log else None

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
    ) -> list[bytes]:
        """Handle one WSGI request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        if self._latency:
            time.sleep(self._latency)
        if environ["REQUEST_METHOD"] == "GET":
            status, reply = 200, _encode({"accepted": self.count, "requests": self.requests})
        else:
            headers = {
                "authorization": environ.get("HTTP_AUTHORIZATION", ""),
                "content-type": environ.get("CONTENT_TYPE", ""),
                "content-encoding": environ.get("HTTP_CONTENT_ENCODING", ""),
            }
            status, reply = self.take(environ["PATH_INFO"], headers, body)
        start_response(
            f"{status} {'OK' if status == 200 else 'Error'}",
            [("Content-Type", "application/json"), ("Content-Length", str(len(reply)))],
        )
        return [reply]

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Handle one request; return its status and body. Header names are lower case."""
        self.requests += 1
        kind = path.removeprefix("/v1/")
        if kind not in (*MESSAGE_TYPES, "batch") or kind == path:
            return _fault(404, "not found")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _fault(400, "Content-Type must be application/json")
        try:
            raw = _inflate(body) if headers.get("content-encoding") == "gzip" else body
            payload = _decode_batch(raw) if kind == "batch" else _decode_single(raw)
            messages = payload.batch if isinstance(payload, _Batch) else [msgspec.Raw(raw)]
            decoded = [msgspec.json.decode(message) for message in messages]
        except (msgspec.MsgspecError, zlib.error):
            return _fault(400, "malformed JSON")
        key = _write_key(headers.get("authorization", "")) or payload.writeKey
        if not key:
            return _fault(401, "no write key: HTTP Basic with the key as user name and no password")
        if kind != "batch":
            decoded[0]["type"] = kind
        most = REQUEST_BYTES if kind == "batch" else MESSAGE_BYTES
        if len(raw) > most or any(len(memoryview(message)) > MESSAGE_BYTES for message in messages):
            return _fault(400, "exceeds the maximum request size")
        self._keep(key, decoded)
        return 200, b'{"success":true}'

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            os.close(self._log)

    def _keep(self, key: str, messages: list[Any]) -> None:
        accepted = []
        for index, message in enumerate(messages):
            reason = self._drop_reason(key, index, message)
            if reason:
                self.dropped.append(Dropped(message, reason))
            else:
                accepted.append(message)
        with self._lock:
            self.count += len(accepted)
            self.received.extend(accepted)
            if self._keep_keys:
                self.by_key.setdefault(key, []).extend(str(message.get("messageId")) for message in accepted)
            if self._log is not None and accepted:
                os.write(self._log, b"".join(_encode(message) + b"\n" for message in accepted))

    def _drop_reason(self, key: str, index: int, message: Any) -> str:
        if self._keys and key not in self._keys:
            return "unknown write key"
        if index >= BATCH_MESSAGES:
            return f"more than {BATCH_MESSAGES} messages in a batch"
        if not isinstance(message, dict) or message.get("type") not in MESSAGE_TYPES:
            return "unknown type"
        if not message.get("userId") and not message.get("anonymousId"):
            return "no_user_anon_id"
        if message["type"] == "track" and not message.get("event"):
            return "track without event"
        return ""


class _Single(msgspec.Struct):
    writeKey: str = ""  # noqa: N815 - Segment's name


class _Batch(_Single):
    batch: list[msgspec.Raw] = msgspec.field(default_factory=list)


_encode: Final = msgspec.json.Encoder().encode
_decode_single: Final = msgspec.json.Decoder(_Single).decode
_decode_batch: Final = msgspec.json.Decoder(_Batch).decode


def _fault(status: int, message: str) -> tuple[int, bytes]:
    return status, _encode({"success": False, "message": message})


def _inflate(body: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    raw = stream.decompress(body, REQUEST_BYTES + 1)
    if not stream.eof and len(raw) <= REQUEST_BYTES:
        raise zlib.error("cut off")
    return raw if stream.eof else b'{"batch":[]}' + b" " * REQUEST_BYTES


def _write_key(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        user, colon, _ = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user if colon else ""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    app: Any
    daemon_threads = True
    request_queue_size = 128


class _ResponseHandler(ServerHandler):
    http_version = "1.1"


class _Handler(WSGIRequestHandler):
    """The standard library's handler, with keep-alive and without a line on stderr for each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        self.close_connection = False
        while not self.close_connection:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                return
            body: IO[bytes] = io.BytesIO(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            handler = _ResponseHandler(
                body, cast("IO[bytes]", self.wfile), self.get_stderr(), self.get_environ(), multithread=True
            )
            handler.request_handler = self  # type: ignore[attr-defined]
            handler.run(self.server.app)

    def log_message(self, format: str, *args: Any) -> None:  # the base class names it so
        pass


def serve(app: Any, *, host: str = "127.0.0.1", port: int = 0) -> WSGIServer:
    """Return a threaded server with keep-alive, bound but not yet serving; `server_port` is its port."""
    server = _Server((host, port), _Handler)
    server.app = app
    return server


def main() -> None:
    """Run the server until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--log", type=Path, help="append each accepted message to this file as one line")
    parser.add_argument("--keep", type=int, default=10_000, help="messages kept in memory")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds to wait before each response")
    args = parser.parse_args()
    server = serve(FakeSegment(log=args.log, keep=args.keep, latency=args.latency), host=args.host, port=args.port)
    print(f"receiving at http://{args.host}:{server.server_port}", flush=True)  # noqa: T201 - a command
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
