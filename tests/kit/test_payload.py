"""A payload answers with the right type or names the path that is wrong."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Declaration, Malformed, Payload, parse_json, payload, raw_items

BODY = Payload(
    {
        "id": "evt_1", "n": 7, "big": 2**60 + 1, "price": Decimal("19.90"), "text_price": "19.90", "yes": True,
        "none": None, "customer": {"id": "cus_1", "tags": ["a", {"x": 1}]}, "currency": "jpy", "at": 1700000000,
        "ms": 1700000000123, "iso": "2026-01-02T03:04:05.123456789Z", "meta": {"a": "1", "b": 2}, "half": Decimal("1.5"),
    }
)  # fmt: skip


def test_a_member_is_read_by_its_dotted_path_and_type() -> None:
    assert BODY.text("id") == "evt_1"
    assert BODY.integer("n") == 7
    assert BODY.decimal("text_price") == BODY.decimal("price") == Decimal("19.90")
    assert BODY.flag("yes") is True
    assert BODY.integer("customer.tags.1.x") == 1
    assert BODY.money("n", "currency") == Decimal(7)
    assert BODY.money("absent", "currency") is None


def test_an_id_is_text_or_a_whole_number_or_an_expanded_object() -> None:
    assert BODY.id("id") == "evt_1"
    assert BODY.id("n") == "7"
    assert BODY.id("customer") == "cus_1"
    with pytest.raises(Malformed, match=r"\$\.yes is true or false, not an id"):
        BODY.id("yes")


@pytest.mark.parametrize("missing", ["nothing", "none", "customer.name", "id.deeper", "customer.tags.9"])
def test_a_missing_or_null_member_raises_with_its_path_unless_a_default_is_given(missing: str) -> None:
    with pytest.raises(Malformed, match="is missing") as caught:
        BODY.text(missing)
    assert caught.value.path == f"$.{missing}"
    assert BODY.text(missing, None) is None
    assert BODY.integer(missing, 3) == 3
    assert not BODY.maybe("absent")


@pytest.mark.parametrize(
    ("read", "path", "problem"),
    [
        (Payload.text, "n", "is a number, not text"),
        (Payload.integer, "half", "is a number, not a whole number"),
        (Payload.integer, "yes", "is true or false, not a whole number"),
        (Payload.flag, "id", "is text, not true or false"),
        (Payload.decimal, "id", "is not a number"),
        (Payload.decimal, "customer", "is an object, not a number"),
        (Payload.seconds, "id", "is not a time in unix seconds"),
        (Payload.seconds, "ms", "is not a time in unix seconds"),
        (Payload.iso, "id", "is not an ISO 8601 time"),
        (Payload.iso, "n", "is a number, not an ISO 8601 time"),
        (Payload.object, "id", "is text, not an object"),
    ],
)
def test_an_ill_typed_member_raises_even_with_a_default(read: object, path: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        read(BODY, path)  # type: ignore[operator]


def test_an_empty_id_is_none() -> None:
    empty = Payload({"id": ""})
    assert empty.id("id", None) is None
    with pytest.raises(Malformed, match="is empty"):
        empty.id("id")


def test_times_come_in_seconds_milliseconds_and_iso() -> None:
    assert BODY.seconds("at") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert BODY.millis("ms") == datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)
    assert BODY.iso("iso") == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert BODY.when("ms") == BODY.millis("ms")
    assert BODY.when("at") == BODY.seconds("at")
    assert BODY.when("iso") == BODY.iso("iso")


def test_paths_grow_with_the_walk() -> None:
    with pytest.raises(Malformed, match=r"\$\.customer\.tags\[1\]\.y is missing"):
        list(BODY.object("customer").each("tags"))[1].text("y")
    assert list(BODY.each("absent")) == []


def test_select_returns_the_present_members_and_renames() -> None:
    assert BODY.select("id", "none", "customer.id", number="n") == {"id": "cus_1", "number": 7}
    assert BODY.texts("meta") == {"a": "1", "b": "2"}
    assert BODY.texts("customer.tags") == {}
    assert "id" in BODY
    assert "none" not in BODY


def test_numbers_are_exact_at_any_size() -> None:
    parsed = parse_json(b'{"a": 123456789012345678901234567890, "b": 0.1, "c": 9007199254740993}')
    assert parsed == {"a": 123456789012345678901234567890, "b": Decimal("0.1"), "c": 9007199254740993}


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe{}", b"[" * 200_000, b'{"a":1}x', b'{"a":1e99999999999999999999}']
)  # fmt: skip
def test_what_is_no_json_is_malformed_and_never_anything_else(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_json(body)


def test_a_lone_surrogate_is_replaced_so_that_it_can_be_sent_on() -> None:
    parsed = parse_json(b'{"name": "a\\ud800b", "l": ["\\udfff"], "\\ud800": 1}')
    assert parsed == {"name": "a\ufffdb", "l": ["\ufffd"], "\ufffd": 1}
    json.dumps(parsed).encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_items_keep_their_exact_bytes(value: object) -> None:
    spaced = json.dumps(value, indent=1).encode()
    body = b'{"other": 1, "list": [ ' + spaced + b" , 1.50 ]}"
    assert raw_items(body, "list") == [spaced, b"1.50"]


@pytest.mark.parametrize(
    ("body", "path"), [(b"{}", "$.list"), (b'{"list": 1}', "$.list"), (b"[]", "$"), (b"\xff", "$")]
)
def test_a_missing_list_is_malformed(body: bytes, path: str) -> None:
    with pytest.raises(Malformed) as caught:
        raw_items(body, "list")
    assert caught.value.path == path


def test_a_payload_does_not_show_its_content() -> None:
    assert repr(BODY) == "<Payload $>"


def test_huge_exponents_are_refused_before_they_cost_memory() -> None:
    huge = Payload(parse_json(b'{"a": 1e200000, "b": "1e999999"}'))
    with pytest.raises(Malformed, match="is not a whole number"):
        huge.integer("a")
    with pytest.raises(Malformed, match="is not a number"):
        huge.decimal("b")


@pytest.mark.parametrize("raw", [b'{"\x80id": 1}', b'{"id": "\xff"}', b"\xff\xfe{}", b'{"id": 1'])
def test_bytes_that_are_no_utf8_json_are_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed, match=r"\$ is not JSON"):
        parse_json(raw)


READS = [
    Payload.id, Payload.integer, Payload.decimal, Payload.flag, Payload.seconds, Payload.millis, Payload.iso, Payload.when
]  # fmt: skip


@pytest.mark.parametrize("read", READS)
def test_an_empty_text_is_a_missing_number_flag_time_or_id(read: Any) -> None:
    empty = Payload({"x": ""})
    assert read(empty, "x", None) is None
    with pytest.raises(Malformed, match=r"\$\.x is empty"):
        read(empty, "x")
    assert empty.text("x") == ""
    assert not empty.maybe("x")
    assert list(empty.each("x")) == []


@pytest.mark.parametrize("value", [{}, {"id": None}, {"id": ""}, {"name": "Ada"}])
def test_an_expanded_object_without_an_id_is_a_missing_id(value: Any) -> None:
    body = Payload({"customer": value})
    assert body.id("customer", None) is None
    with pytest.raises(Malformed, match=r"\$\.customer is an object without an id"):
        body.id("customer")


@pytest.mark.parametrize("text", ["1_000", "1,000.50", "1.000,50", "EUR 5", "5 EUR", "½", "1e", "--1"])
def test_a_text_that_is_no_plain_number_is_no_amount(text: str) -> None:
    with pytest.raises(Malformed, match="is not a number"):
        Payload({"x": text}).decimal("x", None)


def test_the_names_of_a_list_leave_out_what_has_none() -> None:
    tags = [{"name": "vip"}, {"name": None}, {"name": ""}, {}, "x", {"name": 7}, {"name": "new"}]
    assert Payload({"tags": tags}).texts_of("tags", "name") == ["vip", "new"]
    assert Payload({}).texts_of("tags", "name") == []
    assert Payload({"tags": [{"type": {"name": "a"}}]}).texts_of("tags", "type.name") == ["a"]
    with pytest.raises(Malformed):
        Payload({"tags": 7}).texts_of("tags", "name")


ORDER = Payload(
    {
        "id": 7, "status": "PAID", "note": "", "plan": {"name": "Pro"}, "total": "19.90", "paid": 1_700_000_000, "test": False,
        "tags": ["a"], "ms": 1_700_000_000_000, "iso": "2026-01-01T00:00:00Z", "currency": "eur",
    }
)  # fmt: skip


def test_select_reads_each_member_by_its_type() -> None:
    assert ORDER.select("status:lower", "tags", "none:text", order_id="id:id", total="total:decimal", code="currency:upper") == {
        "status": "paid", "tags": ["a"], "order_id": "7", "total": Decimal("19.90"), "code": "EUR",
    }  # fmt: skip
    assert ORDER.select("note", "note:text", x="note:lower", y="note:decimal") == {"note": ""}
    with pytest.raises(Malformed, match=r"\$\.plan is an object, not text"):
        ORDER.select("plan:text")
    with pytest.raises(Declaration, match="id:integr: a member is read as one of decimal, flag"):
        ORDER.select("id:integr")


def test_select_requires_a_member_with_an_exclamation_mark() -> None:
    assert ORDER.select("id:id!", order_id="id:id!", note="note:nonempty") == {
        "id": ORDER.id("id"),
        "order_id": ORDER.id("id"),
    }
    with pytest.raises(Malformed, match=r"\$\.none is missing"):
        ORDER.select(missing="none:text!")
    for spec in ("id!", "note:lower!"):
        with pytest.raises(Declaration, match="a required member is read as one of"):
            ORDER.select(spec)


def test_first_returns_the_first_text_that_is_not_empty() -> None:
    assert ORDER.first("none", "note", "plan.name", "status") == "Pro"
    assert ORDER.first("none:id", "id:id") == "7"
    assert ORDER.first("none") is None
    with pytest.raises(Malformed, match="not text"):
        ORDER.first("id")


def test_optional_members_are_none_if_missing_and_refused_if_ill_typed() -> None:
    read = {
        "text": ("status", "PAID"), "id": ("id", "7"), "integer": ("id", 7), "decimal": ("total", Decimal("19.90")),
        "flag": ("test", False), "seconds": ("paid", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        "millis": ("ms", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)), "iso": ("iso", datetime(2026, 1, 1, tzinfo=UTC)),
        "when": ("iso", datetime(2026, 1, 1, tzinfo=UTC)), "utc": ("iso", datetime(2026, 1, 1, tzinfo=UTC)),
        "lower": ("status", "paid"), "upper": ("status", "PAID"),
    }  # fmt: skip
    for method, (path, value) in read.items():
        assert getattr(ORDER.opt, method)(path) == value
        assert getattr(ORDER.opt, method)("none") is None
        with pytest.raises(Malformed):
            getattr(ORDER.opt, method)("tags")


def test_money_takes_the_currency_by_path_or_by_code() -> None:
    price = Payload({"amount": 1990, "currency": "jpy"})
    assert price.money("amount", "currency") == Decimal(1990)
    assert price.money("amount", code="EUR") == Decimal("19.90")
    assert price.money("none", code="EUR") is None
    with pytest.raises(Malformed, match="none is missing"):
        price.money("amount", "none")


def test_optional_money_is_none_without_an_amount_or_a_currency() -> None:
    price = Payload({"amount": 1990, "currency": "jpy", "empty": "", "odd": "x"})
    assert price.opt.money("amount", "currency") == Decimal(1990)
    assert price.opt.money("amount", code="EUR") == Decimal("19.90")
    assert price.opt.money("amount", code="EUR", decimals=3) == Decimal("1.990")
    assert price.opt.money("none", code="EUR") is price.opt.money("amount", code=None) is None
    assert price.opt.money("amount", "none") is price.opt.money("amount", "empty") is None
    with pytest.raises(Malformed, match=r"\$\.odd is text, not a whole number"):
        price.opt.money("odd", code=None)


def test_a_time_without_a_zone_is_read_as_utc_if_asked_for() -> None:
    order = Payload({"paid": "2026-01-01T10:00:00", "shipped": "2026-01-01T10:00:00+02:00"})
    assert order.select(paid_at="paid:utc", shipped_at="shipped:utc", sent_at="sent:utc") == {
        "paid_at": datetime(2026, 1, 1, 10, tzinfo=UTC),
        "shipped_at": datetime(2026, 1, 1, 8, tzinfo=UTC),
    }
    with pytest.raises(Malformed, match="is not an ISO 8601 time"):
        order.select("paid:iso")


def test_lists_nested_too_deeply_behind_half_an_emoji_are_malformed() -> None:
    """Half an emoji is read by a second parser, which has a limit of its own."""
    with pytest.raises(Malformed, match="nested too deeply"):
        parse_json(b'["\\ud83d",' + b"[" * 100_000)


def test_paths_made_at_run_time_do_not_fill_the_memory() -> None:
    body = Payload({"a": {str(number): number for number in range(5_000)}})
    assert all(body.integer(f"a.{number}") == number for number in range(5_000))
    assert len(payload._STEPS) <= payload._MOST_STEPS
