"""`segue register square`: one subscription, by Square's API."""

from __future__ import annotations

from translators.kit import Need, Registered, Registering, bearer, json_call
from translators.square.source import square


@square.registration(
    Need("access_token", "SQUARE_ACCESS_TOKEN", "the application's personal access token, not an OAuth token"),
    Need("environment", "SQUARE_ENVIRONMENT", "production or sandbox", False, "production"),
)
def register(at: Registering) -> Registered:
    """Subscribe. https://developer.squareup.com/reference/square/webhook-subscriptions-api/create-webhook-subscription"""
    host = "connect.squareupsandbox.com" if at.values["environment"] == "sandbox" else "connect.squareup.com"
    subscription = {"name": "Segue", "enabled": True, "event_types": list(at.types), "notification_url": at.url}
    body = {"idempotency_key": at.secret, "subscription": subscription}
    created = yield json_call(
        "POST", f"https://{host}/v2/webhooks/subscriptions", bearer(at.values["access_token"]), body
    )
    return created.text("subscription.signature_key")
