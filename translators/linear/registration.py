"""Register the webhook through Linear's GraphQL API. https://linear.app/developers/webhooks#creating-a-webhook"""

from __future__ import annotations

from typing import Final

from translators.kit import Need, Refused, Registered, Registering, json_call
from translators.linear.source import linear

_CREATE: Final = (
    "mutation ($input: WebhookCreateInput!) { webhookCreate(input: $input) { success webhook { id enabled } } }"
)
_OF_APPLICATIONS: Final = {"OAuthApp"}  # sent to an application's own URL only


@linear.registration(
    Need(
        "api_key", "LINEAR_API_KEY", "a personal API key of a workspace admin (Settings > Account > Security & access)"
    ),
    Need("team", "LINEAR_TEAM", "the team's id or key; all public teams if empty", secret=False, default=""),
)
def register(at: Registering) -> Registered:
    """Create one webhook for the translated resources, signed with a generated secret."""
    kinds = sorted({type_.partition(".")[0] for type_ in at.types} - _OF_APPLICATIONS)
    team = at.values["team"]
    webhook = {
        "url": at.url,
        "label": "Segue",
        "secret": at.secret,
        "resourceTypes": kinds,
        **({"teamId": team} if team else {"allPublicTeams": True}),
    }
    headers, body = {"Authorization": at.values["api_key"]}, {"query": _CREATE, "variables": {"input": webhook}}
    created = yield json_call("POST", "https://api.linear.app/graphql", headers, body)
    if "errors" in created:
        raise Refused(created.text("errors.0.message", "without a reason"))
    created.id("data.webhookCreate.webhook.id")
    return at.secret
