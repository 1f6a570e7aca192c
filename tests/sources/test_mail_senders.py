"""The common rules of the e-mail senders and Twilio: identity, signatures, own data, tags and docs."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from support.emails import SENDERS, TokenMemory, email_to, email_with
from support.outcomes import ROOT, message_of, messages_of, named, sent_messages
from translators.kit import Delivery, Source
from translators.mailgun import mailgun
from translators.postmark import postmark
from translators.resend import resend
from translators.sendgrid import sendgrid
from translators.twilio import twilio
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, sign, verify
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken, Ignored


@pytest.mark.parametrize("source", [sendgrid, mailgun, postmark, resend], ids=named)
def test_one_address_is_one_person_with_any_spelling(source: Source) -> None:
    ids = {
        messages_of(source, email_to(source, email))[0]["anonymousId"]
        for email in ("Mila@Example.com", "mila@example.com ")
    }
    assert len(ids) == 1


@pytest.mark.parametrize("source", [sendgrid, mailgun, postmark, resend], ids=named)
@pytest.mark.parametrize("email", ["", "  ", "<>", None])
def test_email_without_an_address_is_malformed_with_its_path(source: Source, email: str | None) -> None:
    delivery = Delivery(
        source=source.name, body=json.dumps(email_to(source, email)).encode(), received_at=RECEIVED, options=source.defaults()
    )  # fmt: skip
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Broken)
    assert "malformed: $." in outcome.reason


@pytest.mark.parametrize("source", [mailgun, postmark, resend], ids=named)
def test_only_a_correct_signature_verifies(source: Source) -> None:
    scheme = source.schemes["default"]
    secret, other = ("whsec_c2VjcmV0c2VjcmV0", "whsec_b3RoZXJvdGhlcm90") if source is resend else ("u:long", "u:other")
    signed = sign(scheme, body=json.dumps(email_to(source, "a@example.com")).encode(), secret=secret, now=RECEIVED)
    headers = dict(signed.headers)
    request = HttpRequest(body=signed.body, headers=headers)
    for secrets, lets_in in (((secret,), True), ((other, secret), True), ((other,), False)):
        assert verify(scheme, request, secrets=secrets, now=RECEIVED, remember=TokenMemory()).ok is lets_in


@pytest.mark.parametrize(("source", "minutes"), [(mailgun, 9 * 60 + 1), (resend, 6)], ids=["mailgun", "resend"])
def test_old_delivery_is_refused_if_the_time_is_signed(source: Source, minutes: int) -> None:
    scheme, secret = source.schemes["default"], "whsec_c2VjcmV0c2VjcmV0"
    signed = sign(scheme, body=b"{}", secret=secret, now=RECEIVED - timedelta(minutes=minutes))
    request = HttpRequest(body=signed.body, headers=dict(signed.headers))
    assert verify(scheme, request, secrets=(secret,), now=RECEIVED).fault is Fault.CLOCK


SOURCES = [sendgrid, mailgun, postmark, resend, twilio]


def test_mailgun_and_postmark_do_not_claim_that_the_content_is_protected() -> None:
    assert {source.name: source.schemes["default"].strength for source in SOURCES} == {
        "sendgrid": "verified", "mailgun": "authenticated", "postmark": "authenticated", "resend": "verified",
        "twilio": "verified",
    }  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_docs_have_every_type_message_option_secret_and_strength(source: Source) -> None:
    page = (ROOT / "docs" / "sources" / f"{source.name}.md").read_text()
    rows = [
        line.split("|")
        for line in page.partition("## What\n")[2].partition("\n#")[0].splitlines()
        if line.startswith("| ")
    ]
    assert {name for row in rows[1:] for name in re.findall(r"`([^`]+)`", row[1])} == set(source.declared.handlers)
    sent = sent_messages(source)
    assert sent
    for message in sent:
        type_, name = message["context"]["webhook"]["type"], message.get("event", message["type"])
        (cell,) = (row[2] for row in rows if f"`{type_}`" in row[1])
        assert name in cell or name == "Email Unsubscribed", (type_, name)
    for text in (
        f"{source.name.upper()}_WEBHOOK_SECRET",
        f"/webhooks/{source.name}",
        f"**{source.schemes['default'].strength}**",
    ):
        assert text in page
    for option in source.options:
        assert f"SEGUE_{source.name.upper()}_{option.upper()}" in page


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_no_text_written_by_a_person_is_sent(source: Source) -> None:
    assert "(the text)" not in json.dumps(sent_messages(source))


OF_THE_CONSOLE = [
    (sendgrid, {"smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>"}),
    (sendgrid, {"sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"}),
    (mailgun, {"user-variables": {"my_var_1": "Mailgun Variable #1", "my-var-2": "awesome"}}),
    (mailgun, {"domain": {"name": "sample.mailgun.com"}, "recipient": "recipient@sample.mailgun.com"}),
    (postmark, {"MessageID": "00000000-0000-0000-0000-000000000000"}),
]


def ignored(source: Source, body: Any) -> str:
    delivery = Delivery(
        source=source.name, body=json.dumps(body).encode(), received_at=RECEIVED, options=source.defaults()
    )  # fmt: skip
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Ignored), outcome
    return outcome.reason


@pytest.mark.parametrize(("source", "mark"), OF_THE_CONSOLE, ids=lambda value: getattr(value, "name", ""))
def test_console_test_of_the_provider_is_ignored(source: Source, mark: dict[str, Any]) -> None:
    """A test is signed like a real event; its fictitious recipient must not become a person at Segment."""
    body = email_to(source, "mila@example.com")
    assert messages_of(source, body)
    event = body[0] if source is sendgrid else body["event-data"] if source is mailgun else body
    event |= mark
    assert "own test" in ignored(source, body)


def test_a_resend_email_sent_twice_to_one_address_belongs_to_that_address() -> None:
    body = email_with(resend, {"user_id": "usr_1"}, to="Ada@example.com")
    body["data"]["cc"] = ["ada@example.com"]
    assert message_of(resend, body)["userId"] == "usr_1"


@pytest.mark.parametrize("source", SENDERS, ids=named)
def test_the_senders_own_data_are_sent_by_the_option_only(source: Source) -> None:
    body = email_with(source, {"order_id": "1001", "plan": "pro", "user_id": "usr_1"})
    plain = message_of(source, body)
    assert plain["userId"] == "usr_1"
    assert "metadata" not in plain["properties"]
    chosen = message_of(source, body, metadata_fields=("order_id", "none"))
    assert chosen["properties"]["metadata"] == {"order_id": "1001"}
    everything = message_of(source, body, metadata_fields=("*",))
    assert everything["properties"]["metadata"] == {"order_id": "1001", "plan": "pro", "user_id": "usr_1"}
    assert "metadata" not in message_of(source, email_with(source, {}), metadata_fields=("*",))["properties"]


@pytest.mark.parametrize(("source", "tags"), [(sendgrid, ["a", "b"]), (sendgrid, "a"), (mailgun, ["a", "b"]), (postmark, "a")],
                         ids=str)  # fmt: skip
def test_tags_are_a_list_of_texts(source: Source, tags: Any) -> None:
    expected = tags if isinstance(tags, list) else [tags]
    assert message_of(source, email_with(source, {}, tags=tags))["properties"]["tags"] == expected
    assert "tags" not in message_of(source, email_with(source, {}))["properties"]


@pytest.mark.parametrize("source", [mailgun, postmark], ids=named)
@pytest.mark.parametrize(
    "attached", ["Could not load user-variables. They were too long", "", 1, True, [], ["a"], None]
)
def test_sender_data_in_another_format_loses_no_event(source: Source, attached: Any) -> None:
    message = message_of(source, email_with(source, attached), metadata_fields=("*",))
    assert message["context"]["traits"] == {"email": "ada@example.com"}
    assert "metadata" not in message["properties"]
    assert "userId" not in message
