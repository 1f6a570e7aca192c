"""What a request claims, read off by its scheme: the signatures presented, and how to make what they should be.

A claim makes every signature that would be right for a body and a key, so that the verifier, the diagnosis and the
tests share one account of each scheme.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from translators.kit import Malformed, Payload, parse_json, raw_items
from translators.kit.members import readable_members
from translators.kit.schemes import HmacBody, HmacFields, HmacKvHeader, HmacRequest, HmacTimestamped, KeyForm
from webhooks.signatures import urls
from webhooks.signatures.digest import digest, fill, key_bytes, plain_digest, seconds_of, text_bytes
from webhooks.signatures.model import Request

_MARKS: Final = tuple(bytes([mark]) for mark in b'",:[]{}')
_MOST_MARKS: Final = 20_000
_MOST_SIGNATURES: Final = 16
_MOST_FIELDS: Final = 1000
"""Of a form that is signed by its fields: to sort a megabyte of them takes seconds, before anything is proven."""


class Unreadable(Exception):
    """The request carries no signature, or one that cannot be read. `missing` tells which."""

    def __init__(self, reason: str, *, missing: bool = False, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing
        self.hint = hint


@dataclass(frozen=True, slots=True)
class PresentedSignature:
    """Signatures presented, the body they are over, and `right(body, secret)`: each text that would be right."""

    presented: Sequence[bytes]
    body: bytes
    right: Callable[[bytes, str], Sequence[bytes]]
    key: KeyForm
    sent_at: float | None = None
    covers_body: bool = True
    weight: int = 1
    is_shared: bool = True

    def holds(self, secret: str, body: bytes | None = None) -> bool:
        """Whether any presented signature is right. Compares every pair, each in constant time."""
        found = False
        for right in self.right(self.body if body is None else body, secret):
            for presented in self.presented:
                found |= hmac.compare_digest(right, presented)
        return found


def header(request: Request, name: str) -> str:
    """A header that must be there."""
    value = request.headers.get(name.lower(), "").strip()
    if not value:
        raise Unreadable(
            f"The {name} header is missing.",
            missing=True,
            hint="Is this the provider, and is signing switched on there? A proxy may also drop the header.",
        )
    return value


def unprefixed(value: str, prefix: str, name: str) -> str:
    """A signature without its prefix, which must be there."""
    if not value.startswith(prefix):
        raise Unreadable(f"The {name} header does not begin with {prefix!r}.")
    return value.removeprefix(prefix)


def timestamp(text: str, form: Any, name: str) -> float:
    """Unix seconds of a header's or field's text."""
    seconds = seconds_of(text, form)
    if seconds is None:
        raise Unreadable(f"The timestamp in {name} cannot be read.")
    return seconds


def _signer(
    alg: str, encoding: str, key: KeyForm, message: Callable[[bytes], bytes]
) -> Callable[[bytes, str], Sequence[bytes]]:
    def right(body: bytes, secret: str) -> Sequence[bytes]:
        made = key_bytes(secret, key)
        return () if made is None else (digest(made, message(body), alg, encoding),)

    return right


def of_body(scheme: HmacBody, request: Request) -> PresentedSignature:
    """A. HMAC over the raw body."""
    presented = text_bytes(unprefixed(header(request, scheme.header), scheme.prefix, scheme.header))
    sent_at = None
    if scheme.ts_path is not None:
        sent_at = timestamp(_field(request.body, scheme.ts_path), scheme.ts_form, scheme.ts_path)
    right = _signer(scheme.alg, scheme.encoding, scheme.key, lambda body: body)
    return PresentedSignature((presented,), request.body, right, scheme.key, sent_at)


def of_timestamped(scheme: HmacTimestamped, request: Request) -> PresentedSignature:
    """B. HMAC over a template, its timestamp in a header of its own."""
    presented = text_bytes(unprefixed(header(request, scheme.header), scheme.prefix, scheme.header))
    ts = header(request, scheme.ts_header)
    sent_at = timestamp(ts, scheme.ts_form, scheme.ts_header)
    right = _signer(scheme.alg, scheme.encoding, scheme.key, _template(scheme.template, ts))
    return PresentedSignature((presented,), request.body, right, scheme.key, sent_at)


def of_kv_header(scheme: HmacKvHeader, request: Request) -> PresentedSignature:
    """C. Timestamp and signatures in one header."""
    parts = header(request, scheme.header).split(scheme.delimiter)
    if scheme.positional:
        ts, signatures = parts[0], parts[1:]
    else:
        if scheme.ts_key in parts or scheme.sig_key in parts:
            raise Unreadable(f"The {scheme.header} header holds a part without a value.")
        pairs = [part.split("=", 1) for part in parts if "=" in part]
        ts = next((pair[1] for pair in pairs if pair[0] == scheme.ts_key), "")
        signatures = [pair[1] for pair in pairs if pair[0] == scheme.sig_key]
    sent_at = timestamp(ts, scheme.ts_form, scheme.header)
    if not signatures:
        raise Unreadable(f"The {scheme.header} header holds no {scheme.sig_key} signature.")
    right = _signer(scheme.alg, scheme.encoding, "utf8", _template(scheme.template, ts))
    presented = [text_bytes(signature) for signature in signatures[:_MOST_SIGNATURES]]
    return PresentedSignature(presented, request.body, right, "utf8", sent_at)


def _template(template: str, ts: str, id_: str = "") -> Callable[[bytes], bytes]:
    head, _, tail = template.partition("{body}")
    values = {"ts": text_bytes(ts), "id": text_bytes(id_)}
    before, after = fill(head, values.__getitem__), fill(tail, values.__getitem__)
    return lambda body: before + body + after


def _field(body: bytes, path: str) -> str:
    """A scalar of the body as the text that is signed; a missing one is empty."""
    try:
        payload = payload_of(body)
    except Malformed:
        raise Unreadable("The body, which holds signed fields, is not JSON.") from None
    return scalar(payload, path)


def payload_of(body: bytes) -> Payload:
    """The body; if it is no JSON, those of its members that are, so that it is kept if its signature is right."""
    try:
        return Payload(parse_json(body))
    except Malformed:
        if _is_dear(body):
            raise
        return readable_members(body)


def _is_dear(body: bytes) -> bool:
    """Whether it would take long to look for what can be read, which nobody has proven yet to be worth it."""
    return sum(body.count(mark) for mark in _MARKS) > _MOST_MARKS


def scalar(payload: Payload, path: str) -> str:
    """A text or whole number of a payload; true and false, objects and fractions are never signed."""
    value = payload.get(path)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable(f"The signed field {path} is neither text nor a whole number.")
    return str(value)


class RequestClaim:
    """E. A signature that covers the URL; `holds(secret, body)` as a claim's does, and `holds_for(secret, url)`."""

    covers_body = True
    is_shared = True

    def __init__(self, scheme: HmacRequest, request: Request) -> None:
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
        self.urls = urls.accepted(scheme, request) if "url" in scheme.parts else [""]
        self._with_form = is_form and "form" in scheme.parts
        if self._with_form and request.body.count(b"&") >= _MOST_FIELDS:
            raise Unreadable(f"The form has more than {_MOST_FIELDS} fields.")
        self._form: tuple[bytes, bytes] | None = None

    @property
    def weight(self) -> int:
        """How many times `holds` hashes a body for each secret."""
        return len(self.urls)

    def right(self, body: bytes, secret: str) -> list[bytes]:
        """Return each signature that would be right."""
        return [self._digest(body, secret, url) for url in self.urls]

    def holds(self, secret: str, body: bytes | None = None) -> bool:
        """Whether the presented signature is right. Compares with every spelling of the URL, in constant time."""
        matches = False
        for right in self.right(self.body if body is None else body, secret):
            matches |= hmac.compare_digest(right, self._presented)
        return matches

    def holds_for(self, secret: str, url: str) -> bool:
        """Whether the presented signature is right for another URL."""
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
        """The form as it is signed; read once for each body."""
        if not self._with_form:
            return b""
        if self._form is None or self._form[0] is not body:
            self._form = (body, _form(body))
        return self._form[1]


