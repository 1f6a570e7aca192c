"""Every published vector verifies, and fails after any change."""

import json
from dataclasses import replace

import pytest

from support.signature_vectors import ADYEN, ADYEN_ITEM, SENDGRID, VECTORS, ZENDESK, Vector, sent, unix
from translators.kit import HmacBody
from webhooks.signatures import Fault, RegisteredUrl, verify
from webhooks.sources import plugins

EACH_VECTOR = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)


@EACH_VECTOR
def test_vector_verifies_beside_wrong_secrets(vector: Vector) -> None:
    secrets = [*vector.wrong_secrets, "another secret", vector.secret]
    verdict = verify(vector.scheme, vector.request, secrets, now=vector.at, registered=RegisteredUrl(vector.url))
    assert verdict.ok, verdict


@EACH_VECTOR
def test_vector_without_its_secret_is_refused(vector: Vector) -> None:
    assert verify(vector.scheme, vector.request, ["another secret", *vector.wrong_secrets], now=vector.at, registered=RegisteredUrl(vector.url)).fault in {
        Fault.SECRET, Fault.BODY,
    }  # fmt: skip
    assert (
        verify(vector.scheme, vector.request, [], now=vector.at, registered=RegisteredUrl(vector.url)).fault
        is Fault.NOT_CONFIGURED
    )


@EACH_VECTOR
def test_vector_with_a_changed_body_is_refused(vector: Vector) -> None:
    if not vector.request.body:
        return
    body = vector.request.body.replace(b"e", b"E") + b"&x=1"
    if vector.scheme is ADYEN:
        body = vector.request.body.replace(b"1130", b"9130")
    assert not verify(
        vector.scheme,
        replace(vector.request, body=body),
        [vector.secret],
        now=vector.at,
        registered=RegisteredUrl(vector.url),
    ).ok


@EACH_VECTOR
def test_vector_without_headers_is_signature_missing(vector: Vector) -> None:
    if vector.scheme is ADYEN:
        return
    verdict = verify(
        vector.scheme,
        replace(vector.request, headers={}),
        [vector.secret],
        now=vector.at,
        registered=RegisteredUrl(vector.url),
    )
    assert verdict.fault is Fault.MISSING


SOURCES = plugins.load().sources


@EACH_VECTOR
def test_source_declares_the_scheme_of_its_vector(vector: Vector) -> None:
    """The schemes above are copies; the source's own declaration must verify its provider's vectors."""
    words = vector.name.split()
    name = next((name for name in ("_".join(words[:2]), words[0]) if name in SOURCES), "")
    if not name:
        pytest.skip(f"there is no source for {vector.name}")
    schemes = list(SOURCES[name].schemes.values())
    if vector.name == "plain":  # the body has no timestamp, which the source requires
        schemes = [replace(scheme, ts_path=None) for scheme in schemes if isinstance(scheme, HmacBody)]
        assert schemes
    verdicts = [
        verify(scheme, vector.request, [vector.secret], now=vector.at, registered=RegisteredUrl(vector.url))
        for scheme in schemes
    ]
    assert any(verdict.ok for verdict in verdicts), verdicts


def test_zendesk_old_order_of_body_and_timestamp_is_refused() -> None:
    """The vector on an old copy of Zendesk's page signs body + timestamp; today it is timestamp + body."""
    secret = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="
    headers = {"X-Zendesk-Webhook-Signature-Timestamp": "2021-07-25T10:00:00Z"}
    old = {"X-Zendesk-Webhook-Signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw="}
    now = {"X-Zendesk-Webhook-Signature": "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk="}
    at = unix(1627207200)
    assert not verify(ZENDESK, sent(b'{"say": "hello"}', headers | old), [secret], now=at).ok
    assert verify(ZENDESK, sent(b'{"say": "hello"}', headers | now), [secret], now=at).ok


def test_sendgrid_final_line_break_is_signed() -> None:
    vector = next(vector for vector in VECTORS if vector.scheme is SENDGRID)
    stripped = replace(vector.request, body=vector.request.body.rstrip())
    verdict = verify(SENDGRID, stripped, [vector.secret], now=vector.at, registered=RegisteredUrl(vector.url))
    assert verdict.fault is Fault.BODY
    assert "CR LF" in verdict.reason


def test_every_adyen_item_must_verify() -> None:
    """Adyen's own Python helper looks at the first item only."""
    secret = next(vector.secret for vector in VECTORS if vector.scheme is ADYEN)
    body = json.loads(ADYEN_ITEM)
    forged = json.loads(ADYEN_ITEM)["notificationItems"][0]
    forged["NotificationRequestItem"]["amount"]["value"] = 1
    body["notificationItems"].append(forged)
    assert not verify(ADYEN, sent(json.dumps(body).encode(), {}), [secret], now=unix(0)).ok
    assert verify(ADYEN, sent(b'{"notificationItems": []}', {}), [secret], now=unix(0)).fault is Fault.MISSING
    body["notificationItems"] = [body["notificationItems"][0]]
    body["notificationItems"][0]["NotificationRequestItem"]["success"] = True
    assert verify(ADYEN, sent(json.dumps(body).encode(), {}), [secret], now=unix(0)).fault is Fault.MALFORMED


def test_hubspot_v3_matches_the_percent_decoded_url() -> None:
    from support.signature_vectors import HUB, HUBSPOT_3
    from webhooks.signatures import sign

    signed = sign(HUBSPOT_3, body=b"{}", secret=HUB, now=unix(1693657560), url="https://a.example/x?u=https://b")
    request = sent(b"{}", dict(signed.headers))
    registered = RegisteredUrl("https://a.example/x?u=https%3A%2F%2Fb")
    assert verify(HUBSPOT_3, request, [HUB], now=unix(1693657560), registered=registered).ok
