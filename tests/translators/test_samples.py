"""Payloads of the providers' own docs, libraries and users, from a folder that is no part of this repository.

`WEBHOOK_SAMPLES` names it, or it stands beside the repository as `../shared/samples`: `<source>/<any name>.json`, .xml or
.form. Each is signed as its provider signs, taken by the door, journalled, and must be translated or declared ignored.
"""

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from translators.kit import HmacBody, HmacFields, PublicKey, Scheme, SharedToken, StandardWebhooks
from webhooks import plugins, segment, translate
from webhooks.endpoints import Endpoint
from webhooks.errors import Rejected
from webhooks.journal.sqlite import SqliteJournal
from webhooks.receive import Door, Incoming
from webhooks.signatures import CannotSign, sign
from webhooks.transcript import USER_ID_KEYS

NAMED = os.environ.get("WEBHOOK_SAMPLES")
ROOT = Path(NAMED) if NAMED else Path(__file__).parent.parent.parent.parent / "shared" / "samples"
SOURCES = plugins.load().sources
FOLDERS = {"paddle_billing": "paddle", "stripe_fragments": "stripe"}
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://hooks.example.com/webhooks/"

# What is no whole payload of today, and why. Each must be refused as malformed: a line that no longer holds fails.
BROKEN = {
    "mailgun/anymail__test_defaults_webhook_signing_to_api_key.json": "cut down to the event's word: no recipient",
    "mailgun/anymail__test_delivery_status_is_none_event.json": "cut down to the event's word: no recipient",
    "mailgun/anymail__test_dropped_spam.form": "a legacy webhook: Mailgun ended them in October 2023",
    "mailgun/anymail__test_invalid_mailbox.form": "a legacy webhook: Mailgun ended them in October 2023",
    "mailgun/anymail__test_metadata_post_fields.form": "a legacy webhook: Mailgun ended them in October 2023",
    "postmark/anymail__test_bounce_unsubscribe_variant.json": "cut down: no address of the recipient",
}

EMPTY = {"salesforce/aspnet__OutboundMessage2.xml": "a message without a notification: acknowledged, nothing to store"}
DATED = {
    "sendgrid/docs__18_Processed.json": "its timestamp is 123456789, in 1973: Segment would not be asked to take it"
}


@dataclass
class Sample:
    """A body with what its file does not hold: headers, or the envelope that its collector took off."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def whole(path: Path) -> Sample:
    source, kind = path.parent.name, path.stem.partition("__")[2]
    body = path.read_bytes()
    if path.suffix == ".form":
        multipart = body.startswith(b"--")
        return Sample(body, {}, "multipart/form-data" if multipart else "application/x-www-form-urlencoded")
    if path.suffix == ".xml":
        return Sample(body, {}, "text/xml; charset=utf-8")
    complete = COMPLETED.get(source)
    return complete(json.loads(body), kind) if complete else Sample(body)


def _shopify(body: Any, kind: str) -> Sample:
    topic = "customers/update" if "customer" in kind else "orders/paid"
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Triggered-At": "2026-11-23T11:59:00.123456789Z"}
    return Sample(json.dumps(body).encode(), headers)


def _helpscout(body: Any, _: str) -> Sample:
    return Sample(json.dumps(body).encode(), {"X-HelpScout-Event": "customer.updated"})


def _paddle(body: Any, kind: str) -> Sample:
    told = {"event_id": "evt_1", "event_type": kind, "occurred_at": "2026-11-23T11:59:00.123456Z", "data": body}
    return Sample(json.dumps(told).encode())


def _stripe(body: Any, kind: str) -> Sample:
    """`{"object": ...}` is an event's data, a bare invoice the object of one."""
    types = {
        "invoice": "invoice.paid", "subscription.updated": "customer.subscription.updated",
        "subscription.trial_ended": "customer.subscription.updated",
    }  # fmt: skip
    told = {
        "id": "evt_1", "object": "event", "type": types.get(kind, kind), "created": int(NOW.timestamp()) - 60,
        "livemode": True, "data": body if isinstance(body.get("object"), dict) else {"object": body},
    }  # fmt: skip
    return Sample(json.dumps(told).encode())


def _slack(body: Any, kind: str) -> Sample:
    """A skeleton of Slack's own library: every text is empty, so every text but a bot's is filled."""
    if not isinstance(body, dict):
        return Sample(json.dumps(body).encode())
    body["type"] = body.get("type") or ("app_rate_limited" if kind == "AppRateLimitedPayload" else "event_callback")
    body["event_time"] = int(NOW.timestamp()) - 60
    if isinstance(body.get("event"), dict):
        body["event"].pop("event_ts", None)  # all zeros
    return Sample(json.dumps(_filled(body)).encode())


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _filled(member) if member != "" or name in {"bot_id", "subtype", "type"} else "X1"
            for name, member in value.items()
        }
    return [_filled(member) for member in value] if isinstance(value, list) else value


COMPLETED: dict[str, Callable[[Any, str], Sample]] = {
    "shopify": _shopify,
    "helpscout": _helpscout,
    "paddle_billing": _paddle,
    "stripe_fragments": _stripe,
    "slack": _slack,
}


