"""Behaviour of Zendesk that its goldens do not cover."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from support.outcomes import golden_outcomes
from translators.kit import Delivery, Refused
from translators.zendesk import zendesk
from webhooks.http.request import HttpRequest
from webhooks.signatures import sign, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCHEME = zendesk.schemes["default"]


def delivery(body: dict[str, Any], headers: dict[str, str] | None = None, **options: str) -> Delivery:
    raw = json.dumps(body).encode()
    return Delivery(
        source="zendesk", body=raw, received_at=NOW, headers=headers or {}, options=zendesk.defaults() | options
    )


def triggered(type_: str = "ticket.solved", **more: Any) -> dict[str, Any]:
    template = {"type": type_, "at": "2026-10-05T09:31Z", "ticket": {"id": "1"}, "requester": {"id": "2"}}
    return template | more


def test_published_test_secret_is_refused() -> None:
    published = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    signed = sign(SCHEME, body=b"{}", secret=published, now=NOW)
    request = HttpRequest(body=b"{}", headers=dict(signed.headers))
    assert not verify(SCHEME, request, secrets=("my-own-secret",), now=NOW).ok


def test_the_timestamp_comes_before_the_body_in_what_is_signed() -> None:
    # https://developer.zendesk.com/documentation/webhooks/verifying/ ; an older page had the opposite order
    now = datetime(2021, 7, 25, 10, 0, tzinfo=UTC)
    headers = {"x-zendesk-webhook-signature-timestamp": "2021-07-25T10:00:00Z"}
    body, secret = b'{"say": "hello"}', "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="
    present = headers | {"x-zendesk-webhook-signature": "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk="}
    former = headers | {"x-zendesk-webhook-signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw="}
    assert verify(SCHEME, HttpRequest(body=body, headers=present), secrets=(secret,), now=now).ok
    assert not verify(SCHEME, HttpRequest(body=body, headers=former), secrets=(secret,), now=now).ok


def test_other_account_than_configured_is_refused() -> None:
    body = {"type": "zen:event-type:ticket.created", "account_id": 7}
    SourceRuntime(zendesk).guard(delivery(body))
    SourceRuntime(zendesk).guard(delivery(body, account_id="7"))
    with pytest.raises(Refused):
        SourceRuntime(zendesk).guard(delivery(body, account_id="8"))


def test_a_retry_of_a_trigger_has_the_key_of_its_first_delivery() -> None:
    headers = {"x-zendesk-webhook-invocation-id": "01K6"}
    assert SourceRuntime(zendesk).events(delivery(triggered(), headers))[0].id == "01K6"
    first, again = (SourceRuntime(zendesk).events(delivery(triggered()))[0].id for _ in range(2))
    assert first == again
    assert SourceRuntime(zendesk).events(delivery(triggered("ticket.reopened")))[0].id != first


@pytest.mark.parametrize("public", ["false", "False", "", "no"])
def test_reply_without_the_public_flag_is_never_sent(public: str) -> None:
    body = triggered("ticket.replied", author="agent", comment={"id": "1", "public": public})
    ((_, outcome),) = outcomes(zendesk, delivery(body))
    assert isinstance(outcome, Ignored | Broken)


@pytest.mark.parametrize("author", ["", "visitor"])
def test_reply_needs_an_author(author: str) -> None:
    body = triggered("ticket.replied", author=author, comment={"id": "1", "public": "true"})
    ((_, outcome),) = outcomes(zendesk, delivery(body))
    assert isinstance(outcome, Broken)
    assert "$.author" in outcome.reason


def test_one_address_is_one_person_with_any_spelling() -> None:
    anonymous_ids = []
    for address in ("Jonas@Example.com", " jonas@example.com"):
        ((_, outcome),) = outcomes(zendesk, delivery(triggered(requester={"email": address})))
        assert isinstance(outcome, Translated)
        anonymous_ids.append(outcome.messages[0]["anonymousId"])
    assert anonymous_ids[0] == anonymous_ids[1]


def test_a_trigger_without_a_requester_is_ignored() -> None:
    ((_, outcome),) = outcomes(zendesk, delivery(triggered(requester={"id": "", "email": ""})))
    assert isinstance(outcome, Ignored)
    assert outcome.reason.startswith("no customer")


def happened(type_: str, detail: dict[str, Any], event: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": f"zen:event-type:{type_}",
        "id": "1",
        "account_id": 7,
        "time": "2026-10-05T09:31:02.118Z",
        "detail": detail,
        "event": event or {},
    }


def outcome_of(body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    ((_, outcome),) = outcomes(zendesk, delivery(body, headers))
    return outcome


@pytest.mark.parametrize(
    ("before", "now", "name"),
    [
        ("OPEN", "SOLVED", "Ticket Solved"),
        ("HOLD", "CLOSED", "Ticket Solved"),
        ("SOLVED", "CLOSED", "Ticket Status Changed"),
        ("SOLVED", "OPEN", "Ticket Reopened"),
        ("CLOSED", "ARCHIVED", None),
        ("SOLVED", "DELETED", None),
        ("OPEN", "DELETED", None),
        ("DELETED", "SCRUBBED", None),
        ("DELETED", "OPEN", None),
    ],
)
def test_removed_ticket_is_neither_reopened_nor_solved(before: str, now: str, name: str | None) -> None:
    """The statuses of https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/#status-changed"""
    outcome = outcome_of(
        happened("ticket.status_changed", {"id": "1", "requester_id": "2"}, {"current": now, "previous": before})
    )
    if name is None:
        assert isinstance(outcome, Ignored)
    else:
        assert isinstance(outcome, Translated)
        assert outcome.messages[0]["event"] == name


