"""`segue register calcom`: ask Cal.com's API to send its webhooks here."""

from __future__ import annotations

from translators.calcom.source import calcom
from translators.kit import (
    Need,
    Registered,
    Registering,
    bearer,
    json_call,
)


@calcom.registration(Need("api_key", "CALCOM_API_KEY", "an API key (cal_...), of Settings > Security > API keys"))
def register(at: Registering) -> Registered:
    """Create a webhook. https://cal.com/docs/api-reference/v2/webhooks/create-a-webhook"""
    webhook = {"active": True, "subscriberUrl": at.url, "triggers": list(at.types), "secret": at.secret}
    yield json_call("POST", "https://api.cal.com/v2/webhooks", bearer(at.values["api_key"]), webhook)
    return at.secret
