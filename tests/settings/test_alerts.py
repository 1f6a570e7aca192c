"""[alerts]: values are valid and complete, and no error shows a secret."""

import pytest

from webhooks.errors import SettingsError
from webhooks.settings import load

SECRET = "whsec_" + "QUFB" * 8
MAIL = {
    "SEGUE_SMTP_URL": "smtps://u:p%40ss@smtp.example.com", "SEGUE_ALERT_EMAIL_FROM": "segue@example.com",
    "SEGUE_ALERT_EMAIL_TO": "a@example.com, b@example.com",
}  # fmt: skip


def alerts(**environ):
    return load(environ, sources={}).alerts


def faults(**environ):
    with pytest.raises(SettingsError) as caught:
        load(environ, sources={})
    return "\n".join(caught.value.faults)


def test_all_alert_settings_are_read() -> None:
    settings = alerts(
        SEGUE_ALERT_WEBHOOK_URL="https://ops.example.com/in?token=abc", SEGUE_ALERT_SIGNING_SECRET=SECRET,
        SEGUE_ALERT_SLACK_URL="https://hooks.slack.com/services/T/B/x", SEGUE_ALERT_BACKLOG="30m",
        SEGUE_ALERT_DISK_FREE="5", **MAIL,
    )  # fmt: skip
    assert settings.webhook_url == "https://ops.example.com/in?token=abc"
    assert settings.email_to == ("a@example.com", "b@example.com")
    assert (settings.backlog.total_seconds(), settings.disk_free) == (1800, 5.0)
    assert "abc" not in repr(settings)
    assert "p%40ss" not in repr(settings)


def test_http_is_allowed_on_this_machine() -> None:
    assert alerts(SEGUE_ALERT_SLACK_URL="http://127.0.0.1:9/x").slack_url == "http://127.0.0.1:9/x"
    assert alerts(SEGUE_ALERT_SLACK_URL="http://localhost/x").slack_url


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/s3cret", "ftp://h/s3cret", "s3cret", "https://u:s3cret@h/", "https://h:99999/s3cret",
        "https://h/s3cret\nX", "https://h/s3cret#f", "https:///s3cret", "https://[::1/s3cret",
    ],
)  # fmt: skip
def test_an_invalid_https_address_is_refused_without_showing_it(url) -> None:
    text = faults(SEGUE_ALERT_SLACK_URL=url)
    assert "SEGUE_ALERT_SLACK_URL is not an https address" in text
    assert "s3cret" not in text


@pytest.mark.parametrize("url", ["smtp.example.com", "https://s3cret@h", "smtp://h/s3cret", "smtp://h?x=s3cret"])
def test_an_invalid_mail_server_is_refused_without_showing_it(url) -> None:
    text = faults(**MAIL | {"SEGUE_SMTP_URL": url})
    assert "SEGUE_SMTP_URL is not a mail server's address" in text
    assert "s3cret" not in text


@pytest.mark.parametrize("address", ["ops", "ops@", "a@b@c", "a b@c", "ops@example.com>", "ops@exa_mple.com"])
def test_an_invalid_email_address_is_refused(address) -> None:
    assert "SEGUE_ALERT_EMAIL_FROM is" in faults(**MAIL | {"SEGUE_ALERT_EMAIL_FROM": address})


def test_only_one_sender_is_allowed() -> None:
    assert "give one e-mail address" in faults(**MAIL | {"SEGUE_ALERT_EMAIL_FROM": "a@b.c, d@e.f"})


def test_a_webhook_needs_a_signing_secret_and_email_needs_three_settings() -> None:
    assert "alerts are not sent unsigned" in faults(SEGUE_ALERT_WEBHOOK_URL="https://h/")
    text = faults(SEGUE_SMTP_URL="smtp://h")
    assert "SEGUE_ALERT_EMAIL_FROM and SEGUE_ALERT_EMAIL_TO must be set too" in text


@pytest.mark.parametrize("secret", ["qwertyuiop", "whsec_short", "whsec_" + "!" * 44, "whsec_" + "QUFB" * 40])
def test_a_signing_secret_has_the_form_of_standard_webhooks(secret) -> None:
    text = faults(SEGUE_ALERT_WEBHOOK_URL="https://h/", SEGUE_ALERT_SIGNING_SECRET=secret)
    assert "is not a secret of Standard Webhooks" in text
    assert secret not in text


def test_a_short_token_is_refused_without_showing_it() -> None:
    text = faults(SEGUE_METRICS_TOKEN="short-token")
    assert "SEGUE_METRICS_TOKEN is short enough to be guessed" in text
    assert "short-token" not in text
