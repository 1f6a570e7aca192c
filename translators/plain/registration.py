"""Register the webhook target through Plain's GraphQL API.

https://www.plain.com/docs/graphql-reference/mutations/createWebhookTarget
"""

from __future__ import annotations

from typing import Final

from translators.kit import Need, Refused, Registered, Registering, bearer, json_call
from translators.plain.source import plain

_API: Final = "https://core-api.uk.plain.com/graphql/v1"
_VERSION: Final = "2026-02-27"  # the payload version that this package reads
_CREATE: Final = (
    "mutation ($input: CreateWebhookTargetInput!) { createWebhookTarget(input: $input) "
    "{ webhookTarget { id } error { message type code } } }"
)


@plain.registration(
    Need(
        "api_key",
        "PLAIN_API_KEY",
        "an API key with webhookTarget:create, and workspaceHmac:read for the secret",
    )
)
def register(at: Registering) -> Registered:
    """Create one webhook target, then read the workspace's secret."""
    headers = bearer(at.values["api_key"])
    target = {
        "url": at.url, "description": "Segue", "isEnabled": True, "version": _VERSION,
        "eventSubscriptions": [{"eventType": type_} for type_ in at.types],
    }  # fmt: skip
    created = yield json_call("POST", _API, headers, {"query": _CREATE, "variables": {"input": target}})
    for problem in (*created.each("errors"), created.maybe("data").maybe("createWebhookTarget").maybe("error")):
        if problem:  # a refusal has status 200, too
            raise Refused(problem.text("message", "without a reason"))
    created.id("data.createWebhookTarget.webhookTarget.id")
    secret = yield json_call("POST", _API, headers, {"query": "query { workspaceHmac { hmacSecret } }"})
    return secret.maybe("data").maybe("workspaceHmac").text("hmacSecret", "")


plain.manual_steps(
    "Settings > Webhooks > Add webhook target: {url}, version " + _VERSION + ", enabled.",
    "Choose these event types:{types}",
    "Settings > Request signing: copy the HMAC secret; there is one for the whole workspace.",
)
