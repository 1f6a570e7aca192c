"""`segue register resend`: ask Resend's API to send its webhooks here."""

from __future__ import annotations

from translators.kit import (
    Need,
    Registered,
    Registering,
    bearer,
    json_call,
)
from translators.resend.source import resend


@resend.registration(Need("api_key", "RESEND_API_KEY", "an API key with full access"))
def register(at: Registering) -> Registered:
    """Create one webhook. https://resend.com/docs/api-reference/webhooks/create-webhook"""
    webhook = {"endpoint": at.url, "events": list(at.types)}
    created = yield json_call("POST", "https://api.resend.com/webhooks", bearer(at.values["api_key"]), webhook)
    return created.text("signing_secret")
