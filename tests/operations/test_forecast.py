"""What today's code would make of a stored event."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from support.messages import event
from webhooks.journal import Row, State
from webhooks.operations.forecast import Forecast, forecast
from webhooks.sources.endpoints import Endpoint


def row(type_: str = "order", body: str = "{}", **changes: object) -> Row:
    stored = Row(
        seq=1, event=event(1, body, type=type_), state=State.DEAD, attempts=1, due_at=None, leased_until=None,
        settled_at=None, reason="",
    )  # fmt: skip
    return replace(stored, **changes)  # type: ignore[arg-type]


def test_an_event_with_messages_would_be_sent(endpoints: Mapping[str, Endpoint]) -> None:
    outlook = forecast(row(body='{"parts": 2, "total": 12.50}'), endpoints, namespace="n")
    assert (outlook.would, outlook.reason, outlook.refused) == ("send", "", ())
    assert [message["event"] for message in outlook.messages] == ["Order Completed"] * 2
    assert str(outlook.messages[0]["properties"]["total"]) == "12.50"


@pytest.mark.parametrize(
    ("type_", "would", "reason"),
    [
        ("skipped", "ignore", "a draft means nothing"),
        ("exploded", "unsupported", "has no translation"),
        ("broken", "dead", "RuntimeError: a bug of the translator"),
        ("surrogate", "dead", "UnicodeEncodeError"),
    ],
)
def test_an_event_without_messages_has_a_reason(
    endpoints: Mapping[str, Endpoint], type_: str, would: str, reason: str
) -> None:
    outlook = forecast(row(type_), endpoints, namespace="n")
    assert outlook.would == would
    assert reason in outlook.reason
    assert outlook.messages == ()


def test_messages_over_the_limits_of_segment_are_listed_as_refused(endpoints: Mapping[str, Endpoint]) -> None:
    outlook = forecast(row("half"), endpoints, namespace="n")
    assert [message["event"] for message in outlook.messages] == ["Order Updated"]
    ((message_id, fault),) = outlook.refused
    assert outlook.as_dict()["refused"] == [{"message_id": message_id, "fault": fault}]
    assert "32000" in fault


def test_an_event_whose_messages_are_all_refused_would_be_dead(endpoints: Mapping[str, Endpoint]) -> None:
    outlook = forecast(row(body='{"user": "", "parts": 2}'), endpoints, namespace="n")
    assert (outlook.would, outlook.messages, len(outlook.refused)) == ("dead", (), 2)
    assert outlook.reason.count("neither userId nor anonymousId") == 2


def test_an_event_without_endpoint_or_key_waits(endpoints: Mapping[str, Endpoint]) -> None:
    assert forecast(row(locked="encrypted with key 12"), endpoints, namespace="n") == Forecast(
        "wait", "encrypted with key 12"
    )
    assert forecast(row(), {}, namespace="n") == Forecast("wait", "no endpoint 'shop' is configured")


def test_a_replay_as_new_and_another_namespace_give_other_message_ids(endpoints: Mapping[str, Endpoint]) -> None:
    outlooks = [
        forecast(row(), endpoints, namespace="n"),
        forecast(row(), endpoints, namespace="n", as_new=True),
        forecast(row(), endpoints, namespace="m"),
        forecast(row(replay_generation=1), endpoints, namespace="n"),
    ]
    same, new, other, later = [outlook.messages[0]["messageId"] for outlook in outlooks]
    assert new == later
    assert len({same, new, other}) == 3


def test_a_forecast_is_compared_with_the_state_of_the_event() -> None:
    assert Forecast("dead").same_as(State.DEAD)
    assert Forecast("send").same_as(State.PENDING)
    assert not Forecast("send").same_as(State.DELIVERED)
    assert not Forecast("wait").same_as(State.DEAD)


def test_a_forecast_as_json_has_all_members() -> None:
    assert Forecast("ignore", "a test").as_dict() == {
        "would": "ignore", "reason": "a test", "messages": (), "refused": [],
    }  # fmt: skip
