"""Resend: several recipients, tags, topics and registration."""

import json
from typing import Any

import pytest

from support.emails import email_to, email_with
from support.outcomes import golden_body, message_of, messages_of, outcome_of
from support.registrations import URL, registered
from translators.kit import Delivery
from translators.resend import resend
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken, Translated


def test_resend_tag_is_the_user_id_only_with_one_recipient() -> None:
    body = email_to(resend, "a@example.com")
    body["data"]["tags"] = {"user_id": "usr_1"}
    (alone,) = messages_of(resend, body)
    assert alone["userId"] == "usr_1"
    body["data"]["to"] = ["a@example.com", "b@example.com"]
    body["data"]["email_id"] = "e1"
    (both,) = messages_of(resend, body)
    assert "userId" not in both


def test_resend_is_registered_for_the_types_that_we_translate() -> None:
    (call,), secret = registered(resend, [{"id": "w1", "signing_secret": "whsec_x"}], api_key="re_key")
    assert json.loads(call.body) == {"endpoint": URL, "events": sorted(resend.declared.handlers)}
    assert secret == "whsec_x"


@pytest.mark.parametrize("name", ["Unsubscribed", "Email Unsubscribed"])
def test_resend_topic_opt_out_has_the_configured_name(name: str) -> None:
    topics = [{"id": "t1", "subscription": "opt_out"}, {"id": "t2", "subscription": "opt_in"}]
    data = {"email": "mila@example.com", "topics": topics}
    body = {"type": "contact.topics.updated", "created_at": "2026-10-05T09:31:22Z", "data": data}
    options = resend.defaults() | {"unsubscribed_event": name}

    def outcome() -> Any:
        raw = json.dumps(body).encode()
        return outcomes(resend, Delivery(source="resend", body=raw, received_at=RECEIVED, options=options))[0][1]

    assert [message["event"] for message in outcome().messages] == [name, "Email Resubscribed"]
    topics[1]["subscription"] = "maybe"
    assert "$.data.topics[1].subscription is neither" in outcome().reason


@pytest.mark.parametrize("tag", [{"name": "plan", "value": None}, {"name": None, "value": "x"}, {}])
def test_a_resend_tag_without_a_name_or_value_is_left_out(tag: dict[str, Any]) -> None:
    body = golden_body(resend, "email_delivered")
    body["data"]["tags"] = [tag, {"name": "cohort", "value": 7}]
    sent = Delivery(source="resend", body=json.dumps(body).encode(), received_at=RECEIVED, options=resend.defaults())
    ((_, outcome),) = outcomes(resend, sent)
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["tags"] == ["cohort=7"]


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_a_resend_event_of_one_of_several_recipients_belongs_to_none_of_them(field: str) -> None:
    body = email_with(resend, {"user_id": "usr_1"})
    body["data"][field] = [*body["data"].get(field, []), "Bob <bob@example.com>", "eve@example.com"]
    message = message_of(resend, body)
    assert "userId" not in message
    assert "traits" not in message["context"]
    others = {
        message_of(resend, email_with(resend, {}, to=to))["anonymousId"]
        for to in ("ada@example.com", "bob@example.com")
    }
    assert message["anonymousId"] not in others
    assert message["anonymousId"] == message_of(resend, body | {"created_at": "2026-11-28T10:00:00Z"})["anonymousId"]


def test_a_resend_email_to_several_without_an_id_says_which_member_is_missing() -> None:
    body = email_with(resend, {})
    body["data"] = {"to": ["ada@example.com", "bob@example.com"]}
    outcome = outcome_of(resend, body)
    assert isinstance(outcome, Broken)
    assert "$.data.email_id is missing" in outcome.reason


@pytest.mark.parametrize("tags", [{"category": "welcome"}, [{"name": "category", "value": "welcome"}]])
def test_a_resend_tag_is_sent_with_its_name(tags: Any) -> None:
    assert message_of(resend, email_with(resend, tags))["properties"]["tags"] == ["category=welcome"]
