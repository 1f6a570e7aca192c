"""The members of a batch are judged each alone, and none of them costs another."""

import contextlib
import json
import time
from datetime import UTC, datetime

import pytest

from translators.kit import Delivery, Malformed, Payload, raw_items, raw_member
from translators.kit.members import batch, readable_members

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOOD = [b'{"id":"1","at":1}', b'{"id":"2","at":2,"list":[{"a":1},{"b":[2]}]}', b'{"id":"3","at":"}],\\""}']
BAD = {
    "half an emoji": b'{"id":"\\ud83d"}', "no UTF-8": b'{"id":"\xff"}', "NaN": b'{"n":NaN}', "a word": b"nonsense", "NUL": b"\0",
    "a NUL in a text": b'{"id":"\0"}', "a control character": b'{"id":"\x01"}', "a byte order mark": b'\xef\xbb\xbf{"id":"9"}',
    "single quotes": b"{'id':1}", "an open object": b'{"id":"9"', "a brace": b"{", "a closing brace": b"}", "a bracket": b"[",
    "a closing bracket": b"]", "a quote": b'"', "a quote and a backslash": b'"\\', "an escaped quote": b'\\"', "a colon": b":",
    "an odd quote": b'{"a":"x"y"}', "the wrong bracket": b'{"a":1]', "brackets in a text": b'{"a":"[{,"}', "open lists": b"[" * 5_000,
    "open objects": b'{"a":' * 5_000, "deep": b"[" * 5_000 + b"]" * 5_000,
}  # fmt: skip
PATHS = [(), ("events",), ("data", "events")]


def wrapped(items: bytes, path: tuple[str, ...]) -> bytes:
    for step in reversed(path):
        items = b'{"before":"[","%s":%s,"after":["]"]}' % (step.encode(), items)
    return items


@pytest.mark.parametrize("path", PATHS, ids=[".".join(path) or "$" for path in PATHS])
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_member_that_cannot_be_read_costs_no_other(bad: bytes, path: tuple[str, ...]) -> None:
    for place in range(len(GOOD) + 1):
        members = [*GOOD[:place], bad, *GOOD[place:]]
        for separator in (b",", b" ,\n "):
            assert raw_items(wrapped(b"[ " + separator.join(members) + b" ]", path), *path) == members


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_stands_beside_a_list_is_read_whatever_the_list_holds(bad: bytes) -> None:
    split = batch(wrapped(b"[" + b",".join([*GOOD, bad]) + b"]", ("events",)), "events")
    assert split.members == [*GOOD, bad]
    assert (split.envelope.text("before"), split.envelope.get("after")) == ("[", ["]"])


def test_of_a_truncated_list_the_whole_members_are_kept_and_the_rest_is_one() -> None:
    whole = b"[" + b",".join(GOOD) + b"]"
    for end in range(len(GOOD[0]) + 1, len(whole)):
        members = raw_items(whole[:end])
        kept = sum(whole[:end].count(member) for member in GOOD)
        assert members[:kept] == GOOD[:kept]
        assert len(members) <= kept + 1
        assert whole[:end].rstrip(b",]").endswith(b"".join(members[kept:]).rstrip(b",]")), members


def test_two_bad_members_cost_no_more_than_what_is_between_them() -> None:
    assert raw_items(b"[" + b",".join([GOOD[0], b"NaN", GOOD[1], b"\xff", GOOD[2]]) + b"]") == [
        GOOD[0], b"NaN", GOOD[1], b"\xff", GOOD[2],
    ]  # fmt: skip
    assert raw_items(b"[" + b",".join([GOOD[0], b"{", GOOD[1], b"{", GOOD[2]]) + b"]") == [
        GOOD[0], b"{," + GOOD[1] + b",{", GOOD[2],
    ]  # fmt: skip