@cache
def keys(kind: str) -> tuple[str, str, bytes]:
    """(private PEM, public PEM, certificate) of a provider that signs with a key of its own."""
    private: Any = (
        ec.generate_private_key(ec.SECP256R1()) if kind.startswith("ecdsa") else rsa.generate_private_key(65537, 2048)
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(private.public_key()).serial_number(1)
        .not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )  # fmt: skip
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode(), public.decode(), certificate.public_bytes(serialization.Encoding.PEM)


def secret_of(scheme: Scheme) -> tuple[str, str]:
    """(what it is signed with, what the endpoint is told)."""
    if isinstance(scheme, PublicKey):
        private, public, _ = keys(scheme.kind)
        return private, "the webhook's id" if scheme.cert_url_header else public
    if isinstance(scheme, StandardWebhooks):
        secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    elif isinstance(scheme, HmacBody | HmacFields) and scheme.key != "utf8":
        secret = bytes(range(32)).hex() if scheme.key == "hex" else base64.b64encode(bytes(range(32))).decode()
    else:
        secret = "user:a-long-password" if isinstance(scheme, SharedToken) else "a long secret of the sample"
    return secret, secret


def samples() -> list[Any]:
    """Every file of a provider that there is a source for."""
    found = [
        pytest.param(path, FOLDERS.get(folder.name, folder.name), id=f"{folder.name}/{path.name}")
        for folder in sorted(ROOT.glob("*"))
        if FOLDERS.get(folder.name, folder.name) in SOURCES
        for path in sorted(folder.iterdir())
    ]
    reason = f"no samples in {'WEBHOOK_SAMPLES' if NAMED else '../shared/samples'}: set WEBHOOK_SAMPLES to a folder"
    return found or [pytest.param(None, "", marks=pytest.mark.skip(reason=reason))]


@pytest.mark.parametrize(("path", "name"), samples())
def test_it_is_verified_stored_and_translated_or_declared_ignored(path: Path, name: str, tmp_path: Path) -> None:
    journal = SqliteJournal(str(tmp_path / "journal.db"))
    try:
        endpoint = send(name, whole(path), journal)
        stored = [row.event for row in journal.rows(limit=1000)]
    finally:
        journal.close()
    outcomes = [(event, translate.translate(event, endpoint, namespace="samples")) for event in stored]
    file = f"{path.parent.name}/{path.name}"
    if file in BROKEN:
        reasons = [outcome.reason for _, outcome in outcomes if isinstance(outcome, translate.Broken)]
        assert not stored or reasons, "it is whole now: take it off the list"
        assert all(reason.startswith("malformed") for reason in reasons)
        return
    assert bool(stored) != (file in EMPTY)
    for event, outcome in outcomes:
        assert isinstance(outcome, translate.Translated | translate.Ignored), (event.type, outcome)
        for message in outcome.messages if isinstance(outcome, translate.Translated) else ():
            fault = segment.faults(message, segment.encode(message))
            assert (fault or "").startswith("timestamp") if file in DATED else fault is None


def send(name: str, sample: Sample, journal: SqliteJournal) -> Endpoint:
    """Through the door, as its provider would send it; a body that is refused as malformed leaves nothing stored."""
    source = SOURCES[name]
    scheme = next(iter(source.schemes.values()))
    signing, told = secret_of(scheme)
    headers = {"Content-Type": sample.content_type, **sample.headers}
    if isinstance(scheme, PublicKey) and scheme.cert_url_header:
        headers[scheme.cert_url_header] = f"https://{scheme.cert_hosts[0]}{scheme.cert_path}sample"
    endpoint = Endpoint(
        name=name, source=source, scheme=scheme, secrets=(told,), options=source.defaults(), user_id_keys=USER_ID_KEYS,
        public_url=URL + name,
    )  # fmt: skip
    try:
        signed = sign(
            scheme, body=sent_now(scheme, sample.body), secret=signing, now=NOW, url=URL + name,
            content_type=sample.content_type, configured=told,
        )  # fmt: skip
    except CannotSign:
        return endpoint  # a body without the member that the signature goes into
    door = Door(
        endpoints={name: endpoint}, sources=SOURCES, journal=journal, max_body=1 << 24, clock=lambda: NOW,
        fetch=lambda _: keys(scheme.kind)[2] if isinstance(scheme, PublicKey) else b"",
    )  # fmt: skip
    request = Incoming(
        method="POST", body=signed.body, query=dict(signed.query), token=signed.path_token,
        headers={key.lower(): value for key, value in {**headers, **signed.headers}.items()},
    )  # fmt: skip
    try:
        assert door.take(name, request).status == 200
    except Rejected as error:
        if error.status != 400:
            raise
    return endpoint


def sent_now(scheme: Scheme, body: bytes) -> bytes:
    """The body with the time that is signed within it, where the provider puts one there."""
    if not isinstance(scheme, HmacBody) or scheme.ts_path is None:
        return body
    told = json.loads(body)
    inner, last = told, scheme.ts_path.split(".")[-1]
    for step in scheme.ts_path.split(".")[:-1]:
        inner = inner.setdefault(step, {})
    inner[last] = int(NOW.timestamp() * 1000) if scheme.ts_form == "ms" else NOW.isoformat()
    return json.dumps(told).encode()
