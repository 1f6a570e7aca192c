"""Class G and the Ed25519 part of class D: signatures that a public key verifies."""

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
from webhooks.http.request import HttpRequest
from webhooks.signatures.digest import fill, text_bytes
from webhooks.signatures.presented import Unreadable, crc32, header, timestamp

_ARMOUR: Final = re.compile(r"-----[A-Z ]+-----")
_PLAIN_URL: Final = re.compile(r"[A-Za-z0-9:/._~-]{1,2048}")
_HASH: Final = hashes.SHA256


@lru_cache(maxsize=256)
def load_key(secret: str) -> PublicKeyTypes | None:
    """Return a public key: PEM, or base64 of SPKI with or without armour of any label, or 32 raw Ed25519 bytes.

    Freshchat shows an SPKI under an `RSA PUBLIC KEY` label, on one line, so the label is ignored.
    """
    text = "".join(_ARMOUR.sub("", secret).split()).removeprefix("whpk_")
    try:
        raw = base64.b64decode(text, validate=True)
        if len(raw) == 32:
            return ed25519.Ed25519PublicKey.from_public_bytes(raw)
        return serialization.load_der_public_key(raw)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return None


def is_signed_by(key: PublicKeyTypes | None, kind: str, signature: bytes, message: bytes) -> bool:
    """Return whether the key has this kind and signed the message."""
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


class PublicKeySignature:
    """A presented signature of class G; `matches(secret, body)` works as in `PresentedSignature`."""

    covers_body = True
    weight = 1
    is_shared = False

    def __init__(
        self, scheme: PublicKey, request: HttpRequest, *, now: datetime, fetch: Callable[[str], bytes] | None
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
        self._certificate_key: PublicKeyTypes | None = None
        if scheme.cert_url_header is not None:
            url = header(request, scheme.cert_url_header)
            self._certificate_key = _certificate(scheme, url, now, fetch)
        self.body = request.body

    def matches(self, secret: str, body: bytes | None = None) -> bool:
        """Return whether the signature matches this body and public key (or, with a certificate, this webhook id)."""
        signed_body = self.body if body is None else body
        values = {**self._texts, "secret": text_bytes(secret), "body": signed_body}
        message = fill(self._scheme.template, lambda name: crc32(signed_body) if name == "crc32" else values[name])
        key = self._certificate_key if self._scheme.cert_url_header is not None else load_key(secret)
        return is_signed_by(key, self._scheme.kind, self._signature, message)


def _certificate(
    scheme: PublicKey, url: str, now: datetime, fetch: Callable[[str], bytes] | None
) -> PublicKeyTypes | None:
    """Return the key of the certificate at a URL, if its scheme, host and path are the provider's."""
    foreign = Unreadable(f"The {scheme.cert_url_header} header names a URL that is not the provider's.")
    try:
        parts = urlsplit(url)
        is_foreign = parts.scheme != "https" or parts.port not in {None, 443} or bool(parts.query or parts.fragment)
    except ValueError:
        raise foreign from None
    is_foreign = is_foreign or parts.netloc.removesuffix(":443").lower() not in scheme.cert_hosts
    is_foreign = is_foreign or not parts.path.startswith(scheme.cert_path) or ".." in parts.path
    if is_foreign or not _PLAIN_URL.fullmatch(url):
        raise foreign
    if fetch is None:
        raise Unreadable("The provider's certificate cannot be fetched by this command.")
    try:
        certificate = x509.load_pem_x509_certificate(fetch(url))
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Unreadable("The certificate's URL returned no certificate.") from None
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Unreadable("The provider's certificate is not valid now, or this machine's clock is wrong.")
    return key
