"""G and the Ed25519 half of D: signatures by a public key."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from translators.kit.schemes import PublicKey
from webhooks.signatures.digest import fill, text_bytes
from webhooks.signatures.model import Request
from webhooks.signatures.presented import Unreadable, crc32, header, timestamp

_ARMOUR: Final = re.compile(r"-----[A-Z ]+-----")
_PLAIN_URL: Final = re.compile(r"[A-Za-z0-9:/._~-]{1,2048}")
_HASH: Final = hashes.SHA256


@lru_cache(maxsize=256)
def load_key(secret: str) -> PublicKeyTypes | None:
    """A public key: PEM, or base64 of SPKI with or without armour of any label, or 32 raw Ed25519 bytes.

    Freshchat shows an SPKI under an `RSA PUBLIC KEY` label, on one line: the label is not believed.
    """
    text = "".join(_ARMOUR.sub("", secret).split()).removeprefix("whpk_")
    try:
        raw = base64.b64decode(text, validate=True)
        if len(raw) == 32:
            return ed25519.Ed25519PublicKey.from_public_bytes(raw)
        return serialization.load_der_public_key(raw)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return None


def fits(key: PublicKeyTypes | None, kind: str, signature: bytes, message: bytes) -> bool:
    """Whether the key is of the kind and signed the message."""
    try:
        if kind == "ed25519" and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif (
            kind == "ecdsa-p256-sha256"
            and isinstance(key, ec.EllipticCurvePublicKey)
            and isinstance(key.curve, ec.SECP256R1)
        ):
            key.verify(signature, message, ec.ECDSA(_HASH()))
        elif kind == "rsa-pkcs1v15-sha256" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), _HASH())
        else:
            return False
    except InvalidSignature:
        return False
    return True


class SignedMessage:
    """What a request of class G presents; `holds(secret, body)` as a claim's does."""

    covers_body = True
    weight = 1
    is_shared = False

    def __init__(
        self, scheme: PublicKey, request: Request, *, now: datetime, fetch: Callable[[str], bytes] | None
    ) -> None:
        presented = header(request, scheme.header)
        try:
            self._signature = base64.b64decode(presented, validate=True)
        except (ValueError, binascii.Error):
            raise Unreadable(f"The {scheme.header} header is not base64.") from None
        ts = header(request, scheme.ts_header) if scheme.ts_header else ""
        self.sent_at = timestamp(ts, scheme.ts_form, scheme.ts_header or "") if ts else None
        id_ = header(request, scheme.id_header) if scheme.id_header else ""
        self._texts = {"ts": text_bytes(ts), "id": text_bytes(id_)}
        self._scheme = scheme
        self._certified: PublicKeyTypes | None = None
        if scheme.cert_url_header is not None:
            url = header(request, scheme.cert_url_header)
            self._certified = _certificate(scheme, url, now, fetch)
        self.body = request.body

    def holds(self, secret: str, body: bytes | None = None) -> bool:
        """Whether the signature is right for this body and this public key (or, with a certificate, this id)."""
        over = self.body if body is None else body
        values = {**self._texts, "secret": text_bytes(secret), "body": over}
        message = fill(self._scheme.template, lambda name: crc32(over) if name == "crc32" else values[name])
        key = self._certified if self._scheme.cert_url_header is not None else load_key(secret)
        return fits(key, self._scheme.kind, self._signature, message)


def _certificate(
    scheme: PublicKey, url: str, now: datetime, fetch: Callable[[str], bytes] | None
) -> PublicKeyTypes | None:
    """The key of the certificate at a URL whose scheme, host and path are the provider's own."""
    pinned = Unreadable(f"The {scheme.cert_url_header} header names a place that is not the provider's.")
    try:
        parts = urlsplit(url)
        strange = parts.scheme != "https" or parts.port not in {None, 443} or bool(parts.query or parts.fragment)
    except ValueError:
        raise pinned from None
    strange = strange or parts.netloc.removesuffix(":443").lower() not in scheme.cert_hosts
    strange = strange or not parts.path.startswith(scheme.cert_path) or ".." in parts.path
    if strange or not _PLAIN_URL.fullmatch(url):
        raise pinned
    if fetch is None:
        raise Unreadable("The provider's certificate cannot be fetched here.")
    try:
        certificate = x509.load_pem_x509_certificate(fetch(url))
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Unreadable("There is no certificate at the certificate's URL.") from None
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Unreadable("The provider's certificate is out of date, or this machine's clock is wrong.")
    return key
