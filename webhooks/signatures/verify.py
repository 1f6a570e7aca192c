"""`verify`, the only way to accept a request. It does no I/O itself, never raises, and refuses when in doubt."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from translators.kit.bounds import bounded_key
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
from webhooks.http.request import HttpRequest
from webhooks.signatures import presented
from webhooks.signatures.asymmetric import PublicKeySignature
from webhooks.signatures.diagnose import Allowance, SignatureMatcher, diagnose
from webhooks.signatures.digest import text_bytes
from webhooks.signatures.model import UNREGISTERED, Fault, RegisteredUrl, Signature, Verdict
from webhooks.signatures.presented import RequestSignature, Unreadable
from webhooks.signatures.standard import StandardSignature
from webhooks.signatures.urls import candidates

Remember = Callable[[str, str, datetime], str]
"""`remember(token, value, until)` returns the value first stored for the token, or this one if the token is new."""

_VERIFIED: Final = Verdict(Fault.NONE)
_AUTHENTICATED: Final = Verdict(Fault.NONE, "authenticated")


class _TimedSignature(SignatureMatcher, Protocol):
    @property
    def sent_at(self) -> float | None: ...


class Verifier:
    """Verify the requests of one endpoint: its scheme, secrets and settings, prepared once.

    `registered` is the endpoint's own URL, which some schemes sign. `tolerance` is in seconds; None means the scheme's
    own.
    """

    def __init__(
        self,
        scheme: Scheme,
        secrets: Sequence[str],
        *,
        registered: RegisteredUrl = UNREGISTERED,
        tolerance: float | None = None,
    ) -> None:
        self._scheme = scheme
        self._secrets = [secret for secret in secrets if secret.strip()]
        self._registered = registered
        self._window = getattr(scheme, "tolerance", 0.0) if tolerance is None else tolerance
        self._accepted = _AUTHENTICATED if getattr(scheme, "strength", "") == "authenticated" else _VERIFIED
        self._signs_url = isinstance(scheme, HmacRequest) and "url" in scheme.parts
        self._not_configured = self._what_is_missing()

    def verify(
        self,
        request: HttpRequest,
        *,
        now: datetime,
        remember: Remember | None = None,
        fetch: Callable[[str], bytes] | None = None,
        allowance: Allowance | None = None,
    ) -> Verdict:
        """Verify that the request comes from the provider, unchanged and in time. Try every secret on every signature.

        `allowance` limits what the diagnoses of refused requests cost together.
        """
        if self._not_configured is not None:
            return self._not_configured
        scheme, secrets = self._scheme, self._secrets
        if isinstance(scheme, SharedToken):
            return _token(scheme, request, secrets)
        try:
            signatures = _read_signatures(scheme, request, self._registered.address, now, fetch)
        except Unreadable as error:
            fault = Fault.MISSING if error.missing else Fault.MALFORMED
            hint = error.hint or "Compare the request with the provider's documentation of its signature."
            return Verdict(fault, reason=error.reason, hint=hint)
        for signature in signatures:
            if not any([signature.matches(secret) for secret in secrets]):
                return self._diagnose(signature, request, allowance)
            if signature.sent_at is not None and abs(now.timestamp() - signature.sent_at) > self._window:
                return _clock(now.timestamp() - signature.sent_at, self._window)
        if isinstance(scheme, HmacFields) and scheme.token_path is not None:
            return _once(scheme, scheme.token_path, request, now + timedelta(seconds=self._window), remember)
        return self._accepted

    def _diagnose(self, signature: SignatureMatcher, request: HttpRequest, allowance: Allowance | None) -> Verdict:
        scheme, registered = self._scheme, self._registered
        others = (
            candidates(scheme, request, registered.address)
            if isinstance(scheme, HmacRequest) and self._signs_url
            else None
        )
        return diagnose(signature, request, self._secrets, registered=registered, urls=others, allowance=allowance)

    def _what_is_missing(self) -> Verdict | None:
        if not self._secrets:
            return Verdict(
                Fault.NOT_CONFIGURED, reason="No secret is configured.",
                hint="Set the endpoint's webhook secret.",
            )  # fmt: skip
        if self._signs_url and not self._registered.address:
            return Verdict(
                Fault.NOT_CONFIGURED, reason="This provider signs the URL, and no public URL is configured.",
                hint=f"Set {self._registered.setting} to the URL exactly as it is registered with the provider.",
            )  # fmt: skip
        return None


def verify(
    scheme: Scheme,
    request: HttpRequest,
    secrets: Sequence[str],
    *,
    now: datetime,
    registered: RegisteredUrl = UNREGISTERED,
    tolerance: float | None = None,
    remember: Remember | None = None,
    fetch: Callable[[str], bytes] | None = None,
    allowance: Allowance | None = None,
) -> Verdict:
    """Verify one request; see `Verifier`."""
    verifier = Verifier(scheme, secrets, registered=registered, tolerance=tolerance)
    return verifier.verify(request, now=now, remember=remember, fetch=fetch, allowance=allowance)


def recognise(
    scheme: Scheme,
    request: HttpRequest,
    secrets: Sequence[str],
    *,
    now: datetime,
    registered: RegisteredUrl = UNREGISTERED,
    has_body: bool = True,
) -> Signature:
    """Return the state of a refused request's signature, without a diagnosis, and without storing or fetching anything.

    Its time is not checked. `has_body` is false if the body was not read; then only a token can be checked.
    """
    usable = [secret for secret in secrets if secret.strip()]
    if isinstance(scheme, SharedToken):
        _, presented = _presented(scheme, request)
        if not presented:
            return Signature.MISSING
        matches = [hmac.compare_digest(text_bytes(presented), text_bytes(secret)) for secret in usable]
        return Signature.RIGHT if any(matches) else Signature.WRONG if usable else Signature.NOT_CHECKED
    in_body = isinstance(scheme, HmacFields)
    if not in_body and not presents(scheme, request):
        return Signature.MISSING
    if not usable or not has_body:
        return Signature.NOT_CHECKED
    try:
        signatures = _read_signatures(scheme, request, registered.address, now, None)
    except Unreadable as error:
        if error.missing:
            return Signature.MISSING
        by_certificate = isinstance(scheme, PublicKey) and scheme.cert_url_header is not None
        return Signature.NOT_CHECKED if by_certificate else Signature.WRONG
    valid = all(any([signature.matches(secret) for secret in usable]) for signature in signatures)
    return Signature.RIGHT if valid else Signature.WRONG


def presents(scheme: Scheme, request: HttpRequest) -> bool:
    """Return whether the request carries the scheme's signature or token outside its body and path."""
    match scheme:
        case HmacFields():
            return False
        case StandardWebhooks():
            names = [f"{prefix}-signature" for prefix in scheme.prefixes]
        case SharedToken():
            if scheme.where in {"path", "query"}:
                return scheme.where == "query" and bool(request.query.get(scheme.name))
            names = [scheme.name if scheme.where == "header" else "authorization"]
        case _:
            names = [scheme.header]
    return any(request.headers.get(name.lower(), "").strip() for name in names)


