"""A forged request costs at most five times the bytes that its verification hashes, with every scheme."""

import hashlib
import hmac
import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from support.installed_endpoints import NOW, all_endpoints, certificate
from webhooks.http.request import HttpRequest
from webhooks.signatures import Allowance, Fault, RegisteredUrl, asymmetric, digest, verify

SIGNED = [installed for installed in all_endpoints() if hasattr(installed.endpoint.scheme, "tolerance")]
PLAIN = 5
TEMPLATE = 64
"""Bytes by which a candidate may be longer: a line break, a secret with a prefix (PayPal signs its webhook id)."""


class Count:
    """Counts the bytes and calls of every hash and verification."""

    def __init__(self) -> None:
        self.bytes = 0
        self.calls = 0

    def add(self, message: bytes) -> None:
        self.bytes += len(message)
        self.calls += 1


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    counter = Count()
    real_digest, real_new, real_is_signed_by = hmac.digest, hashlib.new, asymmetric.is_signed_by

    class Hmac:
        compare_digest = staticmethod(hmac.compare_digest)

        @staticmethod
        def digest(key: bytes, message: bytes, alg: str) -> bytes:
            counter.add(message)
            return real_digest(key, message, alg)

    class Hashlib:
        @staticmethod
        def new(alg: str, message: bytes) -> Any:
            counter.add(message)
            return real_new(alg, message)

    def is_signed_by(key: Any, kind: str, signature: bytes, message: bytes) -> bool:
        counter.add(message)
        return real_is_signed_by(key, kind, signature, message)

    monkeypatch.setattr(digest, "hmac", Hmac)
    monkeypatch.setattr(digest, "hashlib", Hashlib)
    monkeypatch.setattr(asymmetric, "is_signed_by", is_signed_by)
    return counter


def forged(installed: Any, size: int) -> HttpRequest:
    """Return a request signed for the golden's body, but with another body of this size."""
    genuine = installed.request()
    body = (json.dumps({"id": "evt_1", "pad": "x" * max(0, size - 40)}, indent=1) + "\r\n").encode()
    headers = {
        **genuine.headers,
        "content-length": str(len(body)),
        "host": "a.example",
        "x-forwarded-host": "b.example",
    }
    return HttpRequest(
        body=body, headers=headers, query=genuine.query, query_string="a=%40b", path="/elsewhere"
    )  # fmt: skip


def refuse(installed: Any, request: HttpRequest, allowance: Allowance, secrets: int = 1) -> Any:
    configured = [*(f"other-{number}" for number in range(secrets - 1)), installed.endpoint.secrets[0]]
    return verify(
        installed.endpoint.scheme, request, configured, now=NOW,
        registered=RegisteredUrl(installed.endpoint.public_url), remember=lambda _t, value, _u: value,
        fetch=lambda _: certificate(), allowance=allowance,
    )  # fmt: skip


def empty() -> Allowance:
    allowance = Allowance(tick=lambda: 0.0)
    while allowance.take(1024):
        pass
    return allowance


def plain_cost(
    installed: Any, request: HttpRequest, count: Count, monkeypatch: pytest.MonkeyPatch, secrets: int
) -> tuple[int, int]:
    """Return the bytes and calls of the verification alone."""
    module: Any = sys.modules[verify.__module__]
    with monkeypatch.context() as patch:
        patch.setattr(module, "diagnose", lambda *_, **__: module.Verdict(Fault.SECRET))
        refuse(installed, request, empty(), secrets)
    cost = (count.bytes, count.calls)
    count.bytes = count.calls = 0
    return cost


@pytest.mark.parametrize("installed", SIGNED, ids=lambda installed: installed.name)
@pytest.mark.parametrize("size", [2_000, 40_000, 256_000])
@pytest.mark.parametrize("secrets", [1, 6])
def test_forgery_costs_at_most_five_times_its_verification(
    installed: Any, size: int, secrets: int, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = forged(installed, size)
    plain_bytes, plain_calls = plain_cost(installed, request, count, monkeypatch, secrets)
    verdict = refuse(installed, request, empty(), secrets)
    assert not verdict.ok
    assert count.bytes <= PLAIN * (plain_bytes + TEMPLATE)
    assert count.calls <= PLAIN * plain_calls


@pytest.mark.parametrize("installed", SIGNED, ids=lambda installed: installed.name)
def test_first_large_forgery_is_bounded_too(installed: Any, count: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    request = forged(installed, 256_000)
    plain_bytes, _ = plain_cost(installed, request, count, monkeypatch, 1)
    refuse(installed, request, Allowance())
    assert count.bytes <= PLAIN * (plain_bytes + TEMPLATE)


def test_flood_of_small_forgeries_costs_share_plus_allowance(count: Count) -> None:
    installed = next(installed for installed in SIGNED if installed.name == "github")
    request = forged(installed, 2_000)
    now = [0.0]
    allowance = Allowance(100_000, 1_000, tick=lambda: now[0])
    size = len(request.body)
    for _ in range(300):
        refuse(installed, request, allowance)
        now[0] += 0.1
    assert count.bytes <= PLAIN * 300 * size + 100_000 + 30 * 1_000


def test_allowance_refills_up_to_its_capacity() -> None:
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


def test_misconfiguration_is_diagnosed_again_after_a_flood() -> None:
    installed = next(installed for installed in SIGNED if installed.name == "github")
    now = [0.0]
    allowance = Allowance(tick=lambda: now[0])
    genuine = installed.request()
    changed = json.dumps(json.loads(genuine.body), indent=1).encode()
    headers = {**genuine.headers, "content-length": str(len(changed))}
    honest = HttpRequest(body=changed, headers=headers)
    for _ in range(2_000):
        refuse(installed, forged(installed, 3_000), allowance)
    assert refuse(installed, honest, allowance).fault is Fault.SECRET
    now[0] = 600.0
    assert refuse(installed, honest, allowance).fault in {Fault.BODY, Fault.SECRET}
    assert (
        refuse(installed, replace(honest, body=genuine.body + b"\n", headers=genuine.headers), allowance).fault
        is Fault.BODY
    )
