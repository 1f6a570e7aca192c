"""Our verifier agrees with Stripe's library, and is stricter only in refusing future timestamps."""

import contextlib
import time
from datetime import UTC, datetime
from unittest import mock

import stripe
from hypothesis import given
from hypothesis import strategies as st

from support.signature_vectors import STRIPE, sent
from webhooks.signatures import Fault, verify

SECRET = "whsec_test_secret"
SIGN = stripe.WebhookSignature._compute_signature


def stripe_accepts(body: bytes, header: str, now: int, secret: str = SECRET) -> bool:
    """Return whether Stripe's library accepts the header at this time."""
    with contextlib.suppress(stripe.SignatureVerificationError), mock.patch("time.time", return_value=now):
        return bool(stripe.WebhookSignature.verify_header(body.decode(), header, secret, tolerance=300))
    return False


@st.composite
def headers(draw: st.DrawFn, body: str, now: int) -> str:
    parts = []
    for _ in range(draw(st.integers(0, 5))):
        ts = now + draw(st.sampled_from([0, -299, -305, -10_000, 299, 305, 10_000]))
        signature = SIGN(f"{ts}.{body}", draw(st.sampled_from([SECRET, "other"])))
        parts.append(
            draw(
                st.sampled_from(
                    [
                        f"t={ts}",
                        f"t={now}",
                        f"v1={signature}",
                        f"v0={signature}",
                        f"v1={signature.upper()}",
                        "v1=",
                        "t=",
                        "t=abc",
                        "junk",
                        "v1",
                        f"v1={signature}=x",
                        f" v1={signature}",
                        f"t={ts},v1={signature}",
                    ]
                )
            )  # fmt: skip
        )
    return ",".join(parts)


@given(st.data(), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_verification_agrees_with_the_stripe_library(data: st.DataObject, body: str) -> None:
    now = int(time.time())
    header = data.draw(headers(body, now)).strip()  # as any HTTP server does
    request = sent(body.encode(), {"Stripe-Signature": header})
    verdict = verify(STRIPE, request, [SECRET], now=datetime.fromtimestamp(now, UTC))
    if verdict.ok:
        assert stripe_accepts(body.encode(), header, now)
    elif verdict.fault is not Fault.CLOCK and "=x" not in header and " v1" not in header:
        assert not stripe_accepts(body.encode(), header, now), verdict
    if verdict.fault is Fault.CLOCK and "behind" in verdict.reason:
        assert not stripe_accepts(body.encode(), header, now)


@given(st.binary(max_size=200), st.integers(0, 2**33))
def test_signature_of_the_stripe_library_verifies(body: bytes, at: int) -> None:
    text = body.decode("latin-1").encode()
    header = f"t={at},v1={SIGN(f'{at}.{text.decode()}', SECRET)}"
    assert verify(
        STRIPE, sent(text, {"Stripe-Signature": header}), ["x", SECRET], now=datetime.fromtimestamp(at, UTC)
    ).ok
    for moved in (-301, 301):
        late = datetime.fromtimestamp(max(at + moved, 0), UTC)
        if abs(late.timestamp() - at) > 300:
            assert verify(STRIPE, sent(text, {"Stripe-Signature": header}), [SECRET], now=late).fault is Fault.CLOCK


def test_stripe_v0_scheme_is_refused() -> None:
    signature = SIGN("1700000000.{}", SECRET)
    request = sent(b"{}", {"Stripe-Signature": f"t=1700000000,v0={signature}"})
    assert verify(STRIPE, request, [SECRET], now=datetime.fromtimestamp(1700000000, UTC)).fault is Fault.MALFORMED
