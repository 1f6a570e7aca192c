"""Find the cause of a refused signature: the wrong secret, a changed body or another URL.

A few candidates are tried, and never accepted: bodies as a proxy might have rewritten them, URLs that the provider
might have signed, and common mistakes in copying a secret.

The diagnosis of a forged request costs at most five times a plain refusal. Its share is three times the bytes that its
verification hashed, or twice if they are many. Work beyond the share is taken from an allowance that all requests of
the process have together. A misconfiguration does not use it up; a flood does.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol

from webhooks.http.request import HttpRequest
from webhooks.signatures.model import UNREGISTERED, Fault, RegisteredUrl, Verdict

_SHARE: Final = 3
_LARGE_SHARE: Final = 2
_MIN_WORK: Final = 4096
"""The least work that a candidate counts for: about the cost of calling a hash function."""
_MAX_BODY: Final = 32 * 1024
"""In bytes. A larger body has only its share, and is not parsed and serialised again."""
_MAX_SECRETS: Final = 4
_PARSING: Final = 20
"""Parsing or writing one byte of JSON takes as long as hashing this many; with indents, ten times as long."""
_CLOSED_BY: Final = {b"{": b"}", b"[": b"]"}

# description, options of json.dumps, work for each byte
_SERIALISATIONS: Final[tuple[tuple[str, dict[str, Any], int], ...]] = (
    ("re-serialised without spaces", {"separators": (",", ":")}, _PARSING),
    ("re-serialised with spaces", {}, _PARSING),
    ("re-serialised without spaces and with sorted keys", {"separators": (",", ":"), "sort_keys": True}, _PARSING),
    ("re-serialised with spaces and with sorted keys", {"sort_keys": True}, _PARSING),
    ("re-serialised with indents", {"indent": 2}, 10 * _PARSING),
)


class SignatureMatcher(Protocol):
    """A presented signature. `weight` is how often `matches` hashes the body for each secret."""

    @property
    def covers_body(self) -> bool: ...

    @property
    def weight(self) -> int: ...

    @property
    def is_shared(self) -> bool: ...

    def matches(self, secret: str, body: bytes | None = None) -> bool:
        """Return whether the signature matches the secret and the body."""
        ...


class Allowance:
    """The work that all diagnoses of a process may do beyond their shares.

    The unit is hashing one byte, about half a nanosecond. By default it is 16 ms, refilled by 0.5 ms each second.
    """

    def __init__(
        self,
        capacity: int = 32 * 1024**2,
        per_second: int = 1024**2,
        *,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._tick = tick
        self._left = float(capacity)
        self._at = tick()
        self._lock = threading.Lock()

    def take(self, work: int) -> bool:
        """Take this much work if it is left, and return whether it was."""
        with self._lock:
            now = self._tick()
            self._left = min(self._capacity, self._left + (now - self._at) * self._per_second)
            self._at = now
            if work > self._left:
                return False
            self._left -= work
            return True


class Budget:
    """The work that one diagnosis may still do: first its share, then the allowance, if it has one."""

    def __init__(self, share: int, allowance: Allowance | None) -> None:
        self._left = share
        self._allowance = allowance

    def allows(self, work: int) -> bool:
        """Return whether this much work may be done, and count it as done."""
        if work <= self._left:
            self._left -= work
            return True
        return self._allowance is not None and self._allowance.take(work)


def diagnose(
    signature: SignatureMatcher,
    request: HttpRequest,
    secrets: Sequence[str],
    *,
    registered: RegisteredUrl = UNREGISTERED,
    urls: Iterator[tuple[str, str]] | None = None,
    allowance: Allowance | None = None,
) -> Verdict:
    """Return the most likely reason why no secret matches. `urls` yields other URLs that may have been signed."""
    if mismatch := _length_mismatch(request):
        return _body_changed(mismatch)
    candidates = secrets[:_MAX_SECRETS]
    size = max(_MIN_WORK, len(request.body))
    plain = len(secrets) * signature.weight * size
    if len(request.body) <= _MAX_BODY:
        budget = Budget(_SHARE * plain, allowance or Allowance())
    else:
        budget = Budget(_LARGE_SHARE * plain, None)
    while urls is not None and budget.allows(len(candidates) * size):
        difference, url = next(urls, ("", ""))
        if not url:
            break
        if any([signature.matches_url(secret, url) for secret in candidates]):  # type: ignore[attr-defined]
            return _url_differs(difference, registered)
    if signature.covers_body:
        for difference, change in _body_variants(request.body):
            if not budget.allows(len(candidates) * signature.weight * size):
                break
            if _any_matches(signature, candidates, change()):
                return _body_changed(f"The signature matches this body {difference}.", proven=True)
    for difference, secret in _secret_variants(candidates, is_shared=signature.is_shared):
        if not budget.allows(signature.weight * size):
            break
        if signature.matches(secret):
            return Verdict(
                Fault.SECRET,
                reason=f"The configured secret is nearly right: it matches {difference}.",
                hint="Copy the secret again from the provider's console, exactly as it is shown.",
                proven=True,
            )
    verdict = _match_json(signature, request, candidates, budget) if signature.covers_body else None
    return verdict or _wrong_secret(registered, signs_url=urls is not None)


def _any_matches(signature: SignatureMatcher, secrets: Sequence[str], body: bytes) -> bool:
    return any([signature.matches(secret, body) for secret in secrets])


def _length_mismatch(request: HttpRequest) -> str:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and "content-encoding" not in request.headers and int(length) != len(request.body):
        return f"Content-Length is {int(length)}, but {len(request.body)} bytes arrived."
    return ""


def _match_json(
    signature: SignatureMatcher, request: HttpRequest, secrets: Sequence[str], budget: Budget
) -> Verdict | None:
    """Try the body as other JSON serialisers would write it, if it is small enough and the budget allows it."""
    body = request.body
    broken = _body_changed("Its Content-Type is JSON, but it is not valid JSON: cut short or altered.")
    is_json = "json" in request.headers.get("content-type", "").lower()
    if is_json and body[:1] in _CLOSED_BY and not body.rstrip().endswith(_CLOSED_BY[body[:1]]):
        return broken
    if len(body) > _MAX_BODY or not budget.allows(_MIN_WORK + _PARSING * len(body)):
        return None
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return broken if is_json else None
    if not isinstance(parsed, dict | list):
        return None
    seen = {body}
    for difference, options, work in _SERIALISATIONS:
        for ascii_ in (False, True):
            hashing = len(secrets) * signature.weight * max(_MIN_WORK, len(body))
            if not budget.allows(work * len(body) + hashing):
                return None
            try:
                written = json.dumps(parsed, ensure_ascii=ascii_, **options).encode()
            except (ValueError, RecursionError):  # a lone surrogate, or nested too deeply to serialise
                continue
            if written not in seen and _any_matches(signature, secrets, written):
                return _body_changed(f"The signature matches this body {difference}.", proven=True)
            seen.add(written)
    return None


def _wrong_secret(registered: RegisteredUrl, *, signs_url: bool) -> Verdict:
    what, also = "signs this body", ""
    if signs_url:
        what = "signs this body and URL"
        also = f" This provider signs the URL too: {registered.setting} must be the URL that is registered there."
    return Verdict(
        Fault.SECRET,
        reason=f"No configured secret {what}: most likely the secret of another endpoint, mode or account.",
        hint="Compare it with the secret that the provider shows for exactly this URL; test and live mode have "
        f"different secrets. If it is right, a proxy changes the body on the way.{also}",
    )


def _url_differs(difference: str, registered: RegisteredUrl) -> Verdict:
    return Verdict(
        Fault.URL,
        reason=f"The secret is right, but the signature is for another URL: {registered.address} {difference}.",
        hint=f"Set {registered.setting} to the URL exactly as it is registered with the provider, or register that "
        "URL there.",
        proven=True,
    )


def _body_changed(difference: str, *, proven: bool = False) -> Verdict:
    return Verdict(
        Fault.BODY,
        reason=f"The body was changed on the way. {difference}",
        hint="Pass the raw bytes through: check proxies, gateways and middleware between the provider and Segue.",
        proven=proven,
    )


def _body_variants(body: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the body with other white space at its ends or other line ends, each made only when needed."""
    if body[:1].isspace() or body[-1:].isspace():
        yield "without the white space around it", body.strip
        if body[:1].isspace():
            yield "without its last line break", partial(body.rstrip, b"\r\n")
    if body.startswith(b"\xef\xbb\xbf"):
        yield "without its byte order mark", partial(body.removeprefix, b"\xef\xbb\xbf")
    for ending, name in ((b"\n", "a line feed"), (b"\r\n", "CR LF")):
        yield f"with {name} at its end", partial(body.__add__, ending)
    if len(body) > _MAX_BODY:
        return
    if b"\r\n" in body:
        yield "with plain line feeds", partial(body.replace, b"\r\n", b"\n")
    elif b"\n" in body:
        yield "with CR LF line ends", partial(body.replace, b"\n", b"\r\n")


def _secret_variants(secrets: Sequence[str], *, is_shared: bool) -> Iterator[tuple[str, str]]:
    """Yield secrets corrected for common copying mistakes; a public key has fewer."""
    for secret in secrets:
        bare = secret.strip().strip("'\"").strip()
        if bare != secret:
            yield "without the quotes or spaces around it", bare
        if not is_shared:
            continue
        for prefix in ("whsec_", "sha256="):
            if secret.startswith(prefix):
                yield f"without {prefix}", secret.removeprefix(prefix)
        yield "with a line break at its end", secret + "\n"
        yield "with whsec_ before it", f"whsec_{secret}"
