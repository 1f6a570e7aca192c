"""Register the webhook through Help Scout's API.

https://developer.helpscout.com/mailbox-api/endpoints/webhooks/create/
"""

from __future__ import annotations

from translators.helpscout.source import helpscout
from translators.kit import Need, Registered, Registering, bearer, form_call, json_call


@helpscout.registration(
    Need("app_id", "HELPSCOUT_APP_ID", "the App ID of an OAuth2 app (Your Profile > My apps)", secret=False),
    Need("app_secret", "HELPSCOUT_APP_SECRET", "its App Secret"),
)
def register(at: Registering) -> Registered:
    """Create one webhook. A secret has at most 40 characters; the API knows no organizations and AI Answers."""
    base, secret = "https://api.helpscout.net/v2", at.secret[:40]
    app = [("client_id", at.values["app_id"]), ("client_secret", at.values["app_secret"])]
    token = yield form_call(f"{base}/oauth2/token", {}, [("grant_type", "client_credentials"), *app])
    events = [type_ for type_ in at.types if not type_.startswith(("organization.", "convo.ai-"))]
    webhook = {"url": at.url, "events": events, "secret": secret, "payloadVersion": "V2", "label": "Segue"}
    yield json_call("POST", f"{base}/webhooks", bearer(token.text("access_token")), webhook)
    return secret
