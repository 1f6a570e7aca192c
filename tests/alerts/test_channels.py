"""Each way to tell, over a real server."""

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
from webhooks.monitoring.alerts import (
    Alert,
    AlertUpdate,
    Notification,
    NotificationFailed,
    configured,
    sample_notification,
)
from webhooks.settings import AlertSettings
from webhooks.signatures import Request, verify

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
SECRETS = ("whsec_" + "QUFB" * 8, "whsec_" + "QkJC" * 8)
ALERT = Alert(key="dead:acme", severity="warning", title="3 dead events of acme", text="<b>&", hint="`segue dead`.")


def news(kind="raised", *, alert=ALERT, now=NOW, before=0):
    return Notification(
        told=[AlertUpdate(kind=kind, alert=alert, since=now - timedelta(hours=2), before=before)],
        where="hooks.test",
        now=now,
    )


def way(**told):
    (found,) = configured(AlertSettings(**told))[1:]
    return found


def mailing(port, *, scheme="smtp", user="", to=("ops@example.com", "two@example.com"), host="127.0.0.1"):
    return way(smtp_url=f"{scheme}://{user}{host}:{port}", email_from="segue@example.com", email_to=to)


def test_a_webhook_is_signed_so_that_our_own_verifier_and_theirs_accept_it(hook):
    now = datetime.now(UTC)
    way(webhook_url=hook.url, signing_secret=SECRETS).send(news(now=now))
    ((path, headers, body),) = hook.got
    assert path == "/in?token=s3cret"
    for secret in SECRETS:
        request = Request(method="POST", headers=headers, body=body)
        assert verify(StandardWebhooks(), request, secrets=[secret], now=now).ok
        assert standardwebhooks.Webhook(secret).verify(body.decode(), headers)
    assert not verify(
        StandardWebhooks(), Request(method="POST", headers=headers, body=body + b" "), secrets=SECRETS, now=now
    ).ok
    told = json.loads(body)
    assert (told["type"], told["data"]["where"]) == ("segue.alerts", "hooks.test")
    (alert,) = told["data"]["alerts"]
    assert alert["status"] == "raised"
    assert alert["key"] == "dead:acme"
    assert set(alert) == {"key", "status", "severity", "title", "text", "hint", "since"}


def test_the_same_news_keep_their_id_and_others_have_their_own():
    assert news().id == news(now=NOW).id
    later = Notification(told=news().told, where="hooks.test", now=NOW + timedelta(minutes=1))
    assert later.id == news().id
    assert len({each.id for each in (news(), news("again", before=1), news("again", before=2), news("resolved"))}) == 4


