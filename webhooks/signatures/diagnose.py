"""Which of the three it was: the wrong secret, a changed body, or the clock. Only for requests already turned away.

A few candidates are tried and never accepted: bodies as something on the way might have rewritten them, and the
usual slips in copying a secret. Bounded, so that a forger cannot make us work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from webhooks.signatures.model import Fault, Request, Verdict

_MOST_BODY: Final = 256 * 1024
_MOST_SECRETS: Final = 4


_PRINTINGS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("re-serialised without spaces", {"separators": (",", ":")}),
    ("re-serialised with spaces", {}),
    ("re-serialised with indents", {"indent": 2}),
    ("re-serialised without spaces and with sorted keys", {"separators": (",", ":"), "sort_keys": True}),
    ("re-serialised with spaces and with sorted keys", {"sort_keys": True}),
)


class Holds(Protocol):
    """Anything that can say whether a secret fits."""

    def holds(self, secret: str, body: bytes | None = None) -> bool:
        """Whether it does."""
        ...


def diagnose(claim: Holds, request: Request, secrets: Sequence[str]) -> Verdict:
    """The likeliest reason why no secret fits."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and "content-encoding" not in request.headers and int(length) != len(request.body):
        return _body(f"Content-Length says {int(length)} bytes, {len(request.body)} arrived.")
    parsed: object = None
    is_json = "json" in request.headers.get("content-type", "").lower()
    if len(request.body) <= _MOST_BODY:
        try:
            parsed = json.loads(request.body)
        except (ValueError, RecursionError):
            if is_json:
                return _body("It is announced as JSON and is none: cut short or altered.")
        for how, body in _bodies(request.body, parsed):
            if any(claim.holds(secret, body) for secret in secrets[:_MOST_SECRETS]):
                return _body(f"The signature fits this body {how}.")
    for slip, secret in _slips(secrets[:_MOST_SECRETS]):
        if claim.holds(secret):
            return Verdict(
                Fault.SECRET,
                reason=f"The configured secret is nearly right: it fits {slip}.",
                hint="Copy the secret again from the provider's console, exactly as it is shown.",
            )
    return Verdict(
        Fault.SECRET,
        reason="No configured secret signs this body: most likely the secret of another endpoint, mode or account.",
        hint="Compare the secret with the one the provider shows for exactly this URL; test and live mode have "
        "different ones. If it is right, something on the way changes the body.",
    )


def _body(how: str) -> Verdict:
    return Verdict(
        Fault.BODY,
        reason=f"The body was changed on the way. {how}",
        hint="Pass the raw bytes through: look at proxies, gateways and middleware between the provider and Segue.",
    )


def _bodies(body: bytes, parsed: object) -> Iterator[tuple[str, bytes]]:
    if body.strip() != body:
        yield "without the white space round it", body.strip()
        yield "without its last line break", body.rstrip(b"\r\n")
    if body.startswith(b"\xef\xbb\xbf"):
        yield "without its byte order mark", body[3:]
    for ending, name in ((b"\n", "a line feed"), (b"\r\n", "CR LF")):
        yield f"with {name} at its end", body + ending
    if b"\r\n" in body:
        yield "with plain line feeds", body.replace(b"\r\n", b"\n")
    elif b"\n" in body:
        yield "with CR LF line ends", body.replace(b"\n", b"\r\n")
    if isinstance(parsed, dict | list):
        for how, options in _PRINTINGS:
            for ascii_ in (False, True):
                try:
                    yield how, json.dumps(parsed, ensure_ascii=ascii_, **options).encode()
                except (ValueError, RecursionError):  # a lone surrogate, or too deep to write again
                    continue


def _slips(secrets: Sequence[str]) -> Iterator[tuple[str, str]]:
    for secret in secrets:
        bare = secret.strip().strip("'\"").strip()
        if bare != secret:
            yield "without the quotes or spaces round it", bare
        yield "with a line break at its end", secret + "\n"
        for prefix in ("whsec_", "sha256="):
            if secret.startswith(prefix):
                yield f"without {prefix}", secret.removeprefix(prefix)
        yield "with whsec_ before it", f"whsec_{secret}"
