"""Which it was: the wrong secret, a changed body or another URL. Only for requests that are refused already.

A few candidates are tried and never accepted: bodies as something on the way might have rewritten them, URLs that the
provider might have signed, and the usual slips in copying a secret.

A forger's request costs at most five times what a plain refusal costs: it has a share of three times the bytes that its
verification hashed, or twice if they are many. What a whole diagnosis takes beyond it comes out of an allowance that
the process has for all requests together, which an honest misconfiguration does not use up and a flood does.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol

from webhooks.signatures.model import Fault, Request, Verdict

_SHARE: Final = 3
_LARGE_SHARE: Final = 2
_LEAST: Final = 4096
"""Work that a candidate counts for at least: a small one costs what it takes to call a hash function."""
_MOST_BODY: Final = 32 * 1024
"""A larger body has its share only, and is not parsed and written again."""
_MOST_SECRETS: Final = 4
_PARSING: Final = 20
"""To parse or print a byte of JSON takes as long as to hash so many; with indents, which Python prints, ten times."""
_CLOSED_BY: Final = {b"{": b"}", b"[": b"]"}

# how, options, work for each byte
_PRINTINGS: Final[tuple[tuple[str, dict[str, Any], int], ...]] = (
    ("re-serialised without spaces", {"separators": (",", ":")}, _PARSING),
    ("re-serialised with spaces", {}, _PARSING),
    ("re-serialised without spaces and with sorted keys", {"separators": (",", ":"), "sort_keys": True}, _PARSING),
    ("re-serialised with spaces and with sorted keys", {"sort_keys": True}, _PARSING),
    ("re-serialised with indents", {"indent": 2}, 10 * _PARSING),
)


class CandidateMatches(Protocol):
    """Anything that can say whether a secret fits. `weight` is how often it hashes the body for each secret."""

    @property
    def covers_body(self) -> bool: ...

    @property
    def weight(self) -> int: ...

    @property
    def is_shared(self) -> bool: ...

    def holds(self, secret: str, body: bytes | None = None) -> bool:
        """Whether it does."""
        ...


class Allowance:
    """Work that diagnoses may take beyond each request's share; one for each process.

    Its unit is the hashing of a byte, about half a nanosecond: by default 16 ms once, and 0.5 ms a second.
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
        """Take that much if it is left."""
        with self._lock:
            now = self._tick()
            self._left = min(self._capacity, self._left + (now - self._at) * self._per_second)
            self._at = now
            if work > self._left:
                return False
            self._left -= work
            return True


class Budget:
    """What one diagnosis may still cost: its own share first, then the allowance, if it may use that."""

    def __init__(self, share: int, allowance: Allowance | None) -> None:
        self._left = share
        self._allowance = allowance

    def allows(self, work: int) -> bool:
        """Whether that much may be done; it counts as done then."""
        if work <= self._left:
            self._left -= work
            return True
        return self._allowance is not None and self._allowance.take(work)


def diagnose(
    claim: CandidateMatches,
    request: Request,
    secrets: Sequence[str],
    *,
    urls: Iterator[tuple[str, str]] | None = None,
    allowance: Allowance | None = None,
) -> Verdict:
    """The likeliest reason why no secret fits. `urls` are other URLs that it may be for, where it is for one."""
    if misstated := _length(request):
        return _body(misstated)
    tried = secrets[:_MOST_SECRETS]
    size = max(_LEAST, len(request.body))
    plain = len(secrets) * claim.weight * size
    if len(request.body) <= _MOST_BODY:
        budget = Budget(_SHARE * plain, allowance or Allowance())
    else:
        budget = Budget(_LARGE_SHARE * plain, None)
    while urls is not None and budget.allows(len(tried) * size):
        how, url = next(urls, ("", ""))
        if not url:
            break
        if any([claim.holds_for(secret, url) for secret in tried]):  # type: ignore[attr-defined]
            return _url(how, request)
    if claim.covers_body:
        for how, change in _variants(request.body):
            if not budget.allows(len(tried) * claim.weight * size):
                break
            if _fits(claim, tried, change()):
                return _body(f"The signature fits this body {how}.", proven=True)
    for slip, secret in _slips(tried, is_shared=claim.is_shared):
        if not budget.allows(claim.weight * size):
            break
        if claim.holds(secret):
            return Verdict(
                Fault.SECRET,
                reason=f"The configured secret is nearly right: it fits {slip}.",
                hint="Copy the secret again from the provider's console, exactly as it is shown.",
                proven=True,
            )
    if claim.covers_body:
        return _as_json(claim, request, tried, budget) or _unknown(request, signs_url=urls is not None)
    return _unknown(request, signs_url=urls is not None)


