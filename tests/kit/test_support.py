"""What every help desk has: replies, assignments and ratings."""

from typing import Any

import pytest

from translators.kit import Identity, Malformed, Skip, assigned, author_of, rating_fields, reply

TICKET = {"ticket_id": "T7", "message_id": "M1"}


def test_a_message_of_a_ticket_is_a_reply_with_its_author() -> None:
    writer = Identity(anonymous=("customer", "c2"))
    message = reply("customer", TICKET, identity=writer)
    assert (message.name, message.fields) == ("Ticket Replied", {**TICKET, "author": "customer"})
    assert message.identity is writer
    assert reply("agent", TICKET).fields["author"] == "agent"


def test_a_message_of_a_chat_is_sent_by_the_customer_and_received_from_the_agent() -> None:
    sent = reply("customer", TICKET, chat=True)
    assert (sent.name, sent.fields) == ("Live Chat Message Sent", {**TICKET, "conversation_id": "T7"})
    received = reply("agent", {"conversation_id": "C1", **TICKET}, chat=True)
    assert (received.name, received.fields["conversation_id"]) == ("Live Chat Message Received", "C1")


@pytest.mark.parametrize(
    "properties", [{"assignee_id": "a1"}, {"team_id": "t1"}, {"assignee_id": None, "team_id": "t1"}]
)
def test_an_assignment_names_an_agent_or_a_team(properties: dict[str, Any]) -> None:
    assert assigned(properties) is properties


@pytest.mark.parametrize("properties", [{}, {"assignee_id": None}])
def test_an_unassigned_ticket_makes_no_message(properties: dict[str, Any]) -> None:
    with pytest.raises(Skip, match="the ticket was unassigned"):
        assigned(properties)
    with pytest.raises(Skip, match="the issue was unassigned"):
        assigned(properties, "issue")


@pytest.mark.parametrize(
    ("rating", "fields"),
    [
        ("Good", {"rating": "good", "score": None}),
        ("5", {"rating": "5", "score": 5}),
        ("1234", {"rating": "1234", "score": None}),
        ("٣", {"rating": "٣", "score": None}),
        (4, {"rating": "4", "score": 4}),
        (-1, {"rating": "-1", "score": -1}),
    ],
)
def test_a_rating_has_a_score_if_it_is_a_number(rating: str | int, fields: dict[str, Any]) -> None:
    assert rating_fields(rating) == fields


def test_an_author_is_the_customer_or_an_agent() -> None:
    assert [author_of(text, "$.author", "") for text in ("customer", "agent")] == ["customer", "agent"]
    for text in ("Customer", "bot", None):
        with pytest.raises(Malformed, match=r"\$\.author must be customer or agent: the rule says which"):
            author_of(text, "$.author", ": the rule says which")
