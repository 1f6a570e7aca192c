"""Each scheme accepts its own signatures, refuses stale, future and foreign ones, and never raises."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from support.signature_vectors import (
    ADYEN,
    ADYEN_BODY,
    FRESHCHAT,
    GITHUB,
    HUBSPOT_1,
    HUBSPOT_2,
    HUBSPOT_3,
    JIRA,
    MAILGUN,
    PADDLE,
    PLAIN,
    RECURLY,
    SENDGRID,
    SLACK,
    SQUARE,
    STRIPE,
    TWILIO,
    ZENDESK,
    sent,
)  # fmt: skip
from translators.kit import (
    HmacBody,
    HmacFields,
    HmacKvHeader,
    HmacTimestamped,
    PublicKey,
    Scheme,
    SharedToken,
    StandardWebhooks,
)
from webhooks.http.request import HttpRequest
from webhooks.signatures import CannotSign, Fault, RegisteredUrl, Verdict, Verifier, sign, verify
from webhooks.signatures.digest import digest

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://hooks.example.com/webhooks/acme"
LINEAR = HmacBody(header="Linear-Signature", ts_path="webhookTimestamp", ts_form="ms", tolerance=60)
CRISP = HmacTimestamped(
    header="X-Crisp-Signature", ts_header="X-Crisp-Request-Timestamp", ts_form="ms", template="[{ts};{body}]"
)
PAYPAL = PublicKey(
    kind="rsa-pkcs1v15-sha256", header="PAYPAL-TRANSMISSION-SIG", ts_header="PAYPAL-TRANSMISSION-TIME", ts_form="iso",
    id_header="PAYPAL-TRANSMISSION-ID", template="{id}|{ts}|{secret}|{crc32}", cert_url_header="PAYPAL-CERT-URL",
    cert_hosts=("api.paypal.com", "api.sandbox.paypal.com"), cert_path="/v1/notifications/certs/",
)  # fmt: skip
KEYS: dict[str, Any] = {
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
    "ed": ed25519.Ed25519PrivateKey.generate(),
}


def pem(name: str) -> str:
    private: bytes = KEYS[name].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode()


def spki(name: str) -> str:
    raw = (
        KEYS[name]
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(raw).decode()


HEX = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
B64 = "whsec_" + base64.b64encode(b"k" * 32).decode()
ROUND_TRIPS: list[tuple[str, Scheme, str]] = [
    ("github", GITHUB, "s"), ("jira", JIRA, "s"), ("plain", PLAIN, "s"), ("adyen body", ADYEN_BODY, HEX), ("slack", SLACK, "s"),
    ("zendesk", ZENDESK, "s"), ("crisp", CRISP, "s"), ("stripe", STRIPE, "s"), ("paddle", PADDLE, "s"),
    ("recurly", RECURLY, "s"), ("standard", StandardWebhooks(), B64), ("polar", StandardWebhooks(key="utf8"), "s"),
    ("hubspot 1", HUBSPOT_1, "s"), ("hubspot 2", HUBSPOT_2, "s"), ("hubspot 3", HUBSPOT_3, "s"), ("square", SQUARE, "s"),
    ("linear", LINEAR, "s"), ("twilio", TWILIO, "s"), ("adyen", ADYEN, HEX), ("mailgun", MAILGUN, "s"),
    ("header", SharedToken(where="header", name="X-Token", prefix="Bearer "), "tok"),
    ("query", SharedToken(where="query", name="secret"), "tok"), ("path", SharedToken(where="path"), "tok"),
    ("basic", SharedToken(where="basic"), "user:pässword"),
]  # fmt: skip
EACH_SCHEME = pytest.mark.parametrize(
    ("scheme", "secret"), [case[1:] for case in ROUND_TRIPS], ids=[case[0] for case in ROUND_TRIPS]
)
BODY = b'{"id": "1", "notificationItems": [{"NotificationRequestItem": {"pspReference": "p"}}]}'


class TokenStore(dict[str, str]):
    def __call__(self, token: str, value: str, until: datetime) -> str:
        return self.setdefault(token, value)


def signed_request(scheme: Scheme, secret: str, *, now: datetime = NOW) -> HttpRequest:
    signed = sign(scheme, body=BODY, secret=secret, now=now, url=URL)
    return sent(
        signed.body, {"Content-Type": "application/json", **signed.headers}, query=signed.query,
        query_string="&".join(f"{k}={v}" for k, v in signed.query.items()) if scheme is TWILIO else "",
        path_token=signed.path_token,
    )  # fmt: skip


def verdict_of(scheme: Scheme, request: HttpRequest, *secrets: str, now: datetime = NOW, **more: Any) -> Verdict:
    return verify(
        scheme, request, secrets, now=now, remember=more.pop("remember", TokenStore()),
        registered=RegisteredUrl(more.pop("url", URL)), **more,
    )  # fmt: skip


@EACH_SCHEME
def test_signed_request_verifies_with_any_of_several_secrets(scheme: Scheme, secret: str) -> None:
    verdict = verdict_of(scheme, signed_request(scheme, secret), "other", secret)
    assert verdict.ok, verdict
    assert verdict.strength == scheme.strength


@EACH_SCHEME
def test_wrong_secret_is_refused_and_not_shown(scheme: Scheme, secret: str) -> None:
    verdict = verdict_of(scheme, signed_request(scheme, secret), "never-to-be-seen")
    assert verdict.fault in {Fault.SECRET, Fault.BODY}
    assert "never-to-be-seen" not in verdict.reason + verdict.hint
    assert verdict.hint


@EACH_SCHEME
def test_missing_secret_is_not_configured(scheme: Scheme, secret: str) -> None:
    for secrets in ((), ("",), (" \n",)):
        assert verdict_of(scheme, signed_request(scheme, secret), *secrets).fault is Fault.NOT_CONFIGURED


@EACH_SCHEME
@pytest.mark.parametrize("days", [-1, 1])
def test_signed_time_outside_the_tolerance_is_clock(scheme: Scheme, secret: str, days: int) -> None:
    request = signed_request(scheme, secret, now=NOW + timedelta(days=days))
    verdict = verdict_of(scheme, request, secret)
    timed = (
        getattr(scheme, "ts_header", None) or getattr(scheme, "ts_path", None) or scheme in (STRIPE, PADDLE, RECURLY)
    )
    if timed or isinstance(scheme, StandardWebhooks):
        assert verdict.fault is Fault.CLOCK
        assert "86400 s" in verdict.reason
        assert verdict_of(scheme, request, secret, tolerance=90_000).ok
    else:
        assert verdict.ok


@EACH_SCHEME
@given(data=st.data())
def test_verify_never_raises(scheme: Scheme, secret: str, data: st.DataObject) -> None:
    good = signed_request(scheme, secret)
    text = st.text(max_size=60) | st.sampled_from(
        ["", "t=1,v1=", "t=9" * 40, "v1,", "sha256=", "é\udc80", "=" * 50, "1" * 30]
    )
    headers = {name: data.draw(st.just(value) | text) for name, value in good.headers.items()}
    request = HttpRequest(
        body=data.draw(st.just(good.body) | st.binary(max_size=100)), headers=headers, query=data.draw(st.just(good.query) | st.just({})),
        path_token=data.draw(st.just(good.path_token) | text),
    )  # fmt: skip
    verdict = verdict_of(scheme, request, secret, url=data.draw(st.sampled_from([URL, "", "https://[", "::"])))
    if verdict.ok:
        assert isinstance(verdict, Verdict)
    else:
        assert verdict.reason


def test_scheme_that_signs_the_url_needs_a_public_url() -> None:
    verdict = verdict_of(SQUARE, signed_request(SQUARE, "s"), "s", url="")
    assert verdict.fault is Fault.NOT_CONFIGURED
    assert "public URL" in verdict.reason


def test_timestamp_in_the_body_is_checked() -> None:
    def signed(body: bytes) -> Verdict:
        return verdict_of(LINEAR, sent(body, {"Linear-Signature": digest(b"s", body, "sha256", "hex").decode()}), "s")

    def linear(timestamp: Any) -> Verdict:
        return signed(json.dumps({"webhookTimestamp": timestamp}).encode())

    assert linear(int(NOW.timestamp() * 1000)).ok
    assert linear(int(NOW.timestamp() * 1000) - 61_000).fault is Fault.CLOCK
    unreadable: Any
    for unreadable in (None, "x", [], 1.5):
        assert linear(unreadable).fault is Fault.MALFORMED
    assert signed(b"no json").fault is Fault.MALFORMED


@pytest.mark.parametrize("scheme", [LINEAR, replace(LINEAR, ts_form="iso")])
def test_saved_payload_is_signed_with_the_current_time(scheme: HmacBody) -> None:
    signed = sign(scheme, body=b'{"a": 1, "webhookTimestamp": 1681207187330}', secret="s", now=NOW)
    assert verdict_of(scheme, sent(signed.body, dict(signed.headers)), "s").ok
    assert json.loads(signed.body)["a"] == 1


@pytest.mark.parametrize("body", [b"no json", b"[]", b"1"])
def test_body_without_a_member_for_its_time_cannot_be_signed(body: bytes) -> None:
    with pytest.raises(CannotSign, match="webhookTimestamp"):
        sign(LINEAR, body=body, secret="s", now=NOW)


@pytest.mark.parametrize(
    ("scheme", "headers", "fault"),
    [
        (GITHUB, {"X-Hub-Signature-256": "sha1=aa"}, Fault.MALFORMED),
        (SLACK, {"X-Slack-Signature": "v0=aa"}, Fault.MISSING),
        (SLACK, {"X-Slack-Signature": "v0=aa", "X-Slack-Request-Timestamp": "soon"}, Fault.MALFORMED),
        (
            ZENDESK,
            {"X-Zendesk-Webhook-Signature": "aa", "X-Zendesk-Webhook-Signature-Timestamp": "1627207200x"},
            Fault.MALFORMED,
        ),
        (PADDLE, {"Paddle-Signature": "ts=1,h1=aa"}, Fault.MALFORMED),
        (PADDLE, {"Paddle-Signature": "ts=1"}, Fault.MALFORMED),
        (
            StandardWebhooks(),
            {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v9,aa nonsense"},
            Fault.MALFORMED,
        ),
        (SENDGRID, {"X-Twilio-Email-Event-Webhook-Signature": "not base64!"}, Fault.MALFORMED),
        (MAILGUN, {}, Fault.MALFORMED),
        (ADYEN, {}, Fault.MALFORMED),
        (SharedToken(where="header", name="X-T", prefix="Bearer "), {"X-T": "Basic x"}, Fault.MISSING),
        (SharedToken(where="basic"), {"Authorization": "Basic ?"}, Fault.MISSING),
        (SharedToken(where="basic"), {"Authorization": "Bearer x"}, Fault.MISSING),
        (SharedToken(where="query", name="a"), {}, Fault.MISSING),
        (SharedToken(where="path"), {}, Fault.MISSING),
    ],
)
def test_unreadable_signature_has_a_reason_and_hint(scheme: Scheme, headers: Mapping[str, str], fault: Fault) -> None:
    verdict = verdict_of(scheme, sent(b"nothing", dict(headers)), "s")
    assert verdict.fault is fault
    assert verdict.reason
    assert verdict.hint


def test_standard_webhooks_matches_the_official_library_and_svix_names() -> None:
    signature = Webhook(B64).sign("msg_1", NOW, BODY.decode())
    for prefix in ("webhook", "svix"):
        headers = {
            f"{prefix}-id": "msg_1",
            f"{prefix}-timestamp": str(int(NOW.timestamp())),
            f"{prefix}-signature": f"v1,AAAA {signature}",
        }
        assert verdict_of(StandardWebhooks(), sent(BODY, headers), B64).ok


def test_standard_webhooks_accepts_public_keys() -> None:
    ts = str(int(NOW.timestamp()))
    raw = KEYS["ed"].public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    public = "whpk_" + base64.b64encode(raw).decode()
    good = base64.b64encode(KEYS["ed"].sign(b"msg_1." + ts.encode() + b"." + BODY)).decode()

    def verdict(signature: str, *secrets: str) -> Verdict:
        headers = {"webhook-id": "msg_1", "webhook-timestamp": ts, "webhook-signature": signature}
        return verdict_of(StandardWebhooks(), sent(BODY, headers), *secrets)

    assert verdict(f"v1a,{good}", B64, public).ok
    assert not verdict(f"v1a,{good[::-1]}", public).ok
    assert not verdict("v1a,AAAA", public, B64).ok
    assert verdict("v1a,?", public).fault is Fault.MALFORMED
    assert not verdict(f"v1,{good}", public).ok


@pytest.mark.parametrize(
    ("scheme", "key"),
    [
        (SENDGRID, "ec"),
        (FRESHCHAT, "rsa"),
        (
            PublicKey(
                kind="ed25519", header="X-Signature-Ed25519", ts_header="X-Signature-Timestamp", template="{ts}{body}"
            ),
            "ed",
        ),
        (PublicKey(kind="ed25519", header="X-S", id_header="X-Id", template="{id}{body}"), "ed"),
    ],
)
def test_public_key_verifies_and_another_kind_does_not(scheme: PublicKey, key: str) -> None:
    signed = sign(scheme, body=BODY, secret=pem(key), now=NOW)
    request = sent(BODY, dict(signed.headers))
    assert verdict_of(scheme, request, "no key", spki(key)).ok
    for other in {"ec", "rsa", "ed"} - {key}:
        assert verdict_of(scheme, request, spki(other)).fault is Fault.SECRET
    with pytest.raises(CannotSign, match="only the provider has"):
        sign(scheme, body=BODY, secret=spki(key), now=NOW)


def test_private_key_of_an_unsupported_kind_cannot_sign() -> None:
    from cryptography.hazmat.primitives.asymmetric import x25519

    text = x25519.X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(CannotSign, match="does not sign"):
        sign(FRESHCHAT, body=BODY, secret=text.decode(), now=NOW)
    with pytest.raises(CannotSign, match="not base64"):
        sign(StandardWebhooks(), body=BODY, secret="?", now=NOW)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"7", b'{"items": null}', b'{"items": 7}'])
def test_body_without_the_signed_list_cannot_be_signed(body: bytes) -> None:
    scheme = HmacFields(items="items", sig_path="sig", fields=("id",))
    with pytest.raises(CannotSign, match="no such list"):
        sign(scheme, body=body, secret="a secret", now=NOW)


def certificate(*, days: int = 10) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "messageverificationcerts.example")])
    build = x509.CertificateBuilder(
        name, name, KEYS["rsa"].public_key(), 1, NOW - timedelta(days=20), NOW + timedelta(days=days)
    )
    return build.sign(KEYS["rsa"], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


CERT_URL = "https://api.paypal.com/v1/notifications/certs/CERT-1"


def paypal(url: str = CERT_URL, *, webhook_id: str = "WH-1") -> HttpRequest:
    import zlib

    from cryptography.hazmat.primitives.asymmetric import padding

    message = f"tid|2026-11-23T12:00:00Z|{webhook_id}|{zlib.crc32(BODY)}".encode()
    signature = base64.b64encode(KEYS["rsa"].sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
    return sent(BODY, {
        "PAYPAL-TRANSMISSION-SIG": signature, "PAYPAL-TRANSMISSION-ID": "tid", "PAYPAL-CERT-URL": url,
        "PAYPAL-TRANSMISSION-TIME": "2026-11-23T12:00:00Z",
    })  # fmt: skip


def test_paypal_certificate_is_fetched_from_paypal_only() -> None:
    fetched = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return certificate()

    assert verdict_of(PAYPAL, paypal(), "WH-1", fetch=fetch).ok
    assert verdict_of(PAYPAL, paypal(), "WH-2", fetch=fetch).fault is Fault.SECRET
    fetched.clear()
    for url in (
        "http://api.paypal.com/v1/notifications/certs/x", "https://api.paypal.com.evil.example/v1/notifications/certs/x",
        "https://api.paypal.com@evil.example/v1/notifications/certs/x", "https://api.paypal.com:8443/v1/notifications/certs/x",
        "https://api.paypal.com/v1/notifications/certs/../../x", "https://api.paypal.com/v1/notifications/certs/%2e%2e/x",
        "https://api.paypal.com/elsewhere", "https://api.paypal.com/v1/notifications/certs/x?u=1", "https://[", "https://api.paypal.com:x/",
        "https://api.paypal.com/v1/notifications/certs/a b", "https://api.paypal.com/v1/notifications/certs/a\tb",
        "https://api.paypal.com/v1/notifications/certs/\u00e9", "https://api.paypal.com/v1/notifications/certs/" + "a" * 3000,
    ):  # fmt: skip
        assert verdict_of(PAYPAL, paypal(url), "WH-1", fetch=fetch).fault is Fault.MALFORMED, url
    assert fetched == []


def test_unusable_certificate_is_refused() -> None:
    assert verdict_of(PAYPAL, paypal(), "WH-1").fault is Fault.MALFORMED
    assert "not valid now" in verdict_of(PAYPAL, paypal(), "WH-1", fetch=lambda _: certificate(days=-1)).reason
    assert "returned no certificate" in verdict_of(PAYPAL, paypal(), "WH-1", fetch=lambda _: b"hello").reason


def test_mailgun_token_is_accepted_again_with_the_same_body_only() -> None:
    store = TokenStore()
    request = signed_request(MAILGUN, "s")
    assert verdict_of(MAILGUN, request, "s", remember=store).ok
    assert verdict_of(MAILGUN, request, "s", remember=store).ok
    forged = json.loads(request.body) | {"event-data": {"event": "forged"}}
    verdict = verdict_of(MAILGUN, replace(request, body=json.dumps(forged).encode()), "s", remember=store)
    assert verdict.fault is Fault.REPLAYED
    assert verdict_of(MAILGUN, request, "s", remember=None).fault is Fault.MALFORMED


def test_malformed_public_url_matches_nothing_and_does_not_raise() -> None:
    for url in ("https://[", "https://a:x/"):
        assert verdict_of(TWILIO, signed_request(TWILIO, "s"), "s", url=url).fault in {
            Fault.SECRET,
            Fault.BODY,
        }


def test_body_that_is_not_json_cannot_hold_a_signature() -> None:
    with pytest.raises(CannotSign):
        sign(MAILGUN, body=b"no json", secret="s", now=NOW)


def test_adyen_item_without_a_signature_is_signature_missing() -> None:
    assert verdict_of(ADYEN, sent(b'{"notificationItems": [{}]}', {}), HEX).fault is Fault.MISSING


def test_twilio_json_body_must_match_its_hash() -> None:
    request = signed_request(TWILIO, "s")
    assert verdict_of(TWILIO, request, "s").ok
    assert verdict_of(TWILIO, replace(request, body=b"{}"), "s").fault is Fault.MALFORMED


def test_malformed_key_does_not_block_the_other_keys() -> None:
    request = signed_request(StandardWebhooks(), B64)
    assert verdict_of(StandardWebhooks(), request, "not base64 !", B64).ok
    assert verdict_of(ADYEN_BODY, signed_request(ADYEN_BODY, HEX), "not hex", HEX).ok


def test_unknown_scheme_raises_type_error() -> None:
    with pytest.raises(TypeError):
        verify(object(), sent(b"", {}), ["s"], now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "header", ["t,v1=aa", "t=1,v1", "t=1,v1=aa,v1", "t"], ids=["no time", "no signature", "one without a value", "name"]
)
def test_part_of_a_signature_header_without_a_value_is_malformed(header: str) -> None:
    request = HttpRequest(body=b"{}", headers={"stripe-signature": header})
    verdict = verify(HmacKvHeader(header="Stripe-Signature"), request, ["s"], now=NOW)
    assert verdict.fault is Fault.MALFORMED
    assert "a part without a value" in verdict.reason


def test_first_timestamp_of_a_signature_header_counts() -> None:
    scheme = HmacKvHeader(header="Stripe-Signature")
    signed = sign(scheme, body=b"{}", secret="s", now=NOW)
    for header, fault in (("{0},t=1", Fault.NONE), ("t=,{0}", Fault.MALFORMED), ("x,y=1,{0}", Fault.NONE)):
        value = header.format(signed.headers["stripe-signature"])
        assert (
            verify(scheme, HttpRequest(body=b"{}", headers={"stripe-signature": value}), ["s"], now=NOW).fault is fault
        )


def test_verifier_is_prepared_once_and_gives_the_verdict_of_each_request() -> None:
    scheme = HmacKvHeader(header="Stripe-Signature")
    verifier = Verifier(scheme, ["", "old", "s"], tolerance=60)
    good = sign(scheme, body=b"{}", secret="s", now=NOW)
    assert [verifier.verify(good, now=NOW + timedelta(seconds=age)).fault for age in (0, 61, 0)] == [
        Fault.NONE, Fault.CLOCK, Fault.NONE,
    ]  # fmt: skip
    assert verifier.verify(replace(good, body=b"[]"), now=NOW).fault is Fault.SECRET
    assert verifier.verify(sign(scheme, body=b"", secret="old", now=NOW), now=NOW).ok
    assert Verifier(scheme, [" "]).verify(good, now=NOW).fault is Fault.NOT_CONFIGURED
