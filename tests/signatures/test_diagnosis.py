"""The diagnosis of a refused signature: the secret, the body or the clock."""

import base64
import json
from typing import Any

import pytest

from support.acme import NOW, SCHEME
from support.signature_vectors import sent
from translators.kit import StandardWebhooks
from webhooks.signatures import Fault, Verdict, sign, verify

DATA = {"b": "é", "a": [1, 2], "c": {"d": None}}
SENT = json.dumps(DATA, separators=(",", ":"), ensure_ascii=False).encode()


def verify_body(
    body: bytes, *, signed: bytes = SENT, secret: str = "whsec_s", configured: str = "whsec_s", **headers: str
) -> Verdict:
    signed_request = sign(SCHEME, body=signed, secret=secret, now=NOW)
    request_headers = (
        dict(signed_request.headers)
        | {"Content-Type": "application/json"}
        | {k.replace("_", "-"): v for k, v in headers.items()}
    )
    return verify(SCHEME, sent(body, request_headers), [configured], now=NOW)


@pytest.mark.parametrize(
    ("signed", "body", "expected_text"),
    [
        (SENT, json.dumps(DATA).encode(), "re-serialised without spaces"),
        (json.dumps(DATA).encode(), SENT, "re-serialised with spaces"),
        (json.dumps(DATA, sort_keys=True).encode(), SENT, "sorted keys"),
        (json.dumps(DATA, sort_keys=True, separators=(",", ":")).encode(), SENT, "without spaces and with sorted keys"),
        (json.dumps(DATA, indent=2, ensure_ascii=False).encode(), SENT, "with indents"),
        (SENT, b"\xef\xbb\xbf" + SENT, "byte order mark"),
        (SENT, SENT + b"\n", "without the white space"),
        (SENT + b"\n", SENT, "a line feed at its end"),
        (SENT + b"\r\n", SENT, "CR LF at its end"),
        (b'{\n"a": 1}', b'{\r\n"a": 1}', "plain line feeds"),
        (b'{\r\n"a": 1}', b'{\n"a": 1}', "CR LF line ends"),
        (b' {"a":1}\n', b' {"a":1}\n\n', "without its last line break"),
        (SENT, SENT[:-3], "but it is not valid JSON"),
    ],
)
def test_changed_body_is_diagnosed(signed: bytes, body: bytes, expected_text: str) -> None:
    verdict = verify_body(body, signed=signed)
    if expected_text == "without its last line break":
        assert verdict.fault is not Fault.NONE
        return
    assert verdict.fault is Fault.BODY
    assert expected_text in verdict.reason
    assert "proxies" in verdict.hint


def test_wrong_content_length_is_diagnosed_as_changed_body() -> None:
    assert "Content-Length is 999, but" in verify_body(SENT + b"x", Content_Length="999").reason


@pytest.mark.parametrize(
    ("configured", "secret", "expected_text"),
    [
        (" whsec_s ", "whsec_s", "quotes or spaces"),
        ('"whsec_s"', "whsec_s", "quotes or spaces"),
        ("whsec_s", "s", "without whsec_"),
        ("sha256=s", "s", "without sha256="),
        ("s", "whsec_s", "with whsec_"),
        ("s", "s\n", "line break"),
    ],
)
def test_copying_mistake_in_the_secret_is_diagnosed(configured: str, secret: str, expected_text: str) -> None:
    verdict = verify_body(SENT, secret=secret, configured=configured)
    assert verdict.fault is Fault.SECRET
    assert expected_text in verdict.reason


def test_default_diagnosis_is_the_secret_with_a_hint() -> None:
    verdict = verify_body(SENT, secret="another")
    assert verdict.fault is Fault.SECRET
    assert "test and live mode" in verdict.hint


def test_large_body_is_not_parsed_but_its_line_break_is_diagnosed() -> None:
    large = json.dumps({"x": "y" * 300_000}).encode()
    assert "without the white space" in verify_body(large + b"\n", signed=large).reason
    assert verify_body(large, signed=large.replace(b": ", b":")).fault is Fault.SECRET


def test_body_that_cannot_be_serialised_does_not_raise() -> None:
    assert verify_body(b'{"a": "\\ud800"}').fault is Fault.SECRET
    assert verify_body(b"[" * 100_000 + b"]" * 100_000, Content_Type="text/plain").fault in {Fault.SECRET, Fault.BODY}


def test_malformed_standard_webhooks_secret_does_not_raise() -> None:
    scheme = StandardWebhooks()
    key = base64.b64encode(b"k" * 24).decode()
    signed_request = sign(scheme, body=SENT, secret=f"whsec_{key}", now=NOW)
    assert verify(scheme, sent(SENT, dict(signed_request.headers)), ["v" + key], now=NOW).fault is Fault.SECRET


@pytest.mark.parametrize("size", [500, 5_000, 30_000])
@pytest.mark.parametrize(
    "options", [{}, {"separators": (",", ":")}, {"indent": 2}], ids=["spaces", "compact", "indents"]
)
def test_re_serialised_body_of_usual_size_is_diagnosed(size: int, options: dict[str, Any]) -> None:
    """The allowance pays for it; a flood of forgeries uses it up."""
    data = {"id": "evt_1", "items": [{"sku": "é", "n": number} for number in range(size // 30)]}
    sent_body = json.dumps(data, ensure_ascii=False, **options).encode()
    changed = json.dumps(data, separators=(", ", ":")).encode()
    assert len(changed) <= 32 * 1024
    verdict = verify_body(changed, signed=sent_body)
    assert verdict.fault is Fault.BODY
    assert "re-serialised" in verdict.reason