@pytest.mark.parametrize("kind", ["slack", "webhook"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((302, {"Location": "http://169.254.169.254/latest/meta-data"}), "302, and redirects are not followed"),
        ((404, {}), "it answered 404"), ((500, {}), "it answered 500"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_of_success_is_said_and_no_redirect_is_followed(hook, kind, answer, reason):
    hook.plan.append(answer)
    told = {"slack_url": hook.url} if kind == "slack" else {"webhook_url": hook.url, "signing_secret": SECRETS}
    with pytest.raises(NotificationFailed, match=reason) as caught:
        way(**told).send(news())
    assert len(hook.got) == 1
    assert "s3cret" not in str(caught.value)


def test_where_nobody_listens_that_is_said_without_the_secret():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/T0/s3cret"
    with pytest.raises(NotificationFailed, match="could not be reached: Connection refused") as caught:
        way(slack_url=url).send(news())
    assert "s3cret" not in str(caught.value)


def test_a_server_that_says_nothing_or_dribbles_costs_a_bounded_time(monkeypatch):
    from faulty_receiver import FaultyReceiver, dribble, hang

    monkeypatch.setattr("webhooks.monitoring.alerts.channels.TIMEOUT", 0.3)
    with FaultyReceiver() as server:
        for fault in (hang, dribble("headers"), dribble("body")):
            server.plan.append(fault)
            began = time.monotonic()
            with pytest.raises(NotificationFailed, match="could not be reached"):
                way(slack_url=f"{server.url}/x").send(news())
            assert time.monotonic() - began >= 0.3, "the server was not waited for"


def test_slack_gets_one_text_with_its_own_signs_escaped(hook):
    way(slack_url=hook.url).send(news())
    told = json.loads(hook.got[0][2])
    assert set(told) == {"text"}
    assert "WARNING  3 dead events of acme" in told["text"]
    assert "&lt;b&gt;&amp;" in told["text"]
    assert "Segue on hooks.test" in told["text"]


def read(mails):
    ((sender, to, content, encrypted),) = mails.got
    return sender, to, message_from_bytes(content, policy=default), encrypted


def test_a_mail_says_it_in_its_subject_and_what_to_do_in_its_body(smtp):
    port, mails = smtp()
    mailing(port).send(news())
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
def test_a_mail_goes_encrypted_with_the_password_where_the_certificate_is_known(
    smtp, certificate, monkeypatch, tls, scheme
):
    port, mails = smtp(tls, auth=True)
    with pytest.raises(NotificationFailed, match="could not be used"):
        mailing(port, scheme=scheme, user="segue:p%40ss%20word@").send(news())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailing(port, scheme=scheme, user="segue:p%40ss%20word@").send(news())
    assert read(mails)[3] is True
    with pytest.raises(NotificationFailed, match="the mail server answered 535") as caught:
        mailing(port, scheme=scheme, user="segue:wrong@").send(news())
    assert "wrong" not in str(caught.value)


def test_a_password_is_not_sent_where_nothing_is_encrypted(smtp, monkeypatch):
    port, mails = smtp(auth=True)
    monkeypatch.setattr("webhooks.monitoring.alerts.channels.is_loopback", lambda host: False)
    with pytest.raises(NotificationFailed, match="password is not sent without"):
        mailing(port, user="segue:p%40ss%20word@").send(news())
    assert mails.got == []
    monkeypatch.undo()
    mailing(port, user="segue:p%40ss%20word@").send(news())
    assert len(mails.got) == 1


def test_an_address_that_the_server_refuses_is_said(smtp):
    port, mails = smtp()
    mails.refuse = {"two@example.com"}
    with pytest.raises(NotificationFailed, match="refused 1 of 2 addresses"):
        mailing(port).send(news())
    mails.refuse |= {"ops@example.com"}
    with pytest.raises(NotificationFailed, match="refused every address"):
        mailing(port).send(news())


def test_a_line_break_in_a_title_makes_no_header(smtp):
    port, mails = smtp()
    forged = Alert(key="k", severity="warning", title="x\r\nBcc: victim@example.com", text="t", hint="m")
    mailing(port).send(news(alert=forged))
    _, to, mail, _ = read(mails)
    assert (mail["Subject"], mail["Bcc"]) == ("[segue] x Bcc: victim@example.com", None)
    assert "victim@example.com" not in to


def test_a_mail_server_that_says_nothing_costs_a_bounded_time(monkeypatch):
    monkeypatch.setattr("webhooks.monitoring.alerts.channels.TIMEOUT", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NotificationFailed, match="timed out"):
            mailing(silent.getsockname()[1]).send(news())


def test_the_log_is_always_told(caplog):
    caplog.set_level(logging.WARNING)
    (way,) = configured(AlertSettings())
    way.send(news())
    (record,) = caplog.records
    assert (record.alert, record.status, record.title) == ("dead:acme", "raised", "3 dead events of acme")


def test_what_is_told_reads_as_it_should():
    both = Notification(told=[*news("resolved").told, *news("again").told], where="w", now=NOW)
    assert both.subject == "[segue] resolved: 3 dead events of acme (and 1 more)"
    assert both.text().splitlines() == [
        "RESOLVED  3 dead events of acme", "It lasted 2 h.", "", "STILL WARNING  3 dead events of acme", "<b>&",
        "What to do: `segue dead`.", "Since 2026-11-24 10:00 UTC.", "", "Segue on w, 2026-11-24 12:00 UTC",
    ]  # fmt: skip
    assert sample_notification("w", NOW).subject == "[segue] test: This is a test of Segue's alerts"
