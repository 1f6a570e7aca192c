"""Messages that Segment would drop after a 200, or refuse, are found before they are sent."""

import pytest

from support.messages import message
from webhooks.segment import encode, faults
from webhooks.segment.spec import MESSAGE_BYTES

EXTERNAL = {"id": "cus_1", "type": "shop_customer_id", "collection": "users", "encoding": "none"}


def fault(**more):
    made = message(**more)
    return faults(made, encode(made))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"userId": None, "anonymousId": "a1"},
        {"type": "identify", "event": None, "properties": None, "traits": {"email": "a@example.com"}},
        {"type": "group", "event": None, "properties": None, "groupId": "g1", "traits": {}},
        {"type": "alias", "event": None, "properties": None, "previousId": "old"},
        {"type": "page", "event": None, "name": "Home"},
        {"type": "screen", "event": None},
        {"timestamp": "2026-03-31T14:00:00+02:00"},
        {"context": {}},
        {"context": {"consent": {}}},
        {"context": {"consent": {"categoryPreferences": {"Analytics": False}}}},
        {"context": {"externalIds": [EXTERNAL]}},
        {"context": {"externalIds": []}},
        {"messageId": "m" * 99},
    ],
)
def test_a_valid_message_has_no_fault(more) -> None:
    assert fault(**more) is None


@pytest.mark.parametrize(
    ("more", "problem", "hint"),
    [
        ({"type": "trak"}, "type 'trak'", "use one of"),
        ({"messageId": None}, "messageId is missing", "deterministic"),
        ({"messageId": 7}, "messageId is missing", "deterministic"),
        ({"messageId": "m" * 100}, "100 characters", "under 100"),
        ({"sentAt": "2026-03-31T12:00:00Z"}, "sentAt", "leave it out"),
        ({"timestamp": None}, "not ISO 8601", "event's own time"),
        ({"timestamp": "yesterday"}, "not ISO 8601", "event's own time"),
        ({"timestamp": 1774958400}, "not ISO 8601", "event's own time"),
        ({"timestamp": "2026-03-31T12:00:00"}, "no time zone", "UTC"),
        ({"timestamp": "1970-01-21T13:00:00Z"}, "implausible", "milliseconds"),
        ({"timestamp": "2100-01-01T00:00:00Z"}, "implausible", "milliseconds"),
        ({"userId": None}, "neither userId nor anonymousId", "return an identity"),
        ({"userId": 12}, "userId must be a non-empty string", "string"),
        ({"userId": " "}, "userId must be a non-empty string", "string"),
        ({"anonymousId": ""}, "anonymousId must be a non-empty string", "leave it out"),
        ({"event": None}, "no event name", "set the event's name"),
        ({"event": "  "}, "no event name", "set the event's name"),
        ({"type": "group", "properties": None}, "groupId", "string"),
        ({"type": "alias", "properties": None}, "previousId and userId", "set both"),
        ({"type": "alias", "properties": None, "userId": None, "previousId": "b"}, "previousId", "set both"),
        ({"traits": {}}, "traits are not allowed in track", "move them to properties"),
        ({"type": "alias", "previousId": "b"}, "properties are not allowed in alias", "leave them out"),
        ({"type": "identify"}, "properties are not allowed in identify", "move them to traits"),
        ({"properties": [1]}, "properties must be an object", "names and values"),
        ({"properties": dict.fromkeys(map(str, range(10_001)), 1)}, "10001 properties", "send fewer"),
        ({"context": []}, "context must be an object", "names and values"),
        ({"context": {"consent": True}}, "consent must be an object", "leave it out"),
        ({"context": {"consent": {"categoryPreferences": {}}}}, "categoryPreferences", "leave consent out"),
        ({"context": {"consent": {"categoryPreferences": {"A": "yes"}}}}, "categoryPreferences", "to true or false"),
        ({"context": {"externalIds": EXTERNAL}}, "externalIds must be a list", "lower case"),
        ({"context": {"externalIds": [{"id": "1", "type": "x"}]}}, "externalIds must be a list", "encoding"),
        ({"context": {"externalIds": [{**EXTERNAL, "type": "Shop"}]}}, "externalIds", "lower case"),
        ({"context": {"externalIds": [{**EXTERNAL, "collection": "people"}]}}, "externalIds", "users or accounts"),
        ({"context": {"externalIds": [{**EXTERNAL, "encoding": "md5"}]}}, "externalIds", "encoding none"),
        ({"context": {"externalIds": [{**EXTERNAL, "id": 5}]}}, "externalIds", "list of"),
        ({"properties": {"x": "é" * 16_000}}, "over Segment's 32000", "shorter"),
    ],
)  # fmt: skip
def test_a_fault_has_the_problem_and_the_fix(more, problem, hint) -> None:
    text = fault(**more)
    assert problem in text
    assert hint in text


def test_the_size_is_that_of_the_exact_bytes() -> None:
    space = MESSAGE_BYTES - len(encode(message(properties={"x": ""})))
    assert fault(properties={"x": "a" * space}) is None
    assert fault(properties={"x": "a" * (space + 1)}) is not None
