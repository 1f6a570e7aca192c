"""`segue register paddle`: create a destination by Paddle's API."""

from __future__ import annotations

from translators.kit import Need, Registered, Registering, bearer, json_call
from translators.paddle.source import paddle


@paddle.registration(
    Need("api_key", "PADDLE_API_KEY", "an API key that may write notification settings"),
    Need("environment", "PADDLE_ENVIRONMENT", "live or sandbox", False, "live"),
)
def register(at: Registering) -> Registered:
    """Create a destination. https://developer.paddle.com/api-reference/notification-settings/create-notification-setting"""
    setting = {"description": "Segue", "type": "url", "destination": at.url, "subscribed_events": list(at.types)}
    host = "sandbox-api.paddle.com" if at.values["environment"] == "sandbox" else "api.paddle.com"
    created = yield json_call("POST", f"https://{host}/notification-settings", bearer(at.values["api_key"]), setting)
    return created.text("data.endpoint_secret_key")
