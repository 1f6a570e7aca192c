"""`segue register chargebee`: one webhook, by Chargebee's API."""

from __future__ import annotations

from translators.chargebee.source import chargebee
from translators.kit import Need, Registered, Registering, basic, form_call


@chargebee.registration(
    Need("site", "CHARGEBEE_SITE", "acme, if your site is acme.chargebee.com", secret=False),
    Need("api_key", "CHARGEBEE_API_KEY", "a full-access API key"),
)
def register(at: Registering) -> Registered:
    """Create a webhook with basic credentials that we generate. https://apidocs.chargebee.com/docs/api/webhook_endpoints"""
    fields = [
        ("name", "Segue"),
        ("url", at.url),
        ("api_version", "v2"),
        ("basic_auth_username", "segue"),
        ("basic_auth_password", at.secret),
        *((f"enabled_events[{number}]", type_) for number, type_ in enumerate(at.types)),
    ]
    url = f"https://{at.values['site']}.chargebee.com/api/v2/webhook_endpoints"
    yield form_call(url, basic(at.values["api_key"], ""), fields)
    return f"segue:{at.secret}"
