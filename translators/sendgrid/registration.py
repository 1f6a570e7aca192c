"""`segue register sendgrid`: ask SendGrid's API to send its webhooks here."""

from __future__ import annotations

from translators.kit import (
    Need,
    Registered,
    Registering,
    bearer,
    json_call,
)
from translators.sendgrid.source import sendgrid


@sendgrid.registration(Need("api_key", "SENDGRID_API_KEY", "an API key that may write event webhook settings"))
def register(at: Registering) -> Registered:
    """Create a webhook, then enable signing; the answer has the public key.

    https://www.twilio.com/docs/sendgrid/api-reference/webhooks/create-an-event-webhook
    https://www.twilio.com/docs/sendgrid/api-reference/webhooks/toggle-signature-verification-for-an-event-webhook
    """
    settings = "https://api.sendgrid.com/v3/user/webhooks/event/settings"
    headers = bearer(at.values["api_key"])
    event_flags = {"spam_report" if type_ == "spamreport" else type_: True for type_ in at.types}
    webhook = {"enabled": True, "url": at.url, "friendly_name": "Segue", **event_flags}
    created = yield json_call("POST", settings, headers, webhook)
    signed = yield json_call("PATCH", f"{settings}/signed/{created.id('id')}", headers, {"enabled": True})
    return signed.text("public_key")