@pytest.mark.parametrize("role", ["agent", "AGENT", "Admin"])
def test_staff_is_no_customer_with_any_spelling_of_the_role(role: str) -> None:
    assert isinstance(outcome_of(happened("user.created", {"id": "5", "role": role})), Ignored)


def test_event_type_with_a_slash_is_the_same_type() -> None:
    """Some of Zendesk's examples write `zen:event-type/user.identity_created`."""
    body = happened("user.created", {"id": "5", "role": "END_USER"})
    outcome = outcome_of(body | {"type": "zen:event-type/user.created"})
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["type"] == "identify"


@pytest.mark.parametrize(("tags", "expected"), [("vip  late", ["vip", "late"]), ("", None), (["vip"], ["vip"])])
def test_tags_are_a_list_from_a_text_or_a_list(tags: Any, expected: Any) -> None:
    outcome = outcome_of(happened("ticket.created", {"id": "1", "requester_id": "2", "tags": tags}))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"].get("tags") == expected


@pytest.mark.parametrize(
    ("comment", "author"),
    [
        ({"author": {"id": "9", "is_staff": True}}, "agent"),
        ({"author": {"id": "9", "is_staff": False}}, "customer"),
        ({"author": {"id": "2"}}, "customer"),
        ({"author_id": "2"}, "customer"),
        ({"author": {"id": "9"}}, None),
        ({}, None),
    ],
)
def test_reply_without_is_staff_is_sent_only_for_the_requester(comment: dict[str, Any], author: str | None) -> None:
    detail = {"id": "1", "requester_id": "2"}
    outcome = outcome_of(happened("ticket.comment_added", detail, {"comment": {"is_public": True} | comment}))
    if author is None:
        assert isinstance(outcome, Ignored)
    else:
        assert isinstance(outcome, Translated)
        assert outcome.messages[0]["properties"]["author"] == author


@pytest.mark.parametrize(
    ("kind", "id_", "external"),
    [("end_user", "8447", "zendesk_user_id"), ("END-USER", "67ab5f53a96f98663935c3f2", "zendesk_messaging_user_id")],
)
def test_messaging_id_is_not_a_zendesk_user_id(kind: str, id_: str, external: str) -> None:
    event = {"actor": {"id": id_, "type": kind}, "conversation_id": "c", "message": {"id": "m"}}
    outcome = outcome_of(happened("messaging_ticket.message_added", {"id": "1"}, event))
    assert isinstance(outcome, Translated)
    (message,) = outcome.messages
    assert message["event"] == "Live Chat Message Sent"
    assert [(entry["type"], entry["id"]) for entry in message["context"]["externalIds"]] == [(external, id_)]


def test_a_trigger_of_another_account_is_refused_by_its_header() -> None:
    SourceRuntime(zendesk).guard(delivery(triggered(), {"x-zendesk-account-id": "7"}, account_id="7"))
    for headers in ({"x-zendesk-account-id": "8"}, {}):
        with pytest.raises(Refused):
            SourceRuntime(zendesk).guard(delivery(triggered(), headers, account_id="7"))


@pytest.mark.parametrize(
    ("rating", "expected"),
    [("good", "good"), ("Good, I'm satisfied", "good"), ("Bad, I'm unsatisfied", "bad"), ("4", "4")],
)
def test_a_rating_is_a_word_though_the_placeholder_is_a_sentence(rating: str, expected: str) -> None:
    outcome = outcome_of(triggered("ticket.rated", rating=rating))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["rating"] == expected


def test_on_hold_is_one_status_in_both_kinds_of_webhooks() -> None:
    outcome = outcome_of(triggered("ticket.status_changed", ticket={"id": "1", "status": "On-hold"}))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["status"] == "hold"


def test_name_that_zendesk_generated_is_no_trait() -> None:
    (outcome,) = golden_outcomes(zendesk, "user_name_changed", {"event.current": "Visitor 4711"})
    assert outcome == Ignored("a name that Zendesk generated, or no name")


def test_reply_of_a_ticket_without_author_and_requester_is_ignored() -> None:
    change = {"detail.requester_id": None, "event.comment.author.id": None}
    (outcome,) = golden_outcomes(zendesk, "ticket_comment_added__customer", change)
    assert outcome == Ignored("no customer: the ticket has no requester")
