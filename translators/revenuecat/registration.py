"""`segue register revenuecat`: one webhook, by RevenueCat's API."""

from __future__ import annotations

from translators.kit import Need, Registered, Registering, bearer, json_call
from translators.revenuecat.source import revenuecat


@revenuecat.registration(
    Need("api_key", "REVENUECAT_API_KEY", "a v2 secret key with project_configuration:integrations:read_write"),
    Need("project_id", "REVENUECAT_PROJECT_ID", "the project's id (proj...), in the dashboard's address", secret=False),
)
def register(at: Registering) -> Registered:
    """Subscribe to both environments; the endpoint's setting filters. https://www.revenuecat.com/docs/api-v2#tag/Integration"""
    webhook = {
        "name": "Segue",
        "url": at.url,
        "authorization_header": at.secret,
        "event_types": [type_.lower() for type_ in at.types],
    }
    url = f"https://api.revenuecat.com/v2/projects/{at.values['project_id']}/integrations/webhooks"
    yield json_call("POST", url, bearer(at.values["api_key"]), webhook)
    return at.secret
