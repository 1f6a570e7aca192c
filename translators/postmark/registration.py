"""`segue register postmark`: ask Postmark's API to send its webhooks here."""

from __future__ import annotations

from translators.kit import (
    Need,
    Registered,
    Registering,
    json_call,
)
from translators.postmark.source import postmark


@postmark.registration(
    Need("server_token", "POSTMARK_SERVER_TOKEN", "the API token of your server"),
    Need("message_stream", "POSTMARK_MESSAGE_STREAM", "the message stream's id, such as outbound", secret=False),
)
def register(at: Registering) -> Registered:
    """Create a webhook of one stream with new credentials. https://postmarkapp.com/developer/api/webhooks-api"""
    user = "segue"
    webhook = {
        "Url": at.url,
        "MessageStream": at.values["message_stream"],
        "HttpAuth": {"Username": user, "Password": at.secret},
        "Triggers": {type_: {"Enabled": True} for type_ in at.types},
    }
    headers = {"X-Postmark-Server-Token": at.values["server_token"]}
    yield json_call("POST", "https://api.postmarkapp.com/webhooks", headers, webhook)
    return f"{user}:{at.secret}"