def _fits(claim: CandidateMatches, secrets: Sequence[str], body: bytes) -> bool:
    return any([claim.holds(secret, body) for secret in secrets])


def _length(request: Request) -> str:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and "content-encoding" not in request.headers and int(length) != len(request.body):
        return f"Content-Length says {int(length)} bytes, {len(request.body)} arrived."
    return ""


def _as_json(claim: CandidateMatches, request: Request, secrets: Sequence[str], budget: Budget) -> Verdict | None:
    """The body written again as JSON writers do it, if it is small enough and there is time for it."""
    body = request.body
    broken = _body("It is announced as JSON and is none: cut short or altered.")
    is_json = "json" in request.headers.get("content-type", "").lower()
    if is_json and body[:1] in _CLOSED_BY and not body.rstrip().endswith(_CLOSED_BY[body[:1]]):
        return broken
    if len(body) > _MOST_BODY or not budget.allows(_LEAST + _PARSING * len(body)):
        return None
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return broken if is_json else None
    if not isinstance(parsed, dict | list):
        return None
    seen = {body}
    for how, options, work in _PRINTINGS:
        for ascii_ in (False, True):
            hashing = len(secrets) * claim.weight * max(_LEAST, len(body))
            if not budget.allows(work * len(body) + hashing):
                return None
            try:
                written = json.dumps(parsed, ensure_ascii=ascii_, **options).encode()
            except (ValueError, RecursionError):  # a lone surrogate, or too deep to write again
                continue
            if written not in seen and _fits(claim, secrets, written):
                return _body(f"The signature fits this body {how}.", proven=True)
            seen.add(written)
    return None


def _unknown(request: Request, *, signs_url: bool) -> Verdict:
    what, also = "signs this body", ""
    if signs_url:
        what = "signs this body and URL"
        also = f" This provider signs the URL too: {request.url_setting} must be the URL that is registered there."
    return Verdict(
        Fault.SECRET,
        reason=f"No configured secret {what}: most likely the secret of another endpoint, mode or account.",
        hint="Compare the secret with the one the provider shows for exactly this URL; test and live mode have "
        f"different ones. If it is right, something on the way changes the body.{also}",
    )


def _url(how: str, request: Request) -> Verdict:
    return Verdict(
        Fault.URL,
        reason=f"The secret is right, and the signature is for another URL: {request.public_url} {how}.",
        hint=f"Set {request.url_setting} to the URL exactly as it is registered with the provider, or register that "
        "one there.",
        proven=True,
    )


def _body(how: str, *, proven: bool = False) -> Verdict:
    return Verdict(
        Fault.BODY,
        reason=f"The body was changed on the way. {how}",
        hint="Pass the raw bytes through: look at proxies, gateways and middleware between the provider and Segue.",
        proven=proven,
    )


def _variants(body: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The body with other white space at its ends or other line ends, made when it is asked for."""
    if body[:1].isspace() or body[-1:].isspace():
        yield "without the white space round it", body.strip
        if body[:1].isspace():
            yield "without its last line break", partial(body.rstrip, b"\r\n")
    if body.startswith(b"\xef\xbb\xbf"):
        yield "without its byte order mark", partial(body.removeprefix, b"\xef\xbb\xbf")
    for ending, name in ((b"\n", "a line feed"), (b"\r\n", "CR LF")):
        yield f"with {name} at its end", partial(body.__add__, ending)
    if len(body) > _MOST_BODY:
        return
    if b"\r\n" in body:
        yield "with plain line feeds", partial(body.replace, b"\r\n", b"\n")
    elif b"\n" in body:
        yield "with CR LF line ends", partial(body.replace, b"\n", b"\r\n")


def _slips(secrets: Sequence[str], *, is_shared: bool) -> Iterator[tuple[str, str]]:
    """Secrets as they are often miscopied; of a public key there are fewer."""
    for secret in secrets:
        bare = secret.strip().strip("'\"").strip()
        if bare != secret:
            yield "without the quotes or spaces round it", bare
        if not is_shared:
            continue
        for prefix in ("whsec_", "sha256="):
            if secret.startswith(prefix):
                yield f"without {prefix}", secret.removeprefix(prefix)
        yield "with a line break at its end", secret + "\n"
        yield "with whsec_ before it", f"whsec_{secret}"
