"""`segue register typeform`: ask Typeform's API to send its webhooks here."""

from __future__ import annotations

from translators.kit import (
    Need,
    Registered,
    Registering,
    bearer,
    json_call,
)
from translators.typeform.source import typeform


@typeform.registration(
    Need("token", "TYPEFORM_TOKEN", "a personal access token with the scope webhooks:write"),
    Need("form_id", "TYPEFORM_FORM_ID", "the form's id: u6nXL7 in https://acme.typeform.com/to/u6nXL7", secret=False),
)
def register(at: Registering) -> Registered:
    """Create the webhook, or update it: its tag `segue` is the same each time.

    https://www.typeform.com/developers/webhooks/reference/create-or-update-webhook/
    """
    webhook = {
        "url": at.url,
        "enabled": True,
        "secret": at.secret,
        "verify_ssl": True,
        "event_types": dict.fromkeys(at.types, True),
    }
    url = f"https://api.typeform.com/forms/{at.values['form_id']}/webhooks/segue"
    yield json_call("PUT", url, bearer(at.values["token"]), webhook)
    return at.secret
