"""Keys, digests, timestamps and templates: the parts that every scheme uses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from translators.kit import from_iso
from translators.kit.schemes import KeyForm, TimeForm

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_DIGITS: Final = frozenset("0123456789")
_MS_FROM: Final = 100_000_000_000


@lru_cache(maxsize=1024)
def key_bytes(secret: str, form: KeyForm) -> bytes | None:
    """Return the key as bytes, or None if the secret does not have this form. `whsec_` is not part of a base64 key."""
    if form == "utf8":
        return secret.encode()
    try:
        if form == "hex":
            return bytes.fromhex(secret)
        text = secret.removeprefix("whsec_").removeprefix("whpk_")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or None
    except (ValueError, binascii.Error):
        return None


def digest(key: bytes, message: bytes, alg: str, encoding: str) -> bytes:
    """The HMAC as the text that travels."""
    raw = hmac.digest(key, message, alg)
    return raw.hex().encode() if encoding == "hex" else base64.b64encode(raw)


def plain_digest(message: bytes, alg: str, encoding: str) -> bytes:
    """Return a hash without a key, as the text that is sent."""
    raw = hashlib.new(alg, message).digest()
    return raw.hex().encode() if encoding == "hex" else base64.b64encode(raw)


def text_bytes(text: str) -> bytes:
    """Return a header's text as bytes. Never raise."""
    return text.encode("utf-8", "surrogatepass")


def seconds_of(text: str, form: TimeForm) -> float | None:
    """Return a timestamp's text as unix seconds, or None if it cannot be read."""
    if form == "iso":
        try:
            return from_iso(text).timestamp()
        except (ValueError, OverflowError):
            return None
    if not text or len(text) > 20 or not _DIGITS.issuperset(text):
        return None
    number = int(text)
    return number / 1000 if form == "ms" or (form == "auto" and number > _MS_FROM) else float(number)


def text_of(moment: datetime, form: TimeForm) -> str:
    """Return a timestamp as a provider writes it."""
    if form == "iso":
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(int(moment.timestamp() * 1000)) if form == "ms" else str(int(moment.timestamp()))


@lru_cache(maxsize=256)
def _parts(template: str) -> tuple[tuple[bytes, str], ...]:
    """Return each text of a template with the name that follows it, empty at the end."""
    parts = [*_PLACEHOLDER.split(template), ""]
    return tuple((text.encode(), name) for text, name in zip(parts[::2], parts[1::2], strict=True))


def fill(template: str, values: Callable[[str], bytes]) -> bytes:
    """Fill a template such as `{ts}.{body}`, and return bytes."""
    filled = b""
    for text, name in _parts(template):
        filled += text + values(name) if name else text
    return filled
