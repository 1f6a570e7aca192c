"""Register the webhook through Chatwoot's API. https://developers.chatwoot.com/api-reference/webhooks/add-a-webhook"""

from __future__ import annotations

from translators.chatwoot.source import chatwoot
from translators.kit import Need, Registered, Registering, json_call


@chatwoot.registration(
    Need("server_url", "CHATWOOT_URL", "https://app.chatwoot.com, or your own server's URL", secret=False),
    Need("account_id", "CHATWOOT_ACCOUNT_ID", "the number in your dashboard's URL, /app/accounts/1", secret=False),
    Need("access_token", "CHATWOOT_ACCESS_TOKEN", "an administrator's access token (Profile settings)"),
)
def register(at: Registering) -> Registered:
    """Create one webhook of the account. Servers older than 4.11.2 do not sign and return no secret."""
    url = f"{at.values['server_url'].rstrip('/')}/api/v1/accounts/{at.values['account_id']}/webhooks"
    headers = {"api_access_token": at.values["access_token"]}
    created = yield json_call("POST", url, headers, {"url": at.url, "name": "Segue", "subscriptions": list(at.types)})
    webhook = created.maybe("payload.webhook") or created
    return webhook.text("secret", "")


chatwoot.manual_steps(
    "Settings > Integrations > Webhooks > Add new webhook: {url}",
    "Choose these events:{types}",
    "Copy the secret that the webhook shows. A server older than 4.11.2 has none: see docs/sources/chatwoot.md.",
)
