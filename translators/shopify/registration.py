"""`segue register shopify`: one subscription a topic, by the Admin API."""

from __future__ import annotations

from typing import Final

from translators.kit import Need, Refused, Registered, Registering, json_call
from translators.shopify.source import shopify

_API_VERSION: Final = "2026-07"  # a version is served for a year; later Shopify answers with its oldest one
_SUBSCRIBE: Final = (
    "mutation ($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) { "
    "webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) "
    "{ webhookSubscription { id } userErrors { field message } } }"
)


@shopify.registration(
    Need("shop", "SHOPIFY_SHOP", "acme, where your shop is acme.myshopify.com", secret=False),
    Need("access_token", "SHOPIFY_ACCESS_TOKEN", "an Admin API access token with the topics' read scopes"),
)
def register(at: Registering) -> Registered:
    """Subscribe to each topic. All are signed with the app's own secret, so this returns none.

    https://shopify.dev/docs/api/admin-graphql/latest/mutations/webhookSubscriptionCreate
    """
    url = f"https://{at.given['shop']}.myshopify.com/admin/api/{_API_VERSION}/graphql.json"
    headers = {"X-Shopify-Access-Token": at.given["access_token"]}
    for topic in at.types:
        variables = {"topic": enum_value(topic), "subscription": {"uri": at.url, "format": "JSON"}}
        made = yield json_call("POST", url, headers, {"query": _SUBSCRIBE, "variables": variables})
        faults = [*made.each("errors"), *made.each("data.webhookSubscriptionCreate.userErrors")]
        for reason in (fault.text("message", "no reason given") for fault in faults):
            if "already been taken" not in reason:  # a topic of an earlier run that did not get to its end
                raise Refused(f"{topic}: {reason}")
    return ""


def enum_value(topic: str) -> str:
    """`ORDERS_PAID` of `orders/paid`: https://shopify.dev/docs/api/admin-graphql/latest/enums/WebhookSubscriptionTopic"""
    return topic.replace("/", "_").replace(".", "_").upper()
