"""Class D: Standard Webhooks and Svix. Several signatures, symmetric and asymmetric, in one header.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii

from translators.kit.schemes import StandardWebhooks
from webhooks.http.request import HttpRequest
from webhooks.signatures.asymmetric import is_signed_by, load_key
from webhooks.signatures.digest import text_bytes
from webhooks.signatures.presented import PresentedSignature, Unreadable, _signer, _template, timestamp


class StandardSignature:
    """A presented signature of class D; `matches(secret, body)` works as in `PresentedSignature`."""

    covers_body = True
    weight = 1
    is_shared = True

    def __init__(self, scheme: StandardWebhooks, request: HttpRequest) -> None:
        prefix = next((name for name in scheme.prefixes if f"{name}-signature" in request.headers), scheme.prefixes[0])
        id_, ts, signatures = (request.headers.get(f"{prefix}-{part}", "").strip() for part in _PARTS)
        if not (id_ and ts and signatures):
            raise Unreadable(f"The {prefix}-id, {prefix}-timestamp and {prefix}-signature headers are all required.",
                             missing=True)  # fmt: skip
        self.sent_at = timestamp(ts, "s", f"{prefix}-timestamp")
        self.body = request.body
        self._message = _template("{id}.{ts}.{body}", ts, id_)
        pairs = [pair.split(",", 1) for pair in signatures.split()[:16] if "," in pair]
        by_version = {version: [text for v, text in pairs if v == version] for version in scheme.accept}
        self._public = [raw for text in by_version.get("v1a", ()) if (raw := _raw(text)) is not None]
        shared = [text_bytes(text) for text in by_version.get("v1", ())]
        if not shared and not self._public:
            raise Unreadable(f"The {prefix}-signature header holds no {' or '.join(scheme.accept)} signature.")
        self._shared = PresentedSignature(
            shared, request.body, _signer("sha256", "base64", scheme.key, self._message), scheme.key, self.sent_at
        )

    def matches(self, secret: str, body: bytes | None = None) -> bool:
        """Return whether any signature is valid. A `whpk_` secret is a public key, any other a shared secret."""
        if secret.startswith("whpk_"):
            message = self._message(self.body if body is None else body)
            return any([is_signed_by(load_key(secret), "ed25519", raw, message) for raw in self._public])
        return self._shared.matches(secret, body)


_PARTS = ("id", "timestamp", "signature")


def _raw(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
