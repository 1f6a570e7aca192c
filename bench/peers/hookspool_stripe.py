"""Stripe as a source of hookspool (https://pypi.org/project/hookspool/); hookspool imports it."""

from __future__ import annotations

from typing import Any

from hookspool.plugin import verify as signatures  # type: ignore[import-not-found, unused-ignore]

name = "stripe"
secrets = ("signing",)
auth_headers = ("Stripe-Signature",)
keep_headers = ()
action = "out"


def verify(req: Any, secrets: Any) -> bool:
    """Verify Stripe's signature."""
    header, key = req.header("Stripe-Signature"), secrets["signing"]
    return bool(signatures.timestamped(header, key, req.body, now=req.now, template="{t}."))


def key(payload: dict[str, Any], _req: Any) -> str:
    """Return what hookspool groups by."""
    return str(payload["data"]["object"]["customer"])


def dedup_id(payload: dict[str, Any], _req: Any) -> str:
    """Return the event's id."""
    return str(payload["id"])


def event_type(payload: dict[str, Any], _req: Any) -> str:
    """Return the event's type."""
    return str(payload["type"])
