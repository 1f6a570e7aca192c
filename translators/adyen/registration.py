"""`segue register adyen`: one Standard webhook, by the Management API."""

from __future__ import annotations

from translators.adyen.source import adyen
from translators.kit import Need, Registered, Registering, json_call


@adyen.registration(
    Need("api_key", "ADYEN_API_KEY", "an API key with the role Management API - Webhooks read and write"),
    Need("merchant", "ADYEN_MERCHANT_ACCOUNT", "the merchant account, such as AcmeCOM", secret=False),
    Need("environment", "ADYEN_ENVIRONMENT", "live or test", False, "live"),
)
def register(at: Registering) -> Registered:
    """Create a Standard webhook, then its HMAC key. https://docs.adyen.com/api-explorer/Management/3/post/merchants/(merchantId)/webhooks"""
    host = f"https://management-{'test' if at.values['environment'] == 'test' else 'live'}.adyen.com"
    url, headers = f"{host}/v3/merchants/{at.values['merchant']}/webhooks", {"X-API-Key": at.values["api_key"]}
    webhook = {
        "type": "standard",
        "url": at.url,
        "active": True,
        "communicationFormat": "json",
        "description": "Segue",
        "additionalSettings": {"includeEventCodes": list(at.types)},
    }
    created = yield json_call("POST", url, headers, webhook)
    key = yield json_call("POST", f"{url}/{created.id('id')}/generateHmac", headers)
    return key.text("hmacKey")