def _form(body: bytes) -> bytes:
    """Every field by name with its distinct values in order, nothing between them, as Twilio signs them."""
    fields: dict[str, set[str]] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        fields.setdefault(name, set()).add(value)
    return "".join(name + value for name in sorted(fields) for value in sorted(fields[name])).encode()


def of_fields(scheme: HmacFields, request: Request) -> list[PresentedSignature]:
    """F. A signature in the body, over fields of the body; one claim for each item, and none is a fault."""
    try:
        items = [payload_of(request.body)] if scheme.items is None else _items(request.body, scheme.items)
    except Malformed as error:
        raise Unreadable(f"The body, which holds the signature, is wrong: {error}.") from None
    if not items:
        raise Unreadable("The body holds no signed item.", missing=True)
    return [_item(scheme, item) for item in items]


def _items(body: bytes, path: str) -> list[Payload]:
    """The items that carry a signature. One that is no object carries none: it is kept, and no translator reads it."""
    try:
        items = list(Payload(parse_json(body)).each(path))
    except Malformed:
        if _is_dear(body):
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
    right = _signer(scheme.alg, scheme.encoding, scheme.key, lambda _: message)
    return PresentedSignature((text_bytes(presented),), b"", right, scheme.key, sent_at, covers_body=False)


def crc32(body: bytes) -> bytes:
    """The unsigned decimal CRC-32 that PayPal signs."""
    return str(zlib.crc32(body)).encode()
