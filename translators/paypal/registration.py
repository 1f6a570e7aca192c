"""`segue register paypal`: one webhook, by PayPal's API."""

from __future__ import annotations

from translators.kit import Need, Registered, Registering, basic, bearer, form_call, json_call
from translators.paypal.source import paypal


@paypal.registration(
    Need("client_id", "PAYPAL_CLIENT_ID", "the Client ID of your REST app", secret=False),
    Need("client_secret", "PAYPAL_CLIENT_SECRET", "the client secret of your REST app"),
    Need("environment", "PAYPAL_ENVIRONMENT", "live or sandbox", False, "live"),
)
def register(at: Registering) -> Registered:
    """Create a webhook. https://developer.paypal.com/docs/api/webhooks/v1/#webhooks_post"""
    webhook = {"url": at.url, "event_types": [{"name": type_} for type_ in at.types]}
    base = f"https://api-m{'.sandbox' if at.values['environment'] == 'sandbox' else ''}.paypal.com/v1"
    app = basic(at.values["client_id"], at.values["client_secret"])
    token = yield form_call(f"{base}/oauth2/token", app, [("grant_type", "client_credentials")])
    created = yield json_call("POST", f"{base}/notifications/webhooks", bearer(token.text("access_token")), webhook)
    return created.id("id")
