"""Dead letters are grouped by what their reasons have in common, with a hint for each group."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from support.changes import seqs
from support.messages import AT
from webhooks.errors import UnknownName
from webhooks.journal import EventGroup, Journal, State
from webhooks.operations.dead import ELSE, HINTS, UNREADABLE, dead_groups, example_forecast, grouped
from webhooks.operations.reasons import reason_pattern
from webhooks.operations.selection import EventSelection
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.unreadable import MALFORMED_TYPE


def group(reason: str, *, count: int = 1, latest: int = 1, type_: str = "order", hours: int = 0) -> EventGroup:
    at = AT + timedelta(hours=hours)
    return EventGroup("shop", type_, State.DEAD, reason, count, at, at + timedelta(minutes=1), latest)


def test_groups_whose_reasons_have_one_pattern_are_merged() -> None:
    one, other = grouped(
        [
            group("malformed: $.items[2].id is missing", count=2, latest=7, hours=1),
            group("Segment answered HTTP 400", count=3, latest=4),
            group("malformed: $.items[13].id is missing", count=2, latest=9, hours=3),
            group("malformed: $.items[1].id is missing", latest=3),
        ]
    )
    assert (one.count, one.reason, one.latest) == (5, "malformed: $.items[N].id is missing", 9)
    assert one.example == "malformed: $.items[13].id is missing"
    assert (one.first, one.last) == (AT, AT + timedelta(hours=3, minutes=1))
    assert (other.count, other.latest, other.first) == (3, 4, AT)


def test_groups_of_other_types_stay_apart_the_most_frequent_first() -> None:
    groups = grouped([group("a", type_="x"), group("a", type_="b"), group("a", type_="y", count=2)])
    assert [(one.type, one.count) for one in groups] == [("y", 2), ("b", 1), ("x", 1)]
    assert grouped([]) == []


@pytest.mark.parametrize(
    ("reason", "type_", "hint"),
    [
        ("Traceback (most recent call last):\nKeyError: 'x'", "order", HINTS[0][1]),
        ("malformed: $.id is missing", "order", HINTS[1][1]),
        ("m-1: neither userId nor anonymousId is set", "order", HINTS[2][1]),
        ("33324 bytes, over Segment's 32000", "order", HINTS[3][1]),
        ("Segment answered HTTP 400", "order", HINTS[4][1]),
        ("another one", "order", ELSE),
        ("$.id is missing", MALFORMED_TYPE, UNREADABLE),
    ],
)
def test_the_hint_of_a_group_follows_its_reason(reason: str, type_: str, hint: str) -> None:
    (only,) = grouped([group(reason, type_=type_)])
    assert only.hint == hint


def test_reason_pattern_ignores_ids_indexes_and_long_numbers() -> None:
    id_ = "stripe-order-completed-" + "0af3" * 10
    assert reason_pattern(f"{id_}: 33324 bytes, over Segment's 32000") == "N bytes, over Segment's N"
    assert reason_pattern("malformed: $.items[12].id is missing") == "malformed: $.items[N].id is missing"
    assert reason_pattern("Segment answered HTTP 400") == "Segment answered HTTP 400"
    assert reason_pattern("Traceback (most recent call last):\n  File ...\nKeyError: 'x'\n") == "KeyError: 'x'"
    assert reason_pattern("") == ""


def test_dead_groups_are_those_of_the_selected_events(filled: Journal) -> None:
    (only,) = dead_groups(filled, EventSelection())
    assert (only.source, only.type, only.count, only.reason) == ("shop", "broken", 1, "why dead")
    assert only.latest == seqs(filled, "e5")[0]
    assert dead_groups(filled, EventSelection(ids=("e1", "e6"))) == []
    assert dead_groups(filled, EventSelection(states=(State.DELIVERED,))) == [only]
    with pytest.raises(UnknownName):
        dead_groups(filled, EventSelection(sources=("shpo",)), known={"shop"})


def test_the_example_of_a_group_has_a_forecast_until_it_is_pruned(
    filled: Journal, endpoints: Mapping[str, Endpoint]
) -> None:
    (only,) = dead_groups(filled, EventSelection())
    outlook = example_forecast(filled, only, endpoints, namespace="n")
    assert outlook is not None
    assert outlook.would == "dead"
    assert "a bug of the translator" in outlook.reason
    assert example_forecast(filled, replace(only, latest=99), endpoints, namespace="n") is None
