"""A secret of the wrong form is detected before any webhook arrives."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from translators.kit import HmacBody, HmacRequest, PublicKey, Scheme, SharedToken, StandardWebhooks
from webhooks.signatures import secret_format_error
from webhooks.sources import plugins

PEM = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()  # fmt: skip
HEX = HmacBody(header="X", key="hex")
KEY = PublicKey(kind="ed25519", header="X")
BY_CERTIFICATE = PublicKey(
    kind="rsa-pkcs1v15-sha256", header="X", cert_url_header="Y", cert_hosts=("h",), cert_path="/"
)


@pytest.mark.parametrize(
    ("scheme", "secret", "expected"),
    [
        (HmacBody(header="X"), "anything at all", ""),
        (HEX, "ab" * 32, ""),
        (HEX, "whsec_x", "hexadecimal"),
        (StandardWebhooks(), "whsec_QUFBQUFB", ""),
        (StandardWebhooks(), "not base64!", "base64"),
        (HmacRequest(header="X", parts=("url", "body")), "anything", ""),
        (KEY, PEM, ""),
        (KEY, "whsec_x", "a public key"),
        (BY_CERTIFICATE, "a webhook's id", ""),
        (SharedToken(where="basic"), "user:password", ""),
        (SharedToken(where="basic"), "password", "user:password"),
        (SharedToken(where="header", name="X"), "token", ""),
    ],
)
def test_secret_format_error_names_the_expected_form(scheme: Scheme, secret: str, expected: str) -> None:
    assert secret_format_error(scheme, secret) == expected


def test_every_installed_scheme_accepts_some_usual_secret() -> None:
    usual = ("user:a_secret_of_tests", "ab" * 32, "whsec_" + "QUFB" * 8, PEM)
    for source in plugins.load().sources.values():
        for name, scheme in source.schemes.items():
            assert any(not secret_format_error(scheme, secret) for secret in usual), f"{source.name} {name}"
