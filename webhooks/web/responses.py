"""The responses that are ours: JSON, and the rejections that have one text wherever they occur."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from translators.kit import Response
from webhooks.errors import Rejected
from webhooks.signatures import Signature, Verdict
from webhooks.sources.runtime import SourceRuntime

ALWAYS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""Headers of every response: a browser must not treat an echoed challenge as a page."""
DESCRIBE_METHODS: Final = frozenset({"GET", "HEAD"})
"""Methods that describe an endpoint, unless the request carries a part of a delivery."""
RETRY_AFTER: Final = "5"
_encode: Final = msgspec.json.Encoder().encode


def json_response(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(status=status, body=_encode(content), headers=headers or {})


def error_response(error: Rejected) -> Response:
    """Return an error response: `error`, `reason`, `hint`; never a secret, never a body."""
    return json_response(
        error.status, {"error": error.error, "reason": error.reason, "hint": error.hint}, headers=error.headers
    )


def not_allowed(method: str, runtime: SourceRuntime, *, signature: str = "") -> Rejected:
    """Return the rejection of a method that the source does not accept for deliveries."""
    source = runtime.source
    others = ", ".join(sorted(source.delivery_methods - {"POST"}))
    also = f" {others} with a body are accepted too." if others else ""
    allowed = ", ".join(sorted({*DESCRIBE_METHODS, *runtime.methods}))
    return Rejected(
        405,
        "method_not_allowed",
        f"{source.title} webhooks are not accepted by {method}{' without a body' if method in others else ''}.",
        hint=f"Select POST in {source.title}'s webhook settings.{also} Nothing was stored.",
        headers={"Allow": allowed},
        signature=signature,
    )


def not_configured(endpoint: str, title: str, verdict: Verdict | None = None) -> Rejected:
    """Return the rejection of an endpoint without a secret, or without the URL that its scheme signs."""
    key = f"{endpoint.upper()}_WEBHOOK_SECRET"
    return Rejected(
        503,
        "not_configured",
        f"{title} webhooks are not accepted yet. " + (verdict.reason if verdict else "No secret is configured."),
        hint=f"Set {key}; `segue check` lists what is missing. Retries are accepted once it is set.",
        headers={"Retry-After": "60"},
        signature=Signature.NOT_CHECKED,
    )


def journal_unavailable(detail: str) -> Rejected:
    """Return the rejection while the journal is not available; the provider retries."""
    return Rejected(
        503, "journal_unavailable", "Nothing was stored: the journal is not available.",
        hint="Send it again. The operator finds the reason in the log and with `segue check`.",
        headers={"Retry-After": RETRY_AFTER}, detail=detail, signature=Signature.RIGHT,
    )  # fmt: skip


def cannot_be_stored(detail: str) -> Rejected:
    """Return the rejection of an event that the journal cannot store."""
    return Rejected(
        400, "cannot_be_stored", "Nothing was stored: the journal cannot store this event.",
        hint="See the log, and report this as a bug.", detail=detail, signature=Signature.RIGHT,
    )  # fmt: skip


def refused_by_guard(reason: str) -> Rejected:
    """Return the rejection of a delivery that the endpoint's options exclude."""
    return Rejected(
        403, "refused", reason, hint="Check this endpoint's options with `segue check`.", signature=Signature.RIGHT
    )


def internal_error() -> Rejected:
    """Return the rejection for an unexpected error."""
    return Rejected(
        500, "internal", "Segue failed and stored nothing.", hint="Send it again. The log has the cause.",
        signature=Signature.NOT_CHECKED,
    )  # fmt: skip
