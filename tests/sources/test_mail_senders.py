"""E-mail senders: keys, identity with several recipients, tags and the sender's own data."""

import json
from typing import Any

import pytest

from translators.kit import Delivery, Event, FormerKey, Source
from translators.mailgun import mailgun
from translators.postmark import postmark
from translators.resend import resend
from translators.sendgrid import sendgrid
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken, Ignored, Outcome, Translated

SENDERS = [sendgrid, mailgun, postmark, resend]


def delivery(source: Source, body: Any, options: dict[str, Any], headers: dict[str, str]) -> Delivery:
    return Delivery(
        source=source.name,
        body=json.dumps(body).encode(),
        received_at=RECEIVED,
        headers=headers,
        options=source.defaults() | options,
    )


def outcome_of(source: Source, body: Any, **options: Any) -> Outcome:
    ((_, outcome),) = outcomes(source, delivery(source, body, options, {}))
    return outcome


def message_of(source: Source, body: Any, **options: Any) -> dict[str, Any]:
    outcome = outcome_of(source, body, **options)
    assert isinstance(outcome, Translated), outcome
    (message,) = outcome.messages
    return message


def event_of(source: Source, body: Any, **headers: str) -> Event:
    (event,) = source.events(delivery(source, body, {}, headers))
    return event


def email(source: Source, attached: Any, *, to: str = "ada@example.com", tags: Any = None) -> Any:
    """Return a delivered e-mail with the sender's own data and tags in each provider's format."""
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


def name(source: Source) -> str:
    return source.name


@pytest.mark.parametrize("type_", ["processed", "dropped", "delivered"])
def test_a_sendgrid_event_reported_again_under_another_id_is_the_same_event(type_: str) -> None:
    row = {"email": "Ada@example.com", "event": type_, "timestamp": 1795879942, "sg_message_id": "m-1"}
    first = event_of(sendgrid, [row | {"sg_event_id": "a"}])
    again = event_of(sendgrid, [row | {"sg_event_id": "b", "email": "ada@example.com "}])
    assert first.key == again.key
    assert [first.former_keys, again.former_keys] == [(FormerKey("a"),), (FormerKey("b"),)]
    assert "ada" not in first.key.lower()


@pytest.mark.parametrize("type_", ["open", "click", "deferred", "bounce"])
def test_repeatable_sendgrid_events_have_two_keys(type_: str) -> None:
    row = {"email": "ada@example.com", "event": type_, "timestamp": 1795879942, "sg_message_id": "m-1", "url": "x"}
    assert [event_of(sendgrid, [row | {"sg_event_id": id_}]).key for id_ in "ab"] == ["a", "b"]


def test_two_links_of_one_postmark_email_in_one_second_are_two_clicks() -> None:
    click = {"RecordType": "Click", "MessageID": "m-1", "Recipient": "a@example.com", "OriginalLink": "https://x.example/1",
             "ReceivedAt": "2026-01-01T00:00:03Z"}  # fmt: skip
    first, second = event_of(postmark, click), event_of(postmark, click | {"OriginalLink": "https://x.example/2"})
    assert first.key != second.key
    before = FormerKey("Click|m-1|a@example.com|2026-01-01T00:00:03Z", same_bytes=True)
    assert first.former_keys == second.former_keys == (before,)


def test_a_mailgun_id_used_again_on_another_day_is_another_event() -> None:
    event = {"id": "e1", "event": "opened", "recipient": "a@example.com"}
    days = [event_of(mailgun, {"event-data": event | {"timestamp": at}}) for at in (1795879942.5, 1795966342.5)]
    assert days[0].key != days[1].key
    assert days[0].former_keys == (FormerKey("e1", same_bytes=True),)


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_a_resend_event_of_one_of_several_recipients_belongs_to_none_of_them(field: str) -> None:
    body = email(resend, {"user_id": "usr_1"})
    body["data"][field] = [*body["data"].get(field, []), "Bob <bob@example.com>", "eve@example.com"]
    message = message_of(resend, body)
    assert "userId" not in message
    assert "traits" not in message["context"]
    others = {
        message_of(resend, email(resend, {}, to=to))["anonymousId"] for to in ("ada@example.com", "bob@example.com")
    }
    assert message["anonymousId"] not in others
    assert message["anonymousId"] == message_of(resend, body | {"created_at": "2026-11-28T10:00:00Z"})["anonymousId"]


def test_a_resend_email_sent_twice_to_one_address_belongs_to_that_address() -> None:
    body = email(resend, {"user_id": "usr_1"}, to="Ada@example.com")
    body["data"]["cc"] = ["ada@example.com"]
    assert message_of(resend, body)["userId"] == "usr_1"


def test_a_resend_email_to_several_without_an_id_says_which_member_is_missing() -> None:
    body = email(resend, {})
    body["data"] = {"to": ["ada@example.com", "bob@example.com"]}
    outcome = outcome_of(resend, body)
    assert isinstance(outcome, Broken)
    assert "$.data.email_id is missing" in outcome.reason


@pytest.mark.parametrize("source", SENDERS, ids=name)
def test_the_senders_own_data_are_sent_by_the_option_only(source: Source) -> None:
    body = email(source, {"order_id": "1001", "plan": "pro", "user_id": "usr_1"})
    plain = message_of(source, body)
    assert plain["userId"] == "usr_1"
    assert "metadata" not in plain["properties"]
    chosen = message_of(source, body, metadata_fields=("order_id", "none"))
    assert chosen["properties"]["metadata"] == {"order_id": "1001"}
    everything = message_of(source, body, metadata_fields=("*",))
    assert everything["properties"]["metadata"] == {"order_id": "1001", "plan": "pro", "user_id": "usr_1"}
    assert "metadata" not in message_of(source, email(source, {}), metadata_fields=("*",))["properties"]


def test_sendgrids_own_members_are_not_custom_arguments() -> None:
    own = {"sg_template_id": "t1", "mc_stats": "singlesend", "singlesend_id": "s1", "pool": {"id": 1}, "tls": 1}
    assert "metadata" not in message_of(sendgrid, email(sendgrid, own), metadata_fields=("*",))["properties"]


@pytest.mark.parametrize(("source", "tags"), [(sendgrid, ["a", "b"]), (sendgrid, "a"), (mailgun, ["a", "b"]), (postmark, "a")],
                         ids=str)  # fmt: skip
def test_tags_are_a_list_of_texts(source: Source, tags: Any) -> None:
    expected = tags if isinstance(tags, list) else [tags]
    assert message_of(source, email(source, {}, tags=tags))["properties"]["tags"] == expected
    assert "tags" not in message_of(source, email(source, {}))["properties"]


@pytest.mark.parametrize("tags", [{"category": "welcome"}, [{"name": "category", "value": "welcome"}]])
def test_a_resend_tag_is_sent_with_its_name(tags: Any) -> None:
    assert message_of(resend, email(resend, tags))["properties"]["tags"] == ["category=welcome"]


@pytest.mark.parametrize("source", [mailgun, postmark], ids=name)
@pytest.mark.parametrize(
    "attached", ["Could not load user-variables. They were too long", "", 1, True, [], ["a"], None]
)
def test_sender_data_in_another_format_loses_no_event(source: Source, attached: Any) -> None:
    message = message_of(source, email(source, attached), metadata_fields=("*",))
    assert message["context"]["traits"] == {"email": "ada@example.com"}
    assert "metadata" not in message["properties"]
    assert "userId" not in message


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
