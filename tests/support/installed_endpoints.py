"""One endpoint for every scheme of every installed source, each with its own secret, and requests that they accept."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from support.memory_journal import MemoryJournal
from support.wsgi import call_app
from translators.kit import PublicKey, Response, Scheme, Source
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.signatures import sign
from webhooks.sources import plugins
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.goldens import Golden, find_goldens
from webhooks.web.handler import WebhookHandler
from webhooks.web.responses import error_response
from webhooks.web.wsgi import WebhookApp

GOLDENS = Path(__file__).parents[1] / "golden"
NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
HOST = "https://hooks.example.com"
CERT_URL = "https://api.paypal.com/v1/notifications/certs/CERT-1"


@cache
def sources() -> dict[str, Source]:
    return dict(plugins.load().sources)


@cache
def private_key(kind: str) -> Any:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048) if kind.startswith("rsa") else ec.generate_private_key(ec.SECP256R1())


@cache
def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "messageverificationcerts.example")])
    key = private_key("rsa-pkcs1v15-sha256")
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    builder = builder.not_valid_before(NOW - timedelta(days=30)).not_valid_after(NOW + timedelta(days=30))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def secrets_of(scheme: Scheme, name: str) -> tuple[str, str]:
    """Return the secret of the endpoint and the secret that the provider signs with."""
    digest = hashlib.sha256(name.encode()).digest()
    if isinstance(scheme, PublicKey):
        key = private_key(scheme.kind)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return (f"WH-{digest.hex()[:16]}" if scheme.cert_url_header else public.decode()), pem.decode()
    form = getattr(scheme, "key", "utf8")
    secret = {"hex": digest.hex(), "base64": base64.b64encode(digest).decode()}.get(form, f"secret:{digest.hex()[:24]}")
    return secret, secret


@dataclass(frozen=True)
class InstalledEndpoint:
    """An endpoint of one source and one of its schemes."""

    source: Source
    scheme_name: str
    endpoint: Endpoint
    signing_secret: str = field(repr=False)

    @property
    def name(self) -> str:
        return self.endpoint.name

    @cached_property
    def goldens(self) -> list[Golden]:
        return find_goldens(GOLDENS / self.source.name)

    def request(
        self, golden: Golden | None = None, *, body: bytes | None = None, now: datetime = NOW, method: str = "POST"
    ) -> HttpRequest:
        """Return a request as the provider sends it."""
        golden = golden or self.goldens[0]
        headers = {name.lower(): value for name, value in golden.request.get("headers", {}).items()}
        content = headers.get("content-type") or {".form": "application/x-www-form-urlencoded", ".xml": "text/xml"}.get(
            golden.path.suffix, "application/json"
        )
        signed = sign(
            self.endpoint.scheme, body=golden.body if body is None else body, secret=self.signing_secret, now=now, method=method,
            url=self.endpoint.public_url, content_type=content, configured=self.endpoint.secrets[0],
        )  # fmt: skip
        headers = {
            "content-type": content,
            **headers,
            **signed.headers,
        }
        scheme = self.endpoint.scheme
        if isinstance(scheme, PublicKey) and scheme.cert_url_header:
            headers[scheme.cert_url_header.lower()] = CERT_URL
        headers["content-length"] = str(len(signed.body))
        query = {**golden.request.get("query", {}), **signed.query}
        return HttpRequest(
            method=method, body=signed.body, headers=headers, query=query,
            query_string="&".join(f"{name}={value}" for name, value in signed.query.items()), path_token=signed.path_token,
        )  # fmt: skip


@cache
def all_endpoints() -> tuple[InstalledEndpoint, ...]:
    endpoints = []
    for source in sources().values():
        for scheme_name, scheme in source.schemes.items():
            name = source.name if len(source.schemes) == 1 else f"{source.name}_{scheme_name}"
            configured, signing_secret = secrets_of(scheme, name)
            golden = find_goldens(GOLDENS / source.name)[0]
            endpoint = Endpoint(
                name=name, source=source, scheme=scheme, secrets=(configured,),
                options={**source.defaults(), **golden.request.get("options", {})}, public_url=f"{HOST}/webhooks/{name}",
            )  # fmt: skip
            endpoints.append(InstalledEndpoint(source, scheme_name, endpoint, signing_secret))
    return tuple(endpoints)


def make_handler(journal: Any, *, now: datetime = NOW, max_body: int = 1 << 20, **changed: Endpoint) -> WebhookHandler:
    endpoints = {installed.name: installed.endpoint for installed in all_endpoints()} | changed
    return WebhookHandler(
        endpoints=endpoints, sources=sources(), journal=journal, max_body=max_body, clock=lambda: now,
        fetch=lambda _: certificate(),
    )  # fmt: skip


def handle(handler: WebhookHandler, name: str, request: HttpRequest) -> Response:
    """Return the response; a rejection becomes its error response."""
    try:
        return handler.handle(name, request)
    except Rejected as error:
        return error_response(error)


def without_headers(request: HttpRequest, *names: str, **changes: Any) -> HttpRequest:
    headers = {name: value for name, value in request.headers.items() if name not in names}
    return replace(request, headers=headers, **changes)


ENDPOINTS_BY_NAME = {installed.name: installed for installed in all_endpoints()}


def call_wsgi(handler: WebhookHandler, path: str, request: HttpRequest) -> tuple[int, dict[str, str], bytes]:
    """Call the WSGI layer as gunicorn does; return status, headers and body."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method, "PATH_INFO": path, "QUERY_STRING": request.query_string,
        "wsgi.input": io.BytesIO(request.body), "wsgi.input_terminated": True,
    }  # fmt: skip
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    status, sent, body = call_app(WebhookApp(handler, lambda *_: [b"elsewhere"]), environ)
    return int(status.split()[0]) if status else 0, dict(sent), body


@cache
def endpoints_without_time() -> frozenset[str]:
    """Return the endpoints whose signature has no timestamp, so that a captured request stays valid."""
    later = make_handler(MemoryJournal(), now=NOW + timedelta(days=2))
    return frozenset(
        installed.name
        for installed in all_endpoints()
        if handle(later, installed.name, installed.request()).status != 401
    )
