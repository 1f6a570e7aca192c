"""Check that a secret has the form that its scheme needs, before any webhook arrives."""

from __future__ import annotations

from translators.kit.schemes import PublicKey, Scheme, SharedToken
from webhooks.signatures.asymmetric import load_key
from webhooks.signatures.digest import key_bytes


def secret_format_error(scheme: Scheme, secret: str) -> str:
    """Return the form that the secret should have; empty if it may be right."""
    if isinstance(scheme, PublicKey):
        expected = "" if scheme.cert_url_header or load_key(secret) is not None else "a public key"
    elif isinstance(scheme, SharedToken):
        expected = "user:password" if scheme.where == "basic" and ":" not in secret else ""
    else:
        form = getattr(scheme, "key", "utf8")
        expected = "" if key_bytes(secret, form) is not None else {"hex": "hexadecimal"}.get(form, form)
    return expected