def test_the_members_of_a_list_that_a_member_leaves_open_are_no_events() -> None:
    left_open = b'{"id":"9","list":[{"nested":1},{"nested":2}'
    assert raw_items(b"[" + GOOD[0] + b"," + left_open + b"," + GOOD[1] + b"]") == [GOOD[0], left_open, GOOD[1]]
    assert raw_items(b"[" + GOOD[0] + b"," + left_open + b"]") == [GOOD[0], left_open + b"]"]
    with pytest.raises(Malformed, match="no member of it can be read"):
        raw_items(b"[" + left_open + b"," + GOOD[1] + b"]")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"events":{}}', b'{"events":1', b'{"other":[]}', b"[", b"[{", b"[\xff"])
def test_without_a_list_or_any_member_of_it_the_body_cannot_be_split(body: bytes) -> None:
    with pytest.raises(Malformed, match=r"\$"):
        raw_items(body, *(["events"] if body[:1] != b"[" else []))


def test_a_member_of_the_envelope_that_may_be_missing_is_never_taken_for_none() -> None:
    """Adyen's `live` decides whether a payment is a test."""
    cut = batch(b'{"a":"b","events":[{"id":1},{"id":', "events")
    assert cut.members == [b'{"id":1}', b'{"id":']
    assert cut.envelope.text("a") == "b"
    for envelope in (cut.envelope, batch(b'{"live":NaN,"events":[]}', "events").envelope):
        with pytest.raises(Malformed, match=r"\$\.live"):
            envelope.text("live", "")
    assert batch(b'{"events":[]}', "events").envelope.text("live", "") == ""


def test_a_byte_order_mark_and_utf_16_are_read_as_a_single_body_is() -> None:
    text = '[{"id":"é"},{"id":"2"}]'
    for body in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-32-le")):
        assert [json.loads(member) for member in raw_items(body)] == [{"id": "é"}, {"id": "2"}]
    assert raw_items(b'\xef\xbb\xbf{"a":[1, 2]}', "a") == [b"1", b"2"]


def test_a_member_is_its_exact_bytes_in_a_body_that_is_not_clean_too() -> None:
    detail = b'{ "n":1.0,\n"text":"\\ud83d\\u0022}" }'
    body = b'{"x":NaN, "\\u0064etail" : ' + detail + b' , "y":"\xff"}'
    assert raw_member(body, "detail") == detail
    assert raw_member(b'{"a":NaN,"b":{"c": [1 ]}}', "b", "c") == b"[1 ]"
    with pytest.raises(Malformed, match=r"\$\.z is missing"):
        raw_member(body, "z")


def test_the_readable_members_of_an_object_are_read_and_no_other() -> None:
    payload: Payload = readable_members(b'{"signature":{"token":"t"},"event-data":{"x":"\xff"}}')
    assert payload.text("signature.token") == "t"
    with pytest.raises(Malformed):
        payload.object("event-data")


@pytest.mark.parametrize(
    "unit",
    [b'"', b'\\"', b"\\", b'"\\', b"[", b"]", b"{", b"}", b",", b":", b"],", b"{},", b"{x},", b"[]", b'{"a":"', b'{"a":1},]', b'],"a":[', b"\xff"],
)  # fmt: skip
def test_a_body_made_to_be_slow_takes_time_in_proportion_to_its_length(unit: bytes) -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        for start in (b"[", b'{"events":['):
            for end in (b"", b"]}"):
                with contextlib.suppress(Malformed):
                    raw_items(start + unit * (size // len(unit)) + end, *(["events"] if start != b"[" else []))
        return time.process_time() - began

    assert seconds(200_000) < max(20 * seconds(50_000), 0.5)


def test_the_members_of_a_list_left_open_are_events_if_they_have_an_events_names() -> None:
    """Whether the list or its object was left open cannot be known, so nothing that may be an event is lost."""
    alike, cut = b'{"id":"x","at":1}', b'{"id":"9","list":['
    assert raw_items(b"[" + GOOD[0] + b"," + cut + alike + b"," + GOOD[1] + b"]") == [
        GOOD[0], cut[:-1], alike, GOOD[1],
    ]  # fmt: skip
    assert raw_items(b"[" + GOOD[0] + b"," + cut + b"{x}," + alike + b"," + GOOD[1] + b"]") == [
        GOOD[0], cut + b"{x}", alike, GOOD[1],
    ]  # fmt: skip


def test_a_name_that_is_not_json_affects_no_other() -> None:
    split = batch(b'{"a\x01":1,"live":"false","events":[{"id":1},NaN]}', "events")
    assert split.members == [b'{"id":1}', b"NaN"]
    assert split.envelope.text("live") == "false"


def test_a_body_is_split_once_for_each_list() -> None:
    delivery = Delivery(source="acme", body=b'{"events":[1],"more":[2]}', received_at=NOW)
    assert delivery.batch("events") is delivery.batch("events")
    assert delivery.batch("more").members == [b"2"]
