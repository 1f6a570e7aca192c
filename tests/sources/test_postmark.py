"""Postmark: keys, types of bounces, metadata and registration."""

import json

import pytest

from support.emails import email_to
from support.outcomes import event_of, message_of, outcome_of
from support.registrations import registered
from translators.kit import Delivery, FormerId
from translators.postmark import postmark
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED
from webhooks.translation.translate import Ignored, Translated


def test_postmarks_two_recipients_of_one_message_are_two_events() -> None:
    keys = {
        SourceRuntime(postmark)
        .events(Delivery(source="postmark", body=json.dumps(email_to(postmark, to)).encode(), received_at=RECEIVED))[0]
        .id
        for to in ("a@example.com", "b@example.com")
    }
    assert len(keys) == 2


def test_postmark_is_registered_with_the_generated_credentials() -> None:
    (call,), secret = registered(postmark, [{"ID": 1}], server_token="t", message_stream="outbound")
    webhook = json.loads(call.body)
    assert ":".join(webhook["HttpAuth"].values()) == secret == "segue:made-here"
    assert set(webhook["Triggers"]) == set(postmark.declared.handlers)


def test_two_links_of_one_postmark_email_in_one_second_are_two_clicks() -> None:
    click = {"RecordType": "Click", "MessageID": "m-1", "Recipient": "a@example.com", "OriginalLink": "https://x.example/1",
             "ReceivedAt": "2026-01-01T00:00:03Z"}  # fmt: skip
    first, second = event_of(postmark, click), event_of(postmark, click | {"OriginalLink": "https://x.example/2"})
    assert first.id != second.id
    before = FormerId("Click|m-1|a@example.com|2026-01-01T00:00:03Z", same_bytes=True)
    assert first.former_ids == second.former_ids == (before,)


BOUNCES = {
    "HardBounce": "Email Bounced", "SoftBounce": "Email Bounced", "Unknown": "Email Bounced",
    "VirusNotification": "Email Bounced", "Transient": "Email Deferred", "DnsError": "Email Deferred",
    "BadEmailAddress": "Email Dropped", "Blocked": "Email Dropped", "DMARCPolicy": "Email Dropped",
    "ManuallyDeactivated": "Email Dropped", "SMTPApiError": "Email Dropped", "TemplateRenderingFailed": "Email Dropped",
    "Unconfirmed": "Email Dropped", "SpamComplaint": "Email Marked as Spam", "SpamNotification": "Email Marked as Spam",
    "Subscribe": "Email Resubscribed", "Unsubscribe": "Unsubscribed", "AddressChange": "", "AutoResponder": "",
    "ChallengeVerification": "", "InboundError": "", "OpenRelayTest": "",
}  # fmt: skip


@pytest.mark.parametrize(("type_", "expected"), BOUNCES.items())
def test_each_documented_type_of_a_postmark_bounce_has_its_own_meaning(type_: str, expected: str) -> None:
    body = {
        "RecordType": "Bounce",
        "ID": 1,
        "Type": type_,
        "Email": "a@example.com",
        "BouncedAt": "2026-01-01T00:00:03Z",
    }
    outcome = outcome_of(postmark, body)
    if expected:
        assert isinstance(outcome, Translated)
        assert outcome.messages[0]["event"] == expected
        assert outcome.messages[0]["properties"]["bounce_type"] == type_
    else:
        assert isinstance(outcome, Ignored)
        assert outcome.reason.startswith("not a bounce: ")


def test_postmark_metadata_that_is_not_an_object_is_ignored() -> None:
    body = {"RecordType": "Delivery", "MessageID": "1", "Recipient": "a@example.com", "Metadata": [1]}
    assert message_of(postmark, body)["event"] == "Email Delivered"
