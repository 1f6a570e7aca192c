"""Sign a payload as its provider does: for `segue send`, the demo and the tests."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from translators.kit.schemes import (
    HmacBody,
    HmacFields,
    HmacKvHeader,
    HmacRequest,
    HmacTimestamped,
    PublicKey,
    Scheme,
    SharedToken,
    StandardWebhooks,
)  # fmt: skip
from webhooks.errors import SegueError
from webhooks.http.request import HttpRequest, lower_names
from webhooks.signatures import presented
from webhooks.signatures.digest import digest, fill, key_bytes, text_of
from webhooks.signatures.presented import crc32


class CannotSign(SegueError):
    """The secret or body does not have the form that this scheme needs."""


def sign(
    scheme: Scheme, *, body: bytes, secret: str, now: datetime, method: str = "POST", url: str = "",
    content_type: str = "application/json", id_: str = "msg_1", configured: str = "",
) -> HttpRequest:  # fmt: skip
    """Return a request that `verify` accepts: the body (which may contain the signature), and what signs it.

    `url` is the registered URL, for a scheme that signs it. For a public-key scheme the secret is the private key as
    PEM. `configured` is the endpoint's secret if it is signed too (PayPal's webhook id).
    """
    signed = _signed(scheme, body, secret, now, method, url, content_type, id_, configured)
    return replace(signed, method=method, headers=lower_names(signed.headers))


def _signed(
    scheme: Scheme, body: bytes, secret: str, now: datetime, method: str, url: str, content_type: str, id_: str,
    configured: str,
) -> HttpRequest:  # fmt: skip
    match scheme:
        case HmacBody():
            body = body if scheme.ts_path is None else _stamped(body, scheme.ts_path, text_of(now, scheme.ts_form))
            signature = digest(_key(scheme.key, secret), body, scheme.alg, scheme.encoding).decode()
            return HttpRequest(body=body, headers={scheme.header: scheme.prefix + signature})
        case HmacTimestamped():
            ts = text_of(now, scheme.ts_form)
            signature = digest(
                _key(scheme.key, secret), _fill(scheme.template, ts, body), scheme.alg, scheme.encoding
            ).decode()
            return HttpRequest(body=body, headers={scheme.header: scheme.prefix + signature, scheme.ts_header: ts})
        case HmacKvHeader():
            ts = text_of(now, scheme.ts_form)
            signature = digest(secret.encode(), _fill(scheme.template, ts, body), scheme.alg, scheme.encoding).decode()
            parts = (ts, signature) if scheme.positional else (f"{scheme.ts_key}={ts}", f"{scheme.sig_key}={signature}")
            return HttpRequest(body=body, headers={scheme.header: scheme.delimiter.join(parts)})
        case StandardWebhooks():
            ts, prefix = text_of(now, "s"), scheme.prefixes[0]
            message = _fill("{id}.{ts}.{body}", ts, body, id_)
            signature = digest(_key(scheme.key, secret), message, "sha256", "base64").decode()
            headers = {f"{prefix}-id": id_, f"{prefix}-timestamp": ts, f"{prefix}-signature": f"v1,{signature}"}
            return HttpRequest(body=body, headers=headers)
        case HmacRequest():
            return _request(scheme, body, secret, now, method, url, content_type)
        case HmacFields():
            return HttpRequest(body=_fields(scheme, body, secret, now))
        case PublicKey():
            return _public(scheme, body, secret, now, id_, configured)
    return _token(scheme, body, secret)


def _key(form: Any, secret: str) -> bytes:
    key = key_bytes(secret, form)
    if key is None:
        raise CannotSign(f"the secret is not {form}", hint="Copy it again from the provider's console.")
    return key


def _fill(template: str, ts: str, body: bytes, id_: str = "") -> bytes:
    return fill(template, {"ts": ts.encode(), "body": body, "id": id_.encode()}.__getitem__)


def _request(
    scheme: HmacRequest, body: bytes, secret: str, now: datetime, method: str, url: str, content_type: str
) -> HttpRequest:
    headers = {scheme.header: "-"}
    query = {}
    if scheme.ts_header:
        headers[scheme.ts_header] = text_of(now, scheme.ts_form)
    if scheme.body_hash_param and "json" in content_type:
        query[scheme.body_hash_param] = hashlib.sha256(body).hexdigest()
        url += ("&" if "?" in url else "?") + f"{scheme.body_hash_param}={query[scheme.body_hash_param]}"
    lower = {**lower_names(headers), "content-type": content_type}
    request = HttpRequest(body=body, headers=lower, method=method, query=query)
    headers[scheme.header] = presented.RequestSignature(scheme, request, url).expected(body, secret)[0].decode()
    return HttpRequest(body=body, headers=headers, query=query)


def _stamped(body: bytes, path: str, ts: str) -> bytes:
    """Return the body with the current time: a saved payload holds the signed time of its first delivery."""
    try:
        payload = json.loads(body)
        _put(payload, path, int(ts) if ts.isdecimal() else ts)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise CannotSign(
            f"the time of sending is in the JSON body, at {path}, but this body is not an object"
        ) from None
    return json.dumps(payload).encode()


def _fields(scheme: HmacFields, body: bytes, secret: str, now: datetime) -> bytes:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise CannotSign("the signature is in the JSON body, but this body is not JSON") from None
    try:
        items = [payload] if scheme.items is None else list(_at(payload, scheme.items))
    except (KeyError, TypeError, IndexError):
        raise CannotSign(f"each item of {scheme.items} carries a signature, but this body has no such list") from None
    for item in items:
        if scheme.ts_path is not None:
            _put(item, scheme.ts_path, text_of(now, scheme.ts_form))
        if scheme.token_path is not None:
            _put(item, scheme.token_path, hashlib.sha256(body + now.isoformat().encode()).hexdigest()[:50])
        _put(item, scheme.sig_path, "-")
        wrapped = replace(scheme, items=None)
        request = HttpRequest(body=json.dumps(item).encode(), headers={})
        _put(item, scheme.sig_path, presented.of_fields(wrapped, request)[0].expected(b"", secret)[0].decode())
    return json.dumps(payload).encode()


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[step]
    return value


def _put(value: Any, path: str, member: str | int) -> None:
    *steps, last = path.split(".")
    for step in steps:
        value = value.setdefault(step, {})
    value[last] = member


def _public(scheme: PublicKey, body: bytes, secret: str, now: datetime, id_: str, configured: str) -> HttpRequest:
    try:
        key = serialization.load_pem_private_key(secret.encode(), None)
    except ValueError:
        raise CannotSign(
            f"{scheme.header} is made with the provider's private key, which only the provider has",
            hint="To try this endpoint, give --secret a private key (PEM) and configure its public half.",
        ) from None
    ts = text_of(now, scheme.ts_form)
    values = {"ts": ts.encode(), "body": body, "id": id_.encode(), "crc32": crc32(body), "secret": configured.encode()}
    message = fill(scheme.template, values.__getitem__)
    match key:
        case ed25519.Ed25519PrivateKey():
            signature = key.sign(message)
        case ec.EllipticCurvePrivateKey():
            signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
        case rsa.RSAPrivateKey():
            signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        case _:
            raise CannotSign("this kind of private key does not sign webhooks")
    headers = {scheme.header: base64.b64encode(signature).decode()}
    if scheme.ts_header:
        headers[scheme.ts_header] = ts
    if scheme.id_header:
        headers[scheme.id_header] = id_
    return HttpRequest(body=body, headers=headers)


def _token(scheme: SharedToken, body: bytes, secret: str) -> HttpRequest:
    match scheme.where:
        case "header":
            return HttpRequest(body=body, headers={scheme.name: scheme.prefix + secret})
        case "query":
            return HttpRequest(body=body, query={scheme.name: secret})
        case "path":
            return HttpRequest(body=body, path_token=secret)
    return HttpRequest(body=body, headers={"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()})
