"""A rejected request says which of the three it was: the secret, the body, the clock."""

import base64
import json
from typing import Any

import pytest
from vectors import sent

from acme import NOW, SCHEME
from translators.kit import StandardWebhooks
from webhooks.signatures import Fault, Verdict, sign, verify

DATA = {"b": "é", "a": [1, 2], "c": {"d": None}}
SENT = json.dumps(DATA, separators=(",", ":"), ensure_ascii=False).encode()


def arrived(
    body: bytes, *, signed: bytes = SENT, secret: str = "whsec_s", configured: str = "whsec_s", **headers: str
) -> Verdict:
    made = sign(SCHEME, body=signed, secret=secret, now=NOW)
    told = (
        dict(made.headers) | {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    )
    return verify(SCHEME, sent(body, told), [configured], now=NOW)


@pytest.mark.parametrize(
    ("signed", "body", "says"),
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
def test_a_body_changed_on_the_way_is_named(signed: bytes, body: bytes, says: str) -> None:
    verdict = arrived(body, signed=signed)
    if says == "without its last line break":
        assert verdict.fault is not Fault.NONE
        return
    assert verdict.fault is Fault.BODY
    assert says in verdict.reason
    assert "proxies" in verdict.hint


def test_a_length_that_is_not_the_bodys_is_a_changed_body() -> None:
    assert "Content-Length is 999, but" in arrived(SENT + b"x", Content_Length="999").reason


@pytest.mark.parametrize(
    ("configured", "secret", "says"),
    [
        (" whsec_s ", "whsec_s", "quotes or spaces"),
        ('"whsec_s"', "whsec_s", "quotes or spaces"),
        ("whsec_s", "s", "without whsec_"),
        ("sha256=s", "s", "without sha256="),
        ("s", "whsec_s", "with whsec_"),
        ("s", "s\n", "line break"),
    ],
)
def test_a_slip_in_copying_the_secret_is_named(configured: str, secret: str, says: str) -> None:
    verdict = arrived(SENT, secret=secret, configured=configured)
    assert verdict.fault is Fault.SECRET
    assert says in verdict.reason


def test_otherwise_it_is_the_secret_and_the_hint_says_what_to_compare() -> None:
    verdict = arrived(SENT, secret="another")
    assert verdict.fault is Fault.SECRET
    assert "test and live mode" in verdict.hint


def test_a_large_body_is_not_parsed_but_a_line_break_at_its_end_is_named() -> None:
    large = json.dumps({"x": "y" * 300_000}).encode()
    assert "without the white space" in arrived(large + b"\n", signed=large).reason
    assert arrived(large, signed=large.replace(b": ", b":")).fault is Fault.SECRET


def test_a_body_that_cannot_be_written_again_is_no_trap() -> None:
    assert arrived(b'{"a": "\\ud800"}').fault is Fault.SECRET
    assert arrived(b"[" * 100_000 + b"]" * 100_000, Content_Type="text/plain").fault in {Fault.SECRET, Fault.BODY}


def test_an_undecoded_standard_webhooks_secret_is_refused_without_a_crash() -> None:
    scheme = StandardWebhooks()
    key = base64.b64encode(b"k" * 24).decode()
    made = sign(scheme, body=SENT, secret=f"whsec_{key}", now=NOW)
    assert verify(scheme, sent(SENT, dict(made.headers)), ["v" + key], now=NOW).fault is Fault.SECRET


@pytest.mark.parametrize("size", [500, 5_000, 30_000])
@pytest.mark.parametrize(
    "options", [{}, {"separators": (",", ":")}, {"indent": 2}], ids=["spaces", "compact", "indents"]
)
def test_a_body_of_a_usual_size_that_was_re_serialised_is_named_at_once(size: int, options: dict[str, Any]) -> None:
    """The allowance is there for that; a flood of forgeries uses it up."""
    data = {"id": "evt_1", "items": [{"sku": "é", "n": number} for number in range(size // 30)]}
    sent_body = json.dumps(data, ensure_ascii=False, **options).encode()
    changed = json.dumps(data, separators=(", ", ":")).encode()
    assert len(changed) <= 32 * 1024
    verdict = arrived(changed, signed=sent_body)
    assert verdict.fault is Fault.BODY
    assert "re-serialised" in verdict.reason
