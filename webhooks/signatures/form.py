"""Whether a secret has the form that its scheme needs, before any webhook comes."""

from __future__ import annotations

from translators.kit.schemes import PublicKey, Scheme, SharedToken
from webhooks.signatures.asymmetric import load_key
from webhooks.signatures.digest import key_bytes


def secret_format_error(scheme: Scheme, secret: str) -> str:
    """The form that it should have and has not; empty where it may be right."""
    if isinstance(scheme, PublicKey):
        wanted = "" if scheme.cert_url_header or load_key(secret) is not None else "a public key"
    elif isinstance(scheme, SharedToken):
        wanted = "user:password" if scheme.where == "basic" and ":" not in secret else ""
    else:
        form = getattr(scheme, "key", "utf8")
        wanted = "" if key_bytes(secret, form) is not None else {"hex": "hexadecimal"}.get(form, form)
    return wanted
