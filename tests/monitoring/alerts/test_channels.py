"""Each alert channel, over a real server."""

import json
import logging
import socket
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import standardwebhooks

from translators.kit import StandardWebhooks
from webhooks.http.request import HttpRequest
from webhooks.monitoring.alerts import (
    Alert,
    AlertUpdate,
    Notification,
    NotificationFailed,
    configured_channels,
    sample_notification,
)
from webhooks.settings import AlertSettings
from webhooks.signatures import verify

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
SECRETS = ("whsec_" + "QUFB" * 8, "whsec_" + "QkJC" * 8)
ALERT = Alert(key="dead:acme", severity="warning", title="3 dead events of acme", text="<b>&", hint="`segue dead`.")


def notification(status="raised", *, alert=ALERT, now=NOW, times_sent=0):
    return Notification(
        updates=[AlertUpdate(status=status, alert=alert, since=now - timedelta(hours=2), times_sent=times_sent)],
        where="hooks.test",
        now=now,
    )


def channel(**options):
    (configured,) = configured_channels(AlertSettings(**options))[1:]
    return configured


def email(port, *, scheme="smtp", user="", to=("ops@example.com", "two@example.com"), host="127.0.0.1"):
    return channel(smtp_url=f"{scheme}://{user}{host}:{port}", email_from="segue@example.com", email_to=to)


def test_a_webhook_signature_is_accepted_by_segue_and_standardwebhooks(hook) -> None:
    now = datetime.now(UTC)
    channel(webhook_url=hook.url, signing_secret=SECRETS).send(notification(now=now))
    ((path, headers, body),) = hook.got
    assert path == "/in?token=s3cret"
    for secret in SECRETS:
        request = HttpRequest(method="POST", headers=headers, body=body)
        assert verify(StandardWebhooks(), request, secrets=[secret], now=now).ok
        assert standardwebhooks.Webhook(secret).verify(body.decode(), headers)
    assert not verify(
        StandardWebhooks(), HttpRequest(method="POST", headers=headers, body=body + b" "), secrets=SECRETS, now=now
    ).ok
    payload = json.loads(body)
    assert (payload["type"], payload["data"]["where"]) == ("segue.alerts", "hooks.test")
    (alert,) = payload["data"]["alerts"]
    assert alert["status"] == "raised"
    assert alert["key"] == "dead:acme"
    assert set(alert) == {"key", "status", "severity", "title", "text", "hint", "since"}


def test_the_same_notification_has_the_same_id() -> None:
    assert notification().id == notification(now=NOW).id
    later = Notification(updates=notification().updates, where="hooks.test", now=NOW + timedelta(minutes=1))
    assert later.id == notification().id
    assert (
        len(
            {
                item.id
                for item in (
                    notification(),
                    notification("again", times_sent=1),
                    notification("again", times_sent=2),
                    notification("resolved"),
                )
            }
        )
        == 4
    )


@pytest.mark.parametrize("kind", ["slack", "webhook"])
@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ((302, {"Location": "http://169.254.169.254/latest/meta-data"}), "302, and redirects are not followed"),
        ((404, {}), "the channel answered 404"), ((500, {}), "the channel answered 500"),
    ],
)  # fmt: skip
def test_a_failed_response_is_reported_and_no_redirect_is_followed(hook, kind, response, reason) -> None:
    hook.plan.append(response)
    options = {"slack_url": hook.url} if kind == "slack" else {"webhook_url": hook.url, "signing_secret": SECRETS}
    with pytest.raises(NotificationFailed, match=reason) as caught:
        channel(**options).send(notification())
    assert len(hook.got) == 1
    assert "s3cret" not in str(caught.value)


def test_a_refused_connection_is_reported_without_the_secret() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/T0/s3cret"
    with pytest.raises(NotificationFailed, match="could not be reached: Connection refused") as caught:
        channel(slack_url=url).send(notification())
    assert "s3cret" not in str(caught.value)


def test_a_silent_or_slow_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from support.faulty_receiver import FaultyReceiver, dribble, hang

    monkeypatch.setattr("webhooks.monitoring.alerts.channels.TIMEOUT", 0.3)
    with FaultyReceiver() as server:
        for fault in (hang, dribble("headers"), dribble("body")):
            server.plan.append(fault)
            began = time.monotonic()
            with pytest.raises(NotificationFailed, match="could not be reached"):
                channel(slack_url=f"{server.url}/x").send(notification())
            assert time.monotonic() - began >= 0.3, "the server was not waited for"


