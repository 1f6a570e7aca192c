"""Encoding of messages, and batches."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from support.messages import encoded, message
from webhooks.segment import Encoded, assemble, cut, encode
from webhooks.segment.spec import BATCH_BYTES, BATCH_MESSAGES

NOW = datetime(2026, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)


def test_money_is_encoded_exactly_and_text_is_not_escaped() -> None:
    body = encode(message(properties={"total": Decimal("1234567890123456789.10"), "name": "Zoë"}))
    assert b'"total":1234567890123456789.10,' in body
    assert '"name":"Zoë"'.encode() in body


def test_a_body_has_only_the_batch_at_its_root() -> None:
    assert json.loads(assemble([encoded(1), encoded(2)])) == {"batch": [message(1), message(2)]}


def test_sent_at_is_at_the_root_if_requested() -> None:
    body = json.loads(assemble([encoded(1)], sent_at=NOW))
    assert body == {"batch": [message(1)], "sentAt": "2026-03-31T12:00:00.123456Z"}


@given(st.lists(st.integers(1, 120), max_size=60), st.integers(1, 12), st.integers(200, 400))
def test_batches_keep_order_and_all_messages_within_the_limits(sizes, most, most_bytes) -> None:
    items = [Encoded(str(index), b'"' + b"x" * size + b'"') for index, size in enumerate(sizes)]
    batches = list(cut(items, most_bytes=most_bytes, most=most))
    assert [item for batch in batches for item in batch] == items
    assert all(0 < len(batch) <= most for batch in batches)
    assert all(len(assemble(batch, sent_at=NOW)) <= most_bytes for batch in batches)


@given(st.integers(2_400, 5_100))
def test_a_batch_has_at_most_segments_number_of_messages(count) -> None:
    batches = list(cut([Encoded("m", b"{}")] * count))
    assert [len(batch) for batch in batches[:-1]] == [BATCH_MESSAGES] * (len(batches) - 1)
    assert sum(map(len, batches)) == count


def test_a_batch_is_filled_up_to_the_limit() -> None:
    items = [Encoded(str(number), b"x" * 31_000) for number in range(40)]
    batches = list(cut(items))
    assert [len(batch) for batch in batches] == [15, 15, 10]
    assert max(len(assemble(batch)) for batch in batches) <= BATCH_BYTES


def test_a_message_longer_than_a_batch_is_alone() -> None:
    items = [Encoded("1", b"x"), Encoded("2", b"x" * 500), Encoded("3", b"x")]
    assert [[item.id for item in batch] for batch in cut(items, most_bytes=200)] == [["1"], ["2"], ["3"]]


def test_no_messages_make_no_batch() -> None:
    assert list(cut([])) == []
