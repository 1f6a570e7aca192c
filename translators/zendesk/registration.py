"""Register the webhook through Zendesk's API. https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/"""

from __future__ import annotations

from translators.kit import Need, Registered, Registering, basic, json_call
from translators.zendesk.source import zendesk


@zendesk.registration(
    Need("subdomain", "ZENDESK_SUBDOMAIN", "acme, if your account is acme.zendesk.com", secret=False),
    Need("email", "ZENDESK_EMAIL", "the e-mail address of an admin", secret=False),
    Need("api_token", "ZENDESK_API_TOKEN", "an API token of Admin Center > Apps and integrations > APIs"),
    after="trigger webhooks, if you want your own user id in ticket events: docs/sources/zendesk.md has the template.",
)
def register(at: Registering) -> Registered:
    """Create one webhook for the translated event types. Triggers are added by hand, with the template."""
    base = f"https://{at.values['subdomain']}.zendesk.com/api/v2/webhooks"
    headers = basic(f"{at.values['email']}/token", at.values["api_token"])
    types = [f"zen:event-type:{type_}" for type_ in at.types if not type_.startswith("trigger.")]
    webhook = {
        "name": "Segue",
        "endpoint": at.url,
        "http_method": "POST",
        "request_format": "json",
        "status": "active",
        "subscriptions": types,
    }
    created = yield json_call("POST", base, headers, {"webhook": webhook})
    signing = yield json_call("GET", f"{base}/{created.id('webhook.id')}/signing_secret", headers)
    return signing.text("signing_secret.secret")
