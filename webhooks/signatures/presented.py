"""The signatures that a request presents, read by its scheme, and how to compute the expected ones.

`PresentedSignature.expected` computes every valid signature of a body and a key. The verifier, the diagnosis and the
tests share this one definition of each scheme.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from translators.kit import Malformed, Payload, parse_json, raw_items
from translators.kit.members import readable_members
from translators.kit.schemes import HmacBody, HmacFields, HmacKvHeader, HmacRequest, HmacTimestamped, KeyForm
from webhooks.http.request import HttpRequest
from webhooks.signatures import urls
from webhooks.signatures.digest import digest, fill, key_bytes, plain_digest, seconds_of, text_bytes

_MARKS: Final = tuple(bytes([mark]) for mark in b'",:[]{}')
_MAX_MARKS: Final = 20_000
_MAX_SIGNATURES: Final = 16
_MAX_FIELDS: Final = 1000
"""Of a form whose fields are signed: sorting a megabyte of them takes seconds, before the sender is verified."""


class Unreadable(Exception):
    """The request has no signature (`missing`), or its signature cannot be read."""

    def __init__(self, reason: str, *, missing: bool = False, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing
        self.hint = hint


@dataclass(frozen=True, slots=True)
class PresentedSignature:
    """The presented signatures, the body they cover, and `expected(body, secret)`: every valid signature."""

    presented: Sequence[bytes]
    body: bytes
    expected: Callable[[bytes, str], Sequence[bytes]]
    key: KeyForm
    sent_at: float | None = None
    covers_body: bool = True
    weight: int = 1
    is_shared: bool = True

    def matches(self, secret: str, body: bytes | None = None) -> bool:
        """Return whether any presented signature is valid. Every pair is compared, each in constant time."""
        matches = False
        for expected in self.expected(self.body if body is None else body, secret):
            for presented in self.presented:
                matches |= hmac.compare_digest(expected, presented)
        return matches


def header(request: HttpRequest, name: str) -> str:
    """Return a required header. Raise `Unreadable` if it is missing."""
    value = request.headers.get(name.lower(), "").strip()
    if not value:
        raise Unreadable(
            f"The {name} header is missing.",
            missing=True,
            hint="Check that signing is enabled at the provider. A proxy may also drop the header.",
        )
    return value


def unprefixed(value: str, prefix: str, name: str) -> str:
    """Return a signature without its required prefix."""
    if not value.startswith(prefix):
        raise Unreadable(f"The {name} header does not begin with {prefix!r}.")
    return value.removeprefix(prefix)


def timestamp(text: str, form: Any, name: str) -> float:
    """Return the unix seconds of a header's or field's text."""
    seconds = seconds_of(text, form)
    if seconds is None:
        raise Unreadable(f"The timestamp in {name} cannot be read.")
    return seconds


def _signer(
    alg: str, encoding: str, key: KeyForm, message: Callable[[bytes], bytes]
) -> Callable[[bytes, str], Sequence[bytes]]:
    def expected(body: bytes, secret: str) -> Sequence[bytes]:
        raw_key = key_bytes(secret, key)
        return () if raw_key is None else (digest(raw_key, message(body), alg, encoding),)

    return expected


def of_body(scheme: HmacBody, request: HttpRequest) -> PresentedSignature:
    """Read class A: HMAC over the raw body."""
    presented = text_bytes(unprefixed(header(request, scheme.header), scheme.prefix, scheme.header))
    sent_at = None
    if scheme.ts_path is not None:
        sent_at = timestamp(_field(request.body, scheme.ts_path), scheme.ts_form, scheme.ts_path)
    expected = _signer(scheme.alg, scheme.encoding, scheme.key, lambda body: body)
    return PresentedSignature((presented,), request.body, expected, scheme.key, sent_at)


def of_timestamped(scheme: HmacTimestamped, request: HttpRequest) -> PresentedSignature:
    """Read class B: HMAC over a template, with the timestamp in a header of its own."""
    presented = text_bytes(unprefixed(header(request, scheme.header), scheme.prefix, scheme.header))
    ts = header(request, scheme.ts_header)
    sent_at = timestamp(ts, scheme.ts_form, scheme.ts_header)
    expected = _signer(scheme.alg, scheme.encoding, scheme.key, _template(scheme.template, ts))
    return PresentedSignature((presented,), request.body, expected, scheme.key, sent_at)


def of_kv_header(scheme: HmacKvHeader, request: HttpRequest) -> PresentedSignature:
    """Read class C: timestamp and signatures in one header."""
    parts = header(request, scheme.header).split(scheme.delimiter)
    ts, signatures = (parts[0], parts[1:]) if scheme.positional else _pairs(scheme, parts)
    sent_at = timestamp(ts, scheme.ts_form, scheme.header)
    if not signatures:
        raise Unreadable(f"The {scheme.header} header holds no {scheme.sig_key} signature.")
    expected = _signer(scheme.alg, scheme.encoding, "utf8", _template(scheme.template, ts))
    presented = [text_bytes(signature) for signature in signatures[:_MAX_SIGNATURES]]
    return PresentedSignature(presented, request.body, expected, "utf8", sent_at)


def _pairs(scheme: HmacKvHeader, parts: Sequence[str]) -> tuple[str, list[str]]:
    """Return the first timestamp and every signature of parts such as `t=1` and `v1=ab`."""
    ts, signatures = None, []
    for part in parts:
        name, separator, value = part.partition("=")
        if name == scheme.sig_key and separator:
            signatures.append(value)
        elif name == scheme.ts_key and separator:
            ts = value if ts is None else ts
        elif name in (scheme.ts_key, scheme.sig_key):
            raise Unreadable(f"The {scheme.header} header holds a part without a value.")
    return ts or "", signatures


def _template(template: str, ts: str, id_: str = "") -> Callable[[bytes], bytes]:
    head, tail = _around_body(template)
    values = {"ts": text_bytes(ts), "id": text_bytes(id_)}
    before, after = fill(head, values.__getitem__), fill(tail, values.__getitem__) if tail else b""
    return lambda body: before + body + after


@lru_cache(maxsize=256)
def _around_body(template: str) -> tuple[str, str]:
    head, _, tail = template.partition("{body}")
    return head, tail


def _field(body: bytes, path: str) -> str:
    """Return a scalar of the body as the signed text; empty if it is missing."""
    try:
        payload = payload_of(body)
    except Malformed:
        raise Unreadable("The body, which holds signed fields, is not JSON.") from None
    return scalar(payload, path)


def payload_of(body: bytes) -> Payload:
    """Return the body. If it is not valid JSON, return its valid members, so that a signed body is kept."""
    try:
        return Payload(parse_json(body))
    except Malformed:
        if _is_expensive(body):
            raise
        return readable_members(body)


def _is_expensive(body: bytes) -> bool:
    """Return whether a search for valid members would take long; the sender is not verified yet."""
    return sum(body.count(mark) for mark in _MARKS) > _MAX_MARKS


def scalar(payload: Payload, path: str) -> str:
    """Return a text or whole number of a payload. Booleans, objects and fractions are never signed."""
    value = payload.get(path)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable(f"The signed field {path} is neither text nor a whole number.")
    return str(value)


class RequestSignature:
    """Class E: a signature that covers the URL. `matches(secret, body)` works as in `PresentedSignature`."""

    covers_body = True
    is_shared = True

    def __init__(self, scheme: HmacRequest, request: HttpRequest, public_url: str) -> None:
        self._presented = text_bytes(header(request, scheme.header))
        self._ts = header(request, scheme.ts_header) if scheme.ts_header else ""
        self.sent_at = timestamp(self._ts, scheme.ts_form, scheme.ts_header or "") if self._ts else None
        self._scheme = scheme
        self._method = request.method.encode()
        self.body = request.body
        is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() in {
            "application/x-www-form-urlencoded", "",
        }  # fmt: skip
        if scheme.body_hash_param and not is_form:
            presented = request.query.get(scheme.body_hash_param, "")
            expected = hashlib.sha256(request.body).hexdigest()
            if not hmac.compare_digest(text_bytes(presented.lower()), expected.encode()):
                raise Unreadable(f"The {scheme.body_hash_param} parameter is not the hash of this body.")
        self.urls = urls.accepted(scheme, request, public_url) if "url" in scheme.parts else [""]
        self._with_form = is_form and "form" in scheme.parts
        if self._with_form and request.body.count(b"&") >= _MAX_FIELDS:
            raise Unreadable(f"The form has more than {_MAX_FIELDS} fields.")
        self._form: tuple[bytes, bytes] | None = None

    @property
    def weight(self) -> int:
        """Return how many times `matches` hashes a body for each secret."""
        return len(self.urls)

    def expected(self, body: bytes, secret: str) -> list[bytes]:
        """Return every valid signature."""
        return [self._digest(body, secret, url) for url in self.urls]

    def matches(self, secret: str, body: bytes | None = None) -> bool:
        """Return whether the presented signature is valid for any spelling of the URL. Compare in constant time."""
        matches = False
        for expected in self.expected(self.body if body is None else body, secret):
            matches |= hmac.compare_digest(expected, self._presented)
        return matches

    def matches_url(self, secret: str, url: str) -> bool:
        """Return whether the presented signature is valid for another URL."""
        return hmac.compare_digest(self._digest(self.body, secret, url), self._presented)

    def _digest(self, body: bytes, secret: str, url: str) -> bytes:
        scheme = self._scheme
        values = {
            "method": self._method, "url": text_bytes(url), "body": body, "ts": text_bytes(self._ts),
            "secret": secret.encode(), "form": self._fields(body),
        }  # fmt: skip
        message = b"".join(values[part] for part in scheme.parts)
        if scheme.plain:
            return plain_digest(message, scheme.alg, scheme.encoding)
        return digest(secret.encode(), message, scheme.alg, scheme.encoding)

    def _fields(self, body: bytes) -> bytes:
        """Return the form as it is signed; read it once for each body."""
        if not self._with_form:
            return b""
        if self._form is None or self._form[0] is not body:
            self._form = (body, _form(body))
        return self._form[1]


def _form(body: bytes) -> bytes:
    """Return every field by name with its distinct values in order, without separators, as Twilio signs them."""
    fields: dict[str, set[str]] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        fields.setdefault(name, set()).add(value)
    return "".join(name + value for name in sorted(fields) for value in sorted(fields[name])).encode()


def of_fields(scheme: HmacFields, request: HttpRequest) -> list[PresentedSignature]:
    """Read class F: a signature in the body, over fields of the body. Return one signature for each item."""
    try:
        items = [payload_of(request.body)] if scheme.items is None else _items(request.body, scheme.items)
    except Malformed as error:
        raise Unreadable(f"The body, which holds the signature, is wrong: {error}.") from None
    if not items:
        raise Unreadable("The body holds no signed item.", missing=True)
    return [_item(scheme, item) for item in items]


def _items(body: bytes, path: str) -> list[Payload]:
    """Return the items that carry a signature. Any other item is not an object: it is stored, but not read."""
    try:
        items = list(Payload(parse_json(body)).each(path))
    except Malformed:
        if _is_expensive(body):
            raise
        items = []
        for number, raw in enumerate(raw_items(body, *path.split("."))):
            with suppress(Malformed):
                items.append(Payload(parse_json(raw), f"$.{path}[{number}]"))
    return [item for item in items if isinstance(item.value, dict)]


def _item(scheme: HmacFields, item: Payload) -> PresentedSignature:
    presented = scalar(item, scheme.sig_path)
    if not presented:
        raise Unreadable(f"An item carries no {scheme.sig_path}.", missing=True)
    message = scheme.join.join(scalar(item, path) for path in scheme.fields).encode("utf-8", "replace")
    sent_at = timestamp(scalar(item, scheme.ts_path), scheme.ts_form, scheme.ts_path) if scheme.ts_path else None
    expected = _signer(scheme.alg, scheme.encoding, scheme.key, lambda _: message)
    return PresentedSignature((text_bytes(presented),), b"", expected, scheme.key, sent_at, covers_body=False)


def crc32(body: bytes) -> bytes:
    """Return the unsigned decimal CRC-32 that PayPal signs."""
    return str(zlib.crc32(body)).encode()