def test_slack_gets_one_text_with_special_characters_escaped(hook) -> None:
    channel(slack_url=hook.url).send(notification())
    payload = json.loads(hook.got[0][2])
    assert set(payload) == {"text"}
    assert "WARNING  3 dead events of acme" in payload["text"]
    assert "&lt;b&gt;&amp;" in payload["text"]
    assert "Segue on hooks.test" in payload["text"]


def read(mails):
    ((sender, to, content, encrypted),) = mails.got
    return sender, to, message_from_bytes(content, policy=default), encrypted


def test_an_email_has_the_title_as_subject_and_the_hint_in_its_body(smtp) -> None:
    port, mails = smtp()
    email(port).send(notification())
    sender, to, mail, encrypted = read(mails)
    assert (sender, to, encrypted) == ("segue@example.com", ["ops@example.com", "two@example.com"], False)
    assert mail["Subject"] == "[segue] 3 dead events of acme"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"].endswith("@example.com>")
    text = mail.get_content()
    assert "WARNING  3 dead events of acme" in text
    assert "What to do: `segue dead`." in text
    assert "Segue on hooks.test, 2026-11-24 12:00 UTC" in text


@pytest.mark.parametrize(("tls", "scheme"), [("starttls", "smtp"), ("smtps", "smtps")])
def test_an_email_uses_tls_and_the_password_if_the_certificate_is_trusted(
    smtp, certificate, monkeypatch: pytest.MonkeyPatch, tls, scheme
) -> None:
    port, mails = smtp(tls, auth=True)
    with pytest.raises(NotificationFailed, match="could not be used"):
        email(port, scheme=scheme, user="segue:p%40ss%20word@").send(notification())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    email(port, scheme=scheme, user="segue:p%40ss%20word@").send(notification())
    assert read(mails)[3] is True
    with pytest.raises(NotificationFailed, match="the mail server answered 535") as caught:
        email(port, scheme=scheme, user="segue:wrong@").send(notification())
    assert "wrong" not in str(caught.value)


def test_a_password_is_not_sent_without_encryption(smtp, monkeypatch: pytest.MonkeyPatch) -> None:
    port, mails = smtp(auth=True)
    monkeypatch.setattr("webhooks.monitoring.alerts.channels.is_loopback", lambda host: False)
    with pytest.raises(NotificationFailed, match="no encryption, so the password is not sent"):
        email(port, user="segue:p%40ss%20word@").send(notification())
    assert mails.got == []
    monkeypatch.undo()
    email(port, user="segue:p%40ss%20word@").send(notification())
    assert len(mails.got) == 1


def test_an_email_address_that_the_server_refuses_is_reported(smtp) -> None:
    port, mails = smtp()
    mails.refuse = {"two@example.com"}
    with pytest.raises(NotificationFailed, match="refused 1 of 2 addresses"):
        email(port).send(notification())
    mails.refuse |= {"ops@example.com"}
    with pytest.raises(NotificationFailed, match="refused every address"):
        email(port).send(notification())


def test_a_line_break_in_a_title_adds_no_header(smtp) -> None:
    port, mails = smtp()
    forged = Alert(key="k", severity="warning", title="x\r\nBcc: victim@example.com", text="t", hint="m")
    email(port).send(notification(alert=forged))
    _, to, mail, _ = read(mails)
    assert (mail["Subject"], mail["Bcc"]) == ("[segue] x Bcc: victim@example.com", None)
    assert "victim@example.com" not in to


def test_a_silent_mail_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.monitoring.alerts.channels.TIMEOUT", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NotificationFailed, match="timed out"):
            email(silent.getsockname()[1]).send(notification())


def test_alerts_are_always_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    (log,) = configured_channels(AlertSettings())
    log.send(notification())
    (record,) = caplog.records
    assert vars(record).items() >= {
        "alert": "dead:acme", "status": "raised", "title": "3 dead events of acme"
    }.items()  # fmt: skip


def test_the_text_of_a_notification() -> None:
    both = Notification(updates=[*notification("resolved").updates, *notification("again").updates], where="w", now=NOW)
    assert both.subject == "[segue] resolved: 3 dead events of acme (and 1 more)"
    assert both.text().splitlines() == [
        "RESOLVED  3 dead events of acme", "It lasted 2 h.", "", "STILL WARNING  3 dead events of acme", "<b>&",
        "What to do: `segue dead`.", "Since 2026-11-24 10:00 UTC.", "", "Segue on w, 2026-11-24 12:00 UTC",
    ]  # fmt: skip
    assert sample_notification("w", NOW).subject == "[segue] test: This is a test of Segue's alerts"
