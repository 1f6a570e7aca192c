"""The channels of alerts. Addresses come only from the operator's configuration; redirects are not followed."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import msgspec

from translators.kit import StandardWebhooks
from webhooks.http.client import request
from webhooks.http.outgoing import Unreachable, failure_reason
from webhooks.monitoring.alerts.notification import Notification
from webhooks.settings import AlertSettings, is_loopback
from webhooks.signatures import sign

log: Final = logging.getLogger("webhooks.monitoring.alerts")
TIMEOUT: Final = 10.0
_SCHEME: Final = StandardWebhooks(prefixes=("webhook",))
_SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class NotificationFailed(Exception):
    """The notification was not sent. The text says why, without a secret."""


class Channel(Protocol):
    """A channel that sends notifications."""

    name: str

    def send(self, notification: Notification) -> None:
        """Send within about ten seconds. Raise `NotificationFailed` if that fails."""
        ...


class LogChannel:
    """The log, which is always a channel."""

    name = "log"

    def send(self, notification: Notification) -> None:
        """Write one line for each alert."""
        for update in notification.updates:
            log.warning(
                "alert",
                extra={
                    "alert": update.alert.key,
                    "status": update.status,
                    "severity": update.alert.severity,
                    "title": update.alert.title,
                },
            )


class WebhookChannel:
    """A webhook, signed by Standard Webhooks with each of the secrets.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    name = "webhook"

    def __init__(self, url: str, secrets: tuple[str, ...]) -> None:
        self._url = url
        self._secrets = secrets

    def send(self, notification: Notification) -> None:
        """POST the notification."""
        body = msgspec.json.encode(notification.data())
        signed = [
            sign(_SCHEME, body=body, secret=secret, now=notification.now, id_=notification.id).headers
            for secret in self._secrets
        ]
        signatures = " ".join(headers["webhook-signature"] for headers in signed)
        _post(self._url, body, {**signed[0], "webhook-signature": signatures})


class SlackChannel:
    """An incoming webhook. https://api.slack.com/messaging/webhooks"""

    name = "slack"

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, notification: Notification) -> None:
        """POST the notification."""
        lines = [line for update in notification.updates for line in (*notification.lines(update), "")]
        text = "\n".join([*lines, f"Segue on {notification.where}"]).translate(_SLACK)
        _post(self._url, msgspec.json.encode({"text": text}), {})


class EmailChannel:
    """SMTP: `smtps://`, or `smtp://` with STARTTLS. A password is sent only over TLS, or to this machine."""

    name = "email"

    def __init__(self, url: str, sender: str, to: tuple[str, ...]) -> None:
        self._parts = urlsplit(url)
        self._sender = sender
        self._to = to

    def send(self, notification: Notification) -> None:
        """Send it through the mail server."""
        mail = EmailMessage()
        mail["Subject"] = notification.subject
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Date"] = format_datetime(notification.now)
        mail["Message-ID"] = make_msgid(notification.id, domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents automatic replies
        mail.set_content(notification.text())
        try:
            with self._connect() as server:
                refused = server.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise NotificationFailed(_smtp_fault(error)) from None
        if refused:
            raise NotificationFailed(f"the mail server refused {len(refused)} of {len(self._to)} addresses")

    def _connect(self) -> smtplib.SMTP:
        host, context = self._parts.hostname or "", ssl.create_default_context()
        if self._parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, self._parts.port or 465, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(host, self._parts.port or 587, timeout=TIMEOUT)
        try:
            self._secure(server, host, context)
        except BaseException:
            server.close()
            raise
        return server

    def _secure(self, server: smtplib.SMTP, host: str, context: ssl.SSLContext) -> None:
        server.ehlo()
        encrypted = self._parts.scheme == "smtps"
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
            encrypted = True
        if self._parts.username:
            if not encrypted and not is_loopback(host):
                raise NotificationFailed("the mail server offers no encryption, so the password is not sent")
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))


def configured_channels(settings: AlertSettings) -> list[Channel]:
    """Return the log and the configured channels."""
    channels: list[Channel] = [LogChannel()]
    if settings.webhook_url:
        channels.append(WebhookChannel(settings.webhook_url, settings.signing_secret))
    if settings.slack_url:
        channels.append(SlackChannel(settings.slack_url))
    if settings.smtp_url:
        channels.append(EmailChannel(settings.smtp_url, settings.email_from, settings.email_to))
    return channels


def _post(url: str, body: bytes, headers: Mapping[str, Any]) -> None:
    all_headers = {"Content-Type": "application/json", "User-Agent": "segue-alerts", **headers}
    try:
        response = request("POST", url, body=body, headers=all_headers, timeout=TIMEOUT)
    except Unreachable as error:
        raise NotificationFailed(f"the channel could not be reached: {error}") from None
    if response.status // 100 != 2:
        redirect = ", and redirects are not followed" if response.status // 100 == 3 else ""
        raise NotificationFailed(f"the channel answered {response.status}{redirect}")


def _smtp_fault(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the mail server refused every address"
    return f"the mail server could not be used: {failure_reason(error)}"
