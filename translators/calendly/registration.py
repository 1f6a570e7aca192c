"""`segue register calendly`: ask Calendly's API to send its webhooks here."""

from __future__ import annotations

from translators.calendly.source import calendly
from translators.kit import (
    Need,
    Registered,
    Registering,
    bearer,
    json_call,
)


@calendly.registration(
    Need("token", "CALENDLY_TOKEN", "an owner's or admin's token with webhooks:write and contacts:read (a paid plan)"),
    Need("scope", "CALENDLY_SCOPE", "organization, or user for your own meetings alone", False, "organization"),
)
def register(at: Registering) -> Registered:
    """Create a subscription with our signing key; without one Calendly does not sign.

    Routing forms and contacts belong to an organisation.

    https://developer.calendly.com/api-docs/c1ddc06ce1f1b-create-webhook-subscription
    """
    base, headers, scope = "https://api.calendly.com", bearer(at.values["token"]), at.values["scope"]
    me = yield json_call("GET", f"{base}/users/me", headers)
    subscription = {
        "url": at.url,
        "events": [
            type_ for type_ in at.types if scope != "user" or not type_.startswith(("routing_form", "contact."))
        ],
        "organization": me.text("resource.current_organization"),
        "scope": scope,
        "signing_key": at.secret,
    }
    if scope == "user":
        subscription["user"] = me.text("resource.uri")
    yield json_call("POST", f"{base}/webhook_subscriptions", headers, subscription)
    return at.secret
