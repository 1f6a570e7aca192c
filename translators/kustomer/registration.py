"""Register the webhook through Kustomer's API.

https://developer.kustomer.com/api/apps-platform/create-outbound-webhook
"""

from __future__ import annotations

from translators.kit import Need, Registered, Registering, bearer, json_call
from translators.kustomer.source import kustomer

kustomer.manual_steps(
    "Settings > Platform > Outbound webhooks > Add webhook: {url}",
    "Choose these events:{types}",
    "Save it, open it again (Edit > Header information) and copy its token.",
)


@kustomer.registration(
    Need("organization", "KUSTOMER_ORGANIZATION", "acme, if your account is acme.kustomerapp.com", secret=False),
    Need("api_key", "KUSTOMER_API_KEY", "an API key with the role org.permission.outbound_webhook"),
    Need(
        "domain", "KUSTOMER_API_DOMAIN", "the domain of your account's API", secret=False, default="api.kustomerapp.com"
    ),
)  # fmt: skip
def register(at: Registering) -> Registered:
    """Create one webhook; the answer has its token."""
    url = f"https://{at.values['organization']}.{at.values['domain']}/v1/outbound-webhooks"
    webhook = {"name": "Segue", "url": at.url, "events": list(at.types)}
    created = yield json_call("POST", url, bearer(at.values["api_key"]), webhook)
    return created.text("token", "") or created.text("data.attributes.token")
