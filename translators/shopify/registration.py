"""`segue register shopify`: one subscription for each topic, by the Admin API."""

from __future__ import annotations

from typing import Final

from translators.kit import Need, Refused, Registered, Registering, json_call
from translators.shopify.source import shopify

_API_VERSION: Final = "2026-07"  # supported for a year; after that Shopify answers with its oldest version
_SUBSCRIBE: Final = (
    "mutation ($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) { "
    "webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) "
    "{ webhookSubscription { id } userErrors { field message } } }"
)


@shopify.registration(
    Need("shop", "SHOPIFY_SHOP", "acme, if your shop is acme.myshopify.com", secret=False),
    Need("access_token", "SHOPIFY_ACCESS_TOKEN", "an Admin API access token with the topics' read scopes"),
)
def register(at: Registering) -> Registered:
    """Subscribe to each topic. Return no secret: Shopify signs all with the app's client secret.

    https://shopify.dev/docs/api/admin-graphql/latest/mutations/webhookSubscriptionCreate
    """
    url = f"https://{at.values['shop']}.myshopify.com/admin/api/{_API_VERSION}/graphql.json"
    headers = {"X-Shopify-Access-Token": at.values["access_token"]}
    for topic in at.types:
        variables = {"topic": enum_value(topic), "subscription": {"uri": at.url, "format": "JSON"}}
        answer = yield json_call("POST", url, headers, {"query": _SUBSCRIBE, "variables": variables})
        errors = [*answer.each("errors"), *answer.each("data.webhookSubscriptionCreate.userErrors")]
        for reason in (error.text("message", "no reason given") for error in errors):
            if "already been taken" not in reason:  # a topic of an earlier run that was interrupted
                raise Refused(f"{topic}: {reason}")
    return ""


def enum_value(topic: str) -> str:
    """Return the enum value, `ORDERS_PAID` for `orders/paid`: https://shopify.dev/docs/api/admin-graphql/latest/enums/WebhookSubscriptionTopic"""
    return topic.replace("/", "_").replace(".", "_").upper()
