"""Schemes that sign the URL: which spellings are accepted, and how a mismatch of the URL is named."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from acme import NOW
from doors import places
from translators.kit import HmacRequest
from webhooks.signatures import Fault, Request, Verdict, sign, verify

BASE = "https://hooks.example.com/webhooks/it"
SECRET = "s3cret"
BODY = b"a=1&b=two"
FORM = "application/x-www-form-urlencoded"


def url_schemes() -> Iterator[tuple[str, HmacRequest]]:
    for place in places():
        scheme = place.endpoint.scheme
        if isinstance(scheme, HmacRequest) and "url" in scheme.parts:
            yield place.name, scheme


SCHEMES = dict(url_schemes())
DECODING = {name: scheme for name, scheme in SCHEMES.items() if scheme.decode_url}


def arrived(
    scheme: HmacRequest, signed_url: str, *, query: str = "", configured: str = BASE, path: str = "/webhooks/it",
    secret: str = SECRET, **headers: str,
) -> Verdict:  # fmt: skip
    made = sign(scheme, body=BODY, secret=secret, now=NOW, url=signed_url, content_type=FORM)
    sent = {name.lower(): value for name, value in made.headers.items()} | {"content-type": FORM}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(
        body=BODY, headers=sent, query=dict(parse_qsl(query)), query_string=query, public_url=configured, path=path,
        url_setting="SEGUE_IT_PUBLIC_URL",
    )  # fmt: skip
    return verify(scheme, request, [SECRET], now=NOW)


def test_every_scheme_that_signs_the_url_is_tried() -> None:
    assert {name.partition("_")[0] for name in SCHEMES} == {"square", "twilio", "hubspot"}
    assert {name.partition("_")[0] for name in DECODING} == {"twilio", "hubspot"}


# what was signed; the query that came; headers; what the refusal says
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
def test_a_signature_over_another_url_is_wrong_url_with_the_difference_and_the_setting(
    name: str, mismatch: str
) -> None:
    signed_url, request, says = MISMATCHES[mismatch]
    verdict = arrived(SCHEMES[name], signed_url, **request)
    assert verdict.fault is Fault.URL
    assert says in verdict.reason
    assert "SEGUE_IT_PUBLIC_URL" in verdict.hint
    assert verdict.proven
    assert SECRET not in verdict.reason + verdict.hint
    assert "user_id" not in verdict.reason


@pytest.mark.parametrize("name", SCHEMES)
def test_ports_are_accepted_by_twilio_and_named_for_the_others(name: str) -> None:
    for signed_url, configured in ((BASE.replace(".com", ".com:443"), BASE), (BASE, BASE.replace(".com", ".com:443"))):
        verdict = arrived(SCHEMES[name], signed_url, configured=configured)
        if SCHEMES[name].port_variants:
            assert verdict.ok
        else:
            assert verdict.fault is Fault.URL
            assert "port 443" in verdict.reason


@pytest.mark.parametrize("name", SCHEMES)
def test_another_secret_is_not_taken_for_another_url_and_the_hint_names_the_setting(name: str) -> None:
    verdict = arrived(SCHEMES[name], f"{BASE}/", secret="another", host="old.example.com")
    assert verdict.fault is Fault.SECRET
    assert "SEGUE_IT_PUBLIC_URL" in verdict.hint
    assert not verdict.proven


@pytest.mark.parametrize("host", ["evil.example/x?", "a b", "x" * 300, "a\r\nb", "[::1", "a:b:c", "é.example"])
def test_a_host_that_is_none_is_not_tried(host: str) -> None:
    verdict = arrived(SCHEMES["square"], f"https://{host}/webhooks/it", host=host)
    assert verdict.fault is Fault.SECRET
    assert host not in verdict.reason


@pytest.mark.parametrize("name", SCHEMES)
def test_another_host_scheme_or_path_is_never_accepted(name: str) -> None:
    for url in ("https://evil.example/webhooks/it", BASE.replace("https", "http"), f"{BASE}/more", f"{BASE}/"):
        host = url.split("/")[2]
        assert not arrived(SCHEMES[name], url, host=host, x_forwarded_host=host, x_forwarded_proto="http").ok


SPELLINGS = ["user_id=ada%40example.com", "name=O%27Hara&sip=sip%3a1%40h", "u=https%3A%2F%2Fx%2Fy%3Fz&v=%28a%29%2A%21"]


@pytest.mark.parametrize("name", DECODING)
@pytest.mark.parametrize("query", SPELLINGS)
def test_a_query_signed_unescaped_and_sent_escaped_is_accepted(name: str, query: str) -> None:
    from urllib.parse import unquote

    assert arrived(DECODING[name], f"{BASE}?{unquote(query)}", query=query).ok
    assert arrived(DECODING[name], f"{BASE}?{query}", query=query).ok


@pytest.mark.parametrize("name", DECODING)
def test_a_query_signed_escaped_and_sent_unescaped_is_accepted(name: str) -> None:
    assert arrived(DECODING[name], f"{BASE}?user_id=ada%40example.com", query="user_id=ada@example.com").ok


@pytest.mark.parametrize("name", DECODING)
def test_a_query_signed_with_only_its_quotes_unescaped_is_accepted(name: str) -> None:
    assert arrived(DECODING[name], f"{BASE}?n=O'Hara&u=a%40x", query="n=O%27Hara&u=a%40x").ok


@pytest.mark.parametrize("name", DECODING)
@pytest.mark.parametrize("query", ["a=1%26b%3D2", "a=1%23b=2", "a=%2B1", "a=%2540"])
def test_what_takes_a_query_apart_is_never_decoded(name: str, query: str) -> None:
    """Else one signature would be good for other parameters than those that were signed."""
    from urllib.parse import unquote

    assert not arrived(DECODING[name], f"{BASE}?{unquote(query)}", query=query).ok


def test_without_a_public_url_the_setting_is_named() -> None:
    verdict = arrived(SCHEMES["square"], BASE, configured="")
    assert verdict.fault is Fault.NOT_CONFIGURED
    assert "SEGUE_IT_PUBLIC_URL" in verdict.hint
