"""Events of the e-mail senders, in the format of each provider."""

from datetime import datetime
from typing import Any

from translators.kit import Source
from translators.mailgun import mailgun
from translators.postmark import postmark
from translators.resend import resend
from translators.sendgrid import sendgrid

SENDERS = [sendgrid, mailgun, postmark, resend]


class TokenMemory:
    """Return the first value stored for a token, as the journal does."""

    def __init__(self) -> None:
        self.noted: dict[str, str] = {}

    def __call__(self, token: str, value: str, until: datetime) -> str:
        return self.noted.setdefault(token, value)


def email_to(source: Source, address: Any) -> Any:
    """Return an e-mail sent to this address."""
    return {
        "sendgrid": [{"event": "processed", "email": address, "timestamp": 1790000000, "sg_event_id": "e1"}],
        "mailgun": {"event-data": {"id": "e1", "event": "accepted", "timestamp": 1790000000.5, "recipient": address}},
        "postmark": {
            "RecordType": "Delivery",
            "MessageID": "m1",
            "Recipient": address,
            "DeliveredAt": "2026-10-05T09:31:22Z",
        },
        "resend": {"type": "email.sent", "created_at": "2026-10-05T09:31:22Z", "data": {"to": [address]}},
    }[source.name]


def email_with(source: Source, attached: Any, *, to: str = "ada@example.com", tags: Any = None) -> Any:
    """Return a delivered e-mail with the sender's own data and tags."""
    if source is sendgrid:
        own = attached if isinstance(attached, dict) else {}
        return [{**own, "email": to, "event": "delivered", "timestamp": 1795879942, "sg_message_id": "m1"}
                | ({"category": tags} if tags else {})]  # fmt: skip
    if source is mailgun:
        event = {"id": "e1", "event": "delivered", "timestamp": 1795879942.5, "recipient": to, "tags": tags}
        return {"event-data": event | {"user-variables": attached}}
    if source is postmark:
        return {"RecordType": "Delivery", "MessageID": "m1", "Recipient": to, "DeliveredAt": "2026-11-28T09:00:00Z",
                "Metadata": attached, "Tag": tags}  # fmt: skip
    data = {"email_id": "m1", "to": [to], "tags": attached}
    return {"type": "email.delivered", "created_at": "2026-11-28T09:00:00Z", "data": data}
