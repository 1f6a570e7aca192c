"""`segue register mailgun`: ask Mailgun's API to send its webhooks here."""

from __future__ import annotations

from translators.kit import (
    Need,
    Registered,
    Registering,
    basic,
    form_call,
    json_call,
)
from translators.mailgun.source import mailgun


@mailgun.registration(
    Need("api_key", "MAILGUN_API_KEY", "a private API key of the account"),
    Need("domain", "MAILGUN_DOMAIN", "the sending domain, such as mg.example.com", secret=False),
    Need("region", "MAILGUN_REGION", "us or eu, the region of the domain", False, "us"),
)
def register(at: Registering) -> Registered:
    """Create one webhook per event kind, then read the account's signing key. `rejected` has no webhook.

    https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/domain-webhooks
    """
    base = "https://api.eu.mailgun.net" if at.values["region"] == "eu" else "https://api.mailgun.net"
    headers = basic("api", at.values["api_key"])
    kinds = {"failed": ("permanent_fail", "temporary_fail"), "rejected": ()}
    for kind in (kind for type_ in at.types for kind in kinds.get(type_, (type_,))):
        url = f"{base}/v3/domains/{at.values['domain']}/webhooks"
        yield form_call(url, headers, [("id", kind), ("url", at.url)])
    signing_key = yield json_call("GET", f"{base}/v5/accounts/http_signing_key", headers)
    return signing_key.text("http_signing_key")
