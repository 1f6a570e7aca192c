"""What a forged request may cost: at most five times the bytes that its plain verification hashes, by every scheme."""

import hashlib
import hmac
import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from doors import NOW, certificate, places
from webhooks.signatures import Allowance, Fault, Request, asymmetric, digest, verify

SIGNED = [place for place in places() if hasattr(place.endpoint.scheme, "tolerance")]
PLAIN = 5
TEMPLATE = 64
"""Bytes by which a candidate may be longer: a line break, a secret with a prefix (PayPal signs its webhook id)."""


class Count:
    """Bytes and calls of everything that hashes or verifies."""

    def __init__(self) -> None:
        self.bytes = 0
        self.calls = 0

    def add(self, message: bytes) -> None:
        self.bytes += len(message)
        self.calls += 1


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    counted = Count()
    real_digest, real_new, real_is_signed_by = hmac.digest, hashlib.new, asymmetric.is_signed_by

    class Hmac:
        compare_digest = staticmethod(hmac.compare_digest)

        @staticmethod
        def digest(key: bytes, message: bytes, alg: str) -> bytes:
            counted.add(message)
            return real_digest(key, message, alg)

    class Hashlib:
        @staticmethod
        def new(alg: str, message: bytes) -> Any:
            counted.add(message)
            return real_new(alg, message)

    def is_signed_by(key: Any, kind: str, signature: bytes, message: bytes) -> bool:
        counted.add(message)
        return real_is_signed_by(key, kind, signature, message)

    monkeypatch.setattr(digest, "hmac", Hmac)
    monkeypatch.setattr(digest, "hashlib", Hashlib)
    monkeypatch.setattr(asymmetric, "is_signed_by", is_signed_by)
    return counted


def forged(place: Any, size: int) -> Request:
    """Signed for the golden's body, sent with another of this size: JSON with white space and line ends to change."""
    genuine = place.request()
    body = (json.dumps({"id": "evt_1", "pad": "x" * max(0, size - 40)}, indent=1) + "\r\n").encode()
    headers = {
        **genuine.headers,
        "content-length": str(len(body)),
        "host": "a.example",
        "x-forwarded-host": "b.example",
    }
    return Request(
        body=body, headers=headers, query=genuine.query, query_string="a=%40b", public_url=place.endpoint.public_url,
        path="/elsewhere",
    )  # fmt: skip


def refuse(place: Any, request: Request, allowance: Allowance, secrets: int = 1) -> Any:
    configured = [*(f"other-{number}" for number in range(secrets - 1)), place.endpoint.secrets[0]]
    return verify(
        place.endpoint.scheme, request, configured, now=NOW, remember=lambda _t, value, _u: value,
        fetch=lambda _: certificate(), allowance=allowance,
    )  # fmt: skip


def empty() -> Allowance:
    allowance = Allowance(tick=lambda: 0.0)
    while allowance.take(1024):
        pass
    return allowance


def plain_cost(
    place: Any, request: Request, count: Count, monkeypatch: pytest.MonkeyPatch, secrets: int
) -> tuple[int, int]:
    """What the verification alone hashes."""
    module: Any = sys.modules[verify.__module__]
    with monkeypatch.context() as patch:
        patch.setattr(module, "diagnose", lambda *_, **__: module.Verdict(Fault.SECRET))
        refuse(place, request, empty(), secrets)
    cost = (count.bytes, count.calls)
    count.bytes = count.calls = 0
    return cost


@pytest.mark.parametrize("place", SIGNED, ids=lambda place: place.name)
@pytest.mark.parametrize("size", [2_000, 40_000, 256_000])
@pytest.mark.parametrize("secrets", [1, 6])
def test_in_a_flood_a_forgery_costs_at_most_five_times_its_verification(
    place: Any, size: int, secrets: int, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = forged(place, size)
    plain_bytes, plain_calls = plain_cost(place, request, count, monkeypatch, secrets)
    verdict = refuse(place, request, empty(), secrets)
    assert not verdict.ok
    assert count.bytes <= PLAIN * (plain_bytes + TEMPLATE)
    assert count.calls <= PLAIN * plain_calls


@pytest.mark.parametrize("place", SIGNED, ids=lambda place: place.name)
def test_a_large_forgery_is_bounded_even_if_it_is_the_first(
    place: Any, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = forged(place, 256_000)
    plain_bytes, _ = plain_cost(place, request, count, monkeypatch, 1)
    refuse(place, request, Allowance())
    assert count.bytes <= PLAIN * (plain_bytes + TEMPLATE)


def test_a_flood_of_small_forgeries_costs_what_its_share_and_the_allowance_give(count: Count) -> None:
    place = next(place for place in SIGNED if place.name == "github")
    request = forged(place, 2_000)
    now = [0.0]
    allowance = Allowance(100_000, 1_000, tick=lambda: now[0])
    size = len(request.body)
    for _ in range(300):
        refuse(place, request, allowance)
        now[0] += 0.1
    assert count.bytes <= PLAIN * 300 * size + 100_000 + 30 * 1_000


def test_the_allowance_refills_with_time_and_no_further_than_its_capacity() -> None:
    now = [0.0]
    allowance = Allowance(1_000, 100, tick=lambda: now[0])
    assert allowance.take(1_000)
    assert not allowance.take(1)
    now[0] = 5.0
    assert allowance.take(500)
    assert not allowance.take(1)
    now[0] = 1_000.0
    assert not allowance.take(1_001)
    assert allowance.take(1_000)


def test_an_honest_misconfiguration_is_named_again_after_a_flood() -> None:
    place = next(place for place in SIGNED if place.name == "github")
    now = [0.0]
    allowance = Allowance(tick=lambda: now[0])
    genuine = place.request()
    changed = json.dumps(json.loads(genuine.body), indent=1).encode()
    headers = {**genuine.headers, "content-length": str(len(changed))}
    honest = Request(body=changed, headers=headers)
    for _ in range(2_000):
        refuse(place, forged(place, 3_000), allowance)
    assert refuse(place, honest, allowance).fault is Fault.SECRET
    now[0] = 600.0
    assert refuse(place, honest, allowance).fault in {Fault.BODY, Fault.SECRET}
    assert (
        refuse(place, replace(honest, body=genuine.body + b"\n", headers=genuine.headers), allowance).fault
        is Fault.BODY
    )
