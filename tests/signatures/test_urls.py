"""Schemes that sign the URL: accepted spellings, and the diagnosis of another URL."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from support.acme import NOW
from support.installed_endpoints import all_endpoints
from translators.kit import HmacRequest
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, RegisteredUrl, Verdict, sign, verify

BASE = "https://hooks.example.com/webhooks/it"
SECRET = "s3cret"
BODY = b"a=1&b=two"
FORM = "application/x-www-form-urlencoded"


def url_schemes() -> Iterator[tuple[str, HmacRequest]]:
    for installed in all_endpoints():
        scheme = installed.endpoint.scheme
        if isinstance(scheme, HmacRequest) and "url" in scheme.parts:
            yield installed.name, scheme


SCHEMES = dict(url_schemes())
DECODING = {name: scheme for name, scheme in SCHEMES.items() if scheme.decode_url}


def verify_url(
    scheme: HmacRequest, signed_url: str, *, query: str = "", configured: str = BASE, path: str = "/webhooks/it",
    secret: str = SECRET, **headers: str,
) -> Verdict:  # fmt: skip
    signed = sign(scheme, body=BODY, secret=secret, now=NOW, url=signed_url, content_type=FORM)
    sent = dict(signed.headers) | {"content-type": FORM}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    options = HttpRequest(
        body=BODY, headers=sent, query=dict(parse_qsl(query)), query_string=query, path=path
    )  # fmt: skip
    registered = RegisteredUrl(configured, "SEGUE_IT_PUBLIC_URL")
    return verify(scheme, options, [SECRET], now=NOW, registered=registered)


def test_url_tests_cover_every_scheme_that_signs_the_url() -> None:
    assert {name.partition("_")[0] for name in SCHEMES} == {"square", "twilio", "hubspot"}
    assert {name.partition("_")[0] for name in DECODING} == {"twilio", "hubspot"}


# signed URL; query and headers; expected text
MISMATCHES: dict[str, tuple[str, dict[str, Any], str]] = {
    "slash": (f"{BASE}/", {}, "with a slash at its end"),
    "no slash": (BASE, {"configured": f"{BASE}/"}, "without the slash at its end"),
    "http": (BASE.replace("https", "http"), {}, "with http in place of https"),
    "https": (BASE, {"configured": BASE.replace("https", "http")}, "with https in place of http"),
    "host": ("https://old.example.com/webhooks/it", {"host": "old.example.com"}, "with the host old.example.com"),
    "forwarded": ("https://a.example/webhooks/it", {"x_forwarded_host": "a.example, b.example"}, "with the host a.example"),
    "host and port": (
        "https://old.example.com:8443/webhooks/it", {"host": "old.example.com:8443"}, "the host old.example.com:8443",
    ),
    "host and slash": (
        "https://old.example.com/webhooks/it/", {"host": "old.example.com"}, "with a slash at its end and with the host old.example.com",
    ),
    "path": ("https://hooks.example.com/hooks/it", {"path": "/hooks/it"}, "with the path of this request"),
    "no query": (BASE, {"query": "user_id=u1"}, "without its query"),
    "decoded": (f"{BASE}?q=a b", {"query": "q=a%20b"}, "with its query decoded"),
    "http and slash": (f"{BASE}/".replace("https", "http"), {}, "with a slash at its end and with http in place of https"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("mismatch", MISMATCHES)
def test_signature_of_another_url_is_wrong_url_with_difference_and_setting(name: str, mismatch: str) -> None:
    signed_url, options, expected_text = MISMATCHES[mismatch]
    verdict = verify_url(SCHEMES[name], signed_url, **options)
    assert verdict.fault is Fault.URL
    assert expected_text in verdict.reason
    assert "SEGUE_IT_PUBLIC_URL" in verdict.hint
    assert verdict.proven
    assert SECRET not in verdict.reason + verdict.hint
    assert "user_id" not in verdict.reason


@pytest.mark.parametrize("name", SCHEMES)
def test_twilio_accepts_url_ports_and_others_diagnose_them(name: str) -> None:
    for signed_url, configured in ((BASE.replace(".com", ".com:443"), BASE), (BASE, BASE.replace(".com", ".com:443"))):
        verdict = verify_url(SCHEMES[name], signed_url, configured=configured)
        if SCHEMES[name].port_variants:
            assert verdict.ok
        else:
            assert verdict.fault is Fault.URL
            assert "port 443" in verdict.reason


@pytest.mark.parametrize("name", SCHEMES)
def test_wrong_secret_is_not_diagnosed_as_wrong_url(name: str) -> None:
    verdict = verify_url(SCHEMES[name], f"{BASE}/", secret="another", host="old.example.com")
    assert verdict.fault is Fault.SECRET
    assert "SEGUE_IT_PUBLIC_URL" in verdict.hint
    assert not verdict.proven


@pytest.mark.parametrize("host", ["evil.example/x?", "a b", "x" * 300, "a\r\nb", "[::1", "a:b:c", "é.example"])
def test_malformed_host_header_is_not_tried(host: str) -> None:
    verdict = verify_url(SCHEMES["square"], f"https://{host}/webhooks/it", host=host)
    assert verdict.fault is Fault.SECRET
    assert host not in verdict.reason


@pytest.mark.parametrize("name", SCHEMES)
def test_other_host_scheme_or_path_is_never_accepted(name: str) -> None:
    for url in ("https://evil.example/webhooks/it", BASE.replace("https", "http"), f"{BASE}/more", f"{BASE}/"):
        host = url.split("/")[2]
        assert not verify_url(SCHEMES[name], url, host=host, x_forwarded_host=host, x_forwarded_proto="http").ok


SPELLINGS = ["user_id=ada%40example.com", "name=O%27Hara&sip=sip%3a1%40h", "u=https%3A%2F%2Fx%2Fy%3Fz&v=%28a%29%2A%21"]


@pytest.mark.parametrize("name", DECODING)
@pytest.mark.parametrize("query", SPELLINGS)
def test_query_signed_unescaped_and_sent_escaped_is_accepted(name: str, query: str) -> None:
    from urllib.parse import unquote

    assert verify_url(DECODING[name], f"{BASE}?{unquote(query)}", query=query).ok
    assert verify_url(DECODING[name], f"{BASE}?{query}", query=query).ok


@pytest.mark.parametrize("name", DECODING)
def test_query_signed_escaped_and_sent_unescaped_is_accepted(name: str) -> None:
    assert verify_url(DECODING[name], f"{BASE}?user_id=ada%40example.com", query="user_id=ada@example.com").ok


@pytest.mark.parametrize("name", DECODING)
def test_query_signed_with_only_quotes_unescaped_is_accepted(name: str) -> None:
    assert verify_url(DECODING[name], f"{BASE}?n=O'Hara&u=a%40x", query="n=O%27Hara&u=a%40x").ok


@pytest.mark.parametrize("name", DECODING)
@pytest.mark.parametrize("query", ["a=1%26b%3D2", "a=1%23b=2", "a=%2B1", "a=%2540"])
def test_query_separators_are_never_decoded(name: str, query: str) -> None:
    """Otherwise a signature would cover other parameters than the signed ones."""
    from urllib.parse import unquote

    assert not verify_url(DECODING[name], f"{BASE}?{unquote(query)}", query=query).ok


def test_missing_public_url_names_the_setting() -> None:
    verdict = verify_url(SCHEMES["square"], BASE, configured="")
    assert verdict.fault is Fault.NOT_CONFIGURED
    assert "SEGUE_IT_PUBLIC_URL" in verdict.hint
