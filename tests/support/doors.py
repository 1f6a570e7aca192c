"""Every installed source behind one door, each scheme with a secret of its own, and requests that they accept."""

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

from memory_journal import MemoryJournal
from translators.kit import PublicKey, Scheme, Source
from webhooks.errors import Rejected
from webhooks.signatures import sign
from webhooks.sources import plugins
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.goldens import Golden, find_goldens
from webhooks.web.handler import HttpRequest, HttpResponse, WebhookHandler, error_response
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
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(NOW - timedelta(days=30)).not_valid_after(NOW + timedelta(days=30))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def secrets_of(scheme: Scheme, name: str) -> tuple[str, str]:
    """What the endpoint is configured with, and what the provider signs with."""
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
class Place:
    """One endpoint: a source by one of its schemes."""

    source: Source
    scheme_name: str
    endpoint: Endpoint
    signs: str = field(repr=False)

    @property
    def name(self) -> str:
        return self.endpoint.name

    @cached_property
    def goldens(self) -> list[Golden]:
        return find_goldens(GOLDENS / self.source.name)

    def request(
        self, golden: Golden | None = None, *, body: bytes | None = None, now: datetime = NOW, method: str = "POST"
    ) -> HttpRequest:
        """What the provider would send."""
        golden = golden or self.goldens[0]
        told = {name.lower(): value for name, value in golden.request.get("headers", {}).items()}
        content = told.get("content-type") or {".form": "application/x-www-form-urlencoded", ".xml": "text/xml"}.get(
            golden.path.suffix, "application/json"
        )
        signed = sign(
            self.endpoint.scheme, body=golden.body if body is None else body, secret=self.signs, now=now, method=method,
            url=self.endpoint.public_url, content_type=content, configured=self.endpoint.secrets[0],
        )  # fmt: skip
        headers = {"content-type": content, **told, **{name.lower(): value for name, value in signed.headers.items()}}
        if getattr(self.endpoint.scheme, "cert_url_header", None):
            headers[self.endpoint.scheme.cert_url_header.lower()] = CERT_URL
        headers["content-length"] = str(len(signed.body))
        query = {**golden.request.get("query", {}), **signed.query}
        return HttpRequest(
            method=method, body=signed.body, headers=headers, query=query,
            query_string="&".join(f"{name}={value}" for name, value in signed.query.items()), token=signed.path_token,
        )  # fmt: skip


@cache
def places() -> tuple[Place, ...]:
    found = []
    for source in sources().values():
        for scheme_name, scheme in source.schemes.items():
            name = source.name if len(source.schemes) == 1 else f"{source.name}_{scheme_name}"
            configured, signs = secrets_of(scheme, name)
            golden = find_goldens(GOLDENS / source.name)[0]
            endpoint = Endpoint(
                name=name, source=source, scheme=scheme, secrets=(configured,),
                options={**source.defaults(), **golden.request.get("options", {})}, public_url=f"{HOST}/webhooks/{name}",
            )  # fmt: skip
            found.append(Place(source, scheme_name, endpoint, signs))
    return tuple(found)


def door(journal: Any, *, now: datetime = NOW, max_body: int = 1 << 20, **changed: Endpoint) -> WebhookHandler:
    endpoints = {place.name: place.endpoint for place in places()} | changed
    return WebhookHandler(
        endpoints=endpoints, sources=sources(), journal=journal, max_body=max_body, clock=lambda: now,
        fetch=lambda _: certificate(),
    )  # fmt: skip


def take(door: WebhookHandler, name: str, incoming: HttpRequest) -> HttpResponse:
    """The answer, a rejection as its own."""
    try:
        return door.handle(name, incoming)
    except Rejected as error:
        return error_response(error)


def without(incoming: HttpRequest, *headers: str, **more: Any) -> HttpRequest:
    kept = {name: value for name, value in incoming.headers.items() if name not in headers}
    return replace(incoming, headers=kept, **more)


PLACES_BY_NAME = {place.name: place for place in places()}


def call(door: WebhookHandler, path: str, incoming: HttpRequest) -> tuple[int, dict[str, str], bytes]:
    """Through the WSGI layer, as gunicorn calls it."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": incoming.method, "PATH_INFO": path, "QUERY_STRING": incoming.query_string,
        "wsgi.input": io.BytesIO(incoming.body), "wsgi.input_terminated": True,
    }  # fmt: skip
    for name, value in incoming.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    told: list[Any] = []
    body = b"".join(
        WebhookApp(door, lambda *_: [b"elsewhere"])(environ, lambda status, headers: told.extend([status, headers]))
    )
    return int(told[0].split()[0]) if told else 0, dict(told[1]) if told else {}, body


@cache
def untimed() -> frozenset[str]:
    """The places whose signature tells no time: what was captured days ago is as good as new."""
    later = door(MemoryJournal(), now=NOW + timedelta(days=2))
    return frozenset(place.name for place in places() if take(later, place.name, place.request()).status != 401)