def _read_signatures(
    scheme: Scheme, request: HttpRequest, public_url: str, now: datetime, fetch: Callable[[str], bytes] | None
) -> Sequence[_TimedSignature]:
    match scheme:
        case HmacKvHeader():
            return (presented.of_kv_header(scheme, request),)
        case HmacBody():
            return (presented.of_body(scheme, request),)
        case HmacTimestamped():
            return (presented.of_timestamped(scheme, request),)
        case StandardWebhooks():
            return (StandardSignature(scheme, request),)
        case HmacRequest():
            return (RequestSignature(scheme, request, public_url),)
        case HmacFields():
            return presented.of_fields(scheme, request)
        case PublicKey():
            return (PublicKeySignature(scheme, request, now=now, fetch=fetch),)
    raise TypeError(f"{type(scheme).__name__} is not a signature scheme")


def _clock(age: float, window: float) -> Verdict:
    direction = "behind" if age > 0 else "ahead of"
    return Verdict(
        Fault.CLOCK,
        reason=f"The signature is right, but its time is {abs(age):.0f} s {direction} our clock; "
        f"{window:.0f} s are allowed.",
        hint="Check this machine's clock (NTP). A replayed request looks the same.",
        proven=True,
    )


def _once(scheme: HmacFields, path: str, request: HttpRequest, until: datetime, remember: Remember | None) -> Verdict:
    """Accept a signed token that does not cover the body again only with the same body: a retry."""
    accepted = _VERIFIED if scheme.strength == "verified" else _AUTHENTICATED
    token = presented.payload_of(request.body).get(path)
    if remember is None or not isinstance(token, str) or not token:
        return Verdict(
            Fault.MALFORMED, reason="The one-time token is missing, or there is no store for it.",
            hint="Compare the request with the provider's documentation of its signature.",
        )  # fmt: skip
    token, body = bounded_key(token), hashlib.sha256(request.body).hexdigest()
    if remember(token, body, until) != body:
        return Verdict(
            Fault.REPLAYED,
            reason="The signed token was used before with another body.",
            hint="A captured signature may be replayed. Rotate the signing key if this continues.",
        )
    return accepted


def _token(scheme: SharedToken, request: HttpRequest, secrets: Sequence[str]) -> Verdict:
    location, presented = _presented(scheme, request)
    if not presented:
        return Verdict(
            Fault.MISSING, reason=f"The token is missing from {location}.",
            hint="Register the URL or header with the token, as the source's page in the docs shows.",
        )  # fmt: skip
    if any([hmac.compare_digest(text_bytes(presented), text_bytes(secret)) for secret in secrets]):
        return _AUTHENTICATED if scheme.strength == "authenticated" else _VERIFIED
    return Verdict(
        Fault.SECRET, reason=f"The token in {location} does not match a configured secret.",
        hint="Compare it with the endpoint's secret.",
    )  # fmt: skip


def _presented(scheme: SharedToken, request: HttpRequest) -> tuple[str, str]:
    match scheme.where:
        case "path":
            return "the path", request.path_token
        case "query":
            return f"the query parameter {scheme.name}", request.query.get(scheme.name, "")
        case "header":
            value = request.headers.get(scheme.name.lower(), "").strip()
            if not value.startswith(scheme.prefix):
                return f"the {scheme.name} header", ""
            return f"the {scheme.name} header", value.removeprefix(scheme.prefix)
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(text.strip(), validate=True).decode() if kind.lower() == "basic" else ""
    except (ValueError, binascii.Error):
        decoded = ""
    return "the Basic credentials", decoded
