"""The ways to tell. Addresses come from the operator's configuration only; nothing is followed to another one."""

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
from webhooks.http.client import Unreachable, failure_reason, request
from webhooks.monitoring.alerts.notification import Notification
from webhooks.settings import AlertSettings, is_loopback
from webhooks.signatures import sign

log: Final = logging.getLogger("webhooks.monitoring.alerts")
TIMEOUT: Final = 10.0
_SCHEME: Final = StandardWebhooks(prefixes=("webhook",))
_SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class NotificationFailed(Exception):
    """It was not told; the text says why, and holds no secret."""


class Channel(Protocol):
    """One way."""

    name: str

    def send(self, news: Notification) -> None:
        """Tell it, within some ten seconds; `Unsent` where that failed."""
        ...


class LogChannel:
    """Always there."""

    name = "log"

    def send(self, news: Notification) -> None:
        """One line for each alert."""
        for each in news.told:
            log.warning(
                "alert",
                extra={
                    "alert": each.alert.key,
                    "status": each.kind,
                    "severity": each.alert.severity,
                    "title": each.alert.title,
                },
            )


class WebhookChannel:
    """Signed by Standard Webhooks, with each secret where there are several.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    name = "webhook"

    def __init__(self, url: str, secrets: tuple[str, ...]) -> None:
        self._url = url
        self._secrets = secrets

    def send(self, news: Notification) -> None:
        """POST it."""
        body = msgspec.json.encode(news.data())
        signed = [
            sign(_SCHEME, body=body, secret=secret, now=news.now, id_=news.id).headers for secret in self._secrets
        ]
        signatures = " ".join(headers["webhook-signature"] for headers in signed)
        _post(self._url, body, {**signed[0], "webhook-signature": signatures})


class SlackChannel:
    """An incoming webhook. https://api.slack.com/messaging/webhooks"""

    name = "slack"

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, news: Notification) -> None:
        """POST it."""
        lines = [line for each in news.told for line in (*news.lines(each), "")]
        text = "\n".join([*lines, f"Segue on {news.where}"]).translate(_SLACK)
        _post(self._url, msgspec.json.encode({"text": text}), {})


class EmailChannel:
    """By SMTP: `smtps://`, or `smtp://` with STARTTLS, which must be had before a password is sent."""

    name = "email"

    def __init__(self, url: str, sender: str, to: tuple[str, ...]) -> None:
        self._parts = urlsplit(url)
        self._sender = sender
        self._to = to

    def send(self, news: Notification) -> None:
        """Hand it to the server."""
        mail = EmailMessage()
        mail["Subject"] = news.subject
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Date"] = format_datetime(news.now)
        mail["Message-ID"] = make_msgid(news.id, domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        mail.set_content(news.text())
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
                raise NotificationFailed("the mail server offers no encryption, and the password is not sent without")
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))


def configured(settings: AlertSettings) -> list[Channel]:
    """Those that are configured, and the log."""
    found: list[Channel] = [LogChannel()]
    if settings.webhook_url:
        found.append(WebhookChannel(settings.webhook_url, settings.signing_secret))
    if settings.slack_url:
        found.append(SlackChannel(settings.slack_url))
    if settings.smtp_url:
        found.append(EmailChannel(settings.smtp_url, settings.email_from, settings.email_to))
    return found


def _post(url: str, body: bytes, headers: Mapping[str, Any]) -> None:
    told = {"Content-Type": "application/json", "User-Agent": "segue-alerts", **headers}
    try:
        heard = request("POST", url, body=body, headers=told, timeout=TIMEOUT)
    except Unreachable as error:
        raise NotificationFailed(f"it could not be reached: {failure_reason(error)}") from None
    if heard.status // 100 != 2:
        redirect = ", and redirects are not followed" if heard.status // 100 == 3 else ""
        raise NotificationFailed(f"it answered {heard.status}{redirect}")


def _smtp_fault(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the mail server refused every address"
    return f"the mail server could not be used: {failure_reason(error)}"
