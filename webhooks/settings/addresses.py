"""Fields for URLs that may contain a secret, and for e-mail addresses. An error never shows a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from marshmallow import ValidationError

from webhooks.settings.fields import Rule, Words, refuse

_MAILBOX: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SecretUrl(Rule[str]):
    """An https URL that may contain a secret; http only on this machine."""

    def read(self, value: Any) -> str:
        parts = _split(value)
        plain = parts is not None and parts.scheme == "http" and is_loopback(parts.hostname or "")
        if parts is None or not (parts.scheme == "https" or plain) or "@" in parts.netloc or parts.fragment:
            raise ValidationError("is not an https address: give the whole address, as the service shows it")
        return parts.geturl()


class SmtpUrl(Rule[str]):
    """`smtps://user:password@host:465`, or `smtp://host:587` with STARTTLS."""

    def read(self, value: Any) -> str:
        parts = _split(value)
        if parts is None or parts.scheme not in {"smtp", "smtps"} or parts.path or parts.query or parts.fragment:
            raise ValidationError(
                "is not a mail server's address: give one such as smtps://user:password@smtp.example.com"
            )
        return parts.geturl()


class Mailboxes(Words):
    """E-mail addresses without display names."""

    def read(self, value: Any) -> tuple[str, ...]:
        addresses = super().read(value)
        for address in addresses:
            if not _MAILBOX.fullmatch(address):
                raise refuse(address, "give e-mail addresses such as ops@example.com")
        return addresses


class Mailbox(Rule[str]):
    """One e-mail address."""

    def read(self, value: Any) -> str:
        addresses = Mailboxes().deserialize(value)
        if len(addresses) != 1:
            raise refuse(value, "give one e-mail address")
        return str(addresses[0])


def _split(value: Any) -> SplitResult | None:
    """Return the parts of a URL with a host; None if it is not one."""
    text = value.strip().rstrip("/") if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        valid = bool(parts.hostname) and parts.port != 0 and text.isascii() and text.isprintable() and " " not in text
    except ValueError:
        return None
    return parts if valid else None


def missing_alert_settings(alerts: Mapping[str, Any]) -> Iterator[str]:
    """Yield an error for each setting of `[alerts]` that needs another one."""
    if alerts.get("webhook_url") and not alerts.get("signing_secret"):
        yield (
            "SEGUE_ALERT_WEBHOOK_URL is set without SEGUE_ALERT_SIGNING_SECRET, and alerts are not sent unsigned: "
            'set it to "whsec_" and 24 random bytes or more, such as whsec_$(openssl rand -base64 32)'
        )
    mail = {"smtp_url": "SEGUE_SMTP_URL", "email_from": "SEGUE_ALERT_EMAIL_FROM", "email_to": "SEGUE_ALERT_EMAIL_TO"}
    missing = [variable for key, variable in mail.items() if not alerts.get(key)]
    if 0 < len(missing) < len(mail):
        yield f"{' and '.join(missing)} must be set too: an e-mail needs all three of {', '.join(mail.values())}"
