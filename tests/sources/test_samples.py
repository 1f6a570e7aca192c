"""Payloads of the providers' own docs, libraries and users, from a folder outside this repository.

`WEBHOOK_SAMPLES` is its path, by default `../shared/samples`; its files are `<source>/<any name>.json`, .xml or .form.
Each is signed as its provider signs, received, journalled, and must be translated or declared ignored.
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
from webhooks import segment
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.journal.sqlite import SqliteJournal
from webhooks.signatures import CannotSign, sign
from webhooks.sources import plugins
from webhooks.sources.endpoints import Endpoint
from webhooks.translation import translate
from webhooks.translation.goldens import USER_ID_KEYS
from webhooks.web.handler import WebhookHandler

NAMED = os.environ.get("WEBHOOK_SAMPLES")
ROOT = Path(NAMED) if NAMED else Path(__file__).parent.parent.parent.parent / "shared" / "samples"
SOURCES = plugins.load().sources
FOLDERS = {"paddle_billing": "paddle", "stripe_fragments": "stripe"}
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://hooks.example.com/webhooks/"

# Incomplete or outdated payloads, and why. Each must be refused as malformed; remove a line that is no longer true.
BROKEN = {
    "mailgun/anymail__test_defaults_webhook_signing_to_api_key.json": "shortened to the event's name: no recipient",
    "mailgun/anymail__test_delivery_status_is_none_event.json": "shortened to the event's name: no recipient",
    "mailgun/anymail__test_dropped_spam.form": "a legacy webhook: Mailgun ended them in October 2023",
    "mailgun/anymail__test_invalid_mailbox.form": "a legacy webhook: Mailgun ended them in October 2023",
    "mailgun/anymail__test_metadata_post_fields.form": "a legacy webhook: Mailgun ended them in October 2023",
    "postmark/anymail__test_bounce_unsubscribe_variant.json": "shortened: no address of the recipient",
}

EMPTY = {"salesforce/aspnet__OutboundMessage2.xml": "a message without a notification: acknowledged, nothing to store"}
DATED = {"sendgrid/docs__18_Processed.json": "its timestamp is 123456789, in 1973: Segue would not send it to Segment"}


@dataclass
class Sample:
    """A body with the headers or the envelope that its file does not contain."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def complete_sample(path: Path) -> Sample:
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
    event = {"event_id": "evt_1", "event_type": kind, "occurred_at": "2026-11-23T11:59:00.123456Z", "data": body}
    return Sample(json.dumps(event).encode())


def _stripe(body: Any, kind: str) -> Sample:
    """Wrap a sample: `{"object": ...}` is an event's data, a bare invoice its object."""
    types = {
        "invoice": "invoice.paid", "subscription.updated": "customer.subscription.updated",
        "subscription.trial_ended": "customer.subscription.updated",
    }  # fmt: skip
    event = {
        "id": "evt_1", "object": "event", "type": types.get(kind, kind), "created": int(NOW.timestamp()) - 60,
        "livemode": True, "data": body if isinstance(body.get("object"), dict) else {"object": body},
    }  # fmt: skip
    return Sample(json.dumps(event).encode())


def _slack(body: Any, kind: str) -> Sample:
    """Fill a skeleton of Slack's own library, in which every text is empty; a bot's texts stay empty."""
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
    """Return (private PEM, public PEM, certificate) of a provider that signs with its own key."""
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
    """Return (the signing secret, the secret configured on the endpoint)."""
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
    """Return the files of the providers that have a source."""
    params = [
        pytest.param(path, FOLDERS.get(folder.name, folder.name), id=f"{folder.name}/{path.name}")
        for folder in sorted(ROOT.glob("*"))
        if FOLDERS.get(folder.name, folder.name) in SOURCES
        for path in sorted(folder.iterdir())
    ]
    reason = f"no samples in {'WEBHOOK_SAMPLES' if NAMED else '../shared/samples'}: set WEBHOOK_SAMPLES to a folder"
    return params or [pytest.param(None, "", marks=pytest.mark.skip(reason=reason))]


@pytest.mark.parametrize(("path", "name"), samples())
def test_sample_is_verified_stored_and_translated_or_ignored(path: Path, name: str, tmp_path: Path) -> None:
    journal = SqliteJournal(str(tmp_path / "journal.db"))
    try:
        endpoint = send(name, complete_sample(path), journal)
        stored = [row.event for row in journal.rows(limit=1000)]
    finally:
        journal.close()
    outcomes = [(event, translate.translate(event, endpoint, namespace="samples")) for event in stored]
    file = f"{path.parent.name}/{path.name}"
    if file in BROKEN:
        reasons = [outcome.reason for _, outcome in outcomes if isinstance(outcome, translate.Broken)]
        assert not stored or reasons, "it is complete now: remove it from the list"
        assert all(reason.startswith("malformed") for reason in reasons)
        return
    assert bool(stored) != (file in EMPTY)
    for event, outcome in outcomes:
        assert isinstance(outcome, translate.Translated | translate.Ignored), (event.type, outcome)
        for message in outcome.messages if isinstance(outcome, translate.Translated) else ():
            problem = segment.faults(message, segment.encode(message))
            assert (problem or "").startswith("timestamp") if file in DATED else problem is None


def send(name: str, sample: Sample, journal: SqliteJournal) -> Endpoint:
    """Send a sample as its provider would; a body that is refused as malformed is not stored."""
    source = SOURCES[name]
    scheme = next(iter(source.schemes.values()))
    signing_secret, configured = secret_of(scheme)
    headers = {"Content-Type": sample.content_type, **sample.headers}
    if isinstance(scheme, PublicKey) and scheme.cert_url_header:
        headers[scheme.cert_url_header] = f"https://{scheme.cert_hosts[0]}{scheme.cert_path}sample"
    endpoint = Endpoint(
        name=name, source=source, scheme=scheme, secrets=(configured,), options=source.defaults(), user_id_keys=USER_ID_KEYS,
        public_url=URL + name,
    )  # fmt: skip
    try:
        signed = sign(
            scheme, body=with_current_time(scheme, sample.body), secret=signing_secret, now=NOW, url=URL + name,
            content_type=sample.content_type, configured=configured,
        )  # fmt: skip
    except CannotSign:
        return endpoint  # a body without the member that contains the signature
    handler = WebhookHandler(
        endpoints={name: endpoint}, sources=SOURCES, journal=journal, max_body=1 << 24, clock=lambda: NOW,
        fetch=lambda _: keys(scheme.kind)[2] if isinstance(scheme, PublicKey) else b"",
    )  # fmt: skip
    request = HttpRequest(
        method="POST", body=signed.body, query=dict(signed.query), path_token=signed.path_token,
        headers={key.lower(): value for key, value in {**headers, **signed.headers}.items()},
    )  # fmt: skip
    try:
        assert handler.handle(name, request).status == 200
    except Rejected as error:
        if error.status != 400:
            raise
    return endpoint


def with_current_time(scheme: Scheme, body: bytes) -> bytes:
    """Return the body with the current time, if the provider signs a time within the body."""
    if not isinstance(scheme, HmacBody) or scheme.ts_path is None:
        return body
    content = json.loads(body)
    holder, name = content, scheme.ts_path.split(".")[-1]
    for member in scheme.ts_path.split(".")[:-1]:
        holder = holder.setdefault(member, {})
    holder[name] = int(NOW.timestamp() * 1000) if scheme.ts_form == "ms" else NOW.isoformat()
    return json.dumps(content).encode()
