"""A message over 32 kB is shortened, and keeps its main facts."""

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.installed_endpoints import GOLDENS, sources
from translators.kit import Delivery
from webhooks.segment import encode, faults
from webhooks.segment.shorten import shorten
from webhooks.segment.spec import MESSAGE_BYTES
from webhooks.translation import translate
from webhooks.translation.goldens import RECEIVED, Golden, find_goldens, outcomes

LINE = {
    "product_id": "p1",
    "name": "A plain wooden chair of oak",
    "price": Decimal("19.90"),
    "quantity": 2,
    "sku": "CH-1",
}


def order(**properties: Any) -> dict[str, Any]:
    facts = {"order_id": "1001", "revenue": Decimal("3980.00"), "total": Decimal("4200.5"), "currency": "EUR"}
    return {
        "type": "track", "event": "Order Completed", "messageId": "acme-1", "timestamp": "2026-01-02T03:04:05.000Z", "userId": "u1",
        "context": {"webhook": {"source": "acme", "id": "1", "type": "order"}, "traits": {"email": "a@example.com"}},
        "properties": {**facts, **properties},
    }  # fmt: skip


def assert_fits(message: dict[str, Any]) -> None:
    body = encode(message)
    assert len(body) <= MESSAGE_BYTES
    assert faults(message, body) is None


def test_a_message_within_the_limit_is_unchanged() -> None:
    message = order(products=[LINE] * 20, note="x" * 20_000)
    assert shorten(deepcopy(message)) == message


def test_a_shortened_list_has_its_original_count() -> None:
    lines = [{**LINE, "product_id": f"p{number}"} for number in range(500)]
    message = shorten(order(products=lines, tags=["oak", "chair"]))
    assert_fits(message)
    sent = message["properties"]
    assert 200 < len(sent["products"]) < 500
    assert sent["products"] == lines[: len(sent["products"])]
    assert (sent["products_count"], sent["products_left_out"]) == (500, 500 - len(sent["products"]))
    assert sent["tags"] == ["oak", "chair"]
    assert len(encode(message)) > MESSAGE_BYTES - 600, "no more is left out than must be"
    assert message["context"]["webhook"]["cut"] == ["properties.products"]
    assert sent.items() >= {"order_id": "1001", "revenue": Decimal("3980.00"), "currency": "EUR"}.items()


def test_long_texts_are_shortened_before_lists() -> None:
    message = shorten(order(products=[{**LINE, "description": "long " * 8_000}], note="n" * 50_000))
    assert_fits(message)
    (line,) = message["properties"]["products"]
    assert len(line["description"]) == len(message["properties"]["note"]) == 1_000
    assert line["description"].endswith("…")
    assert "products_left_out" not in message["properties"]
    assert message["context"]["webhook"]["cut"] == ["properties.note", "properties.products.description"]


def test_several_lists_and_nested_lists_are_shortened_in_place() -> None:
    message = shorten(order(products=[LINE] * 900, plan={"items": [LINE] * 900}, tags=["t" * 90] * 900))
    assert_fits(message)
    sent = message["properties"]
    assert sent["tags_left_out"] > 0
    assert sent["products_left_out"] == 900 - len(sent.get("products", []))
    assert sent["plan"]["items_count"] == 900


def test_a_list_with_one_too_large_member_is_left_out() -> None:
    message = shorten(order(products=[{str(n): "x" * 199 for n in range(300)}]))
    assert_fits(message)
    assert "products" not in message["properties"]
    assert (message["properties"]["products_count"], message["properties"]["products_left_out"]) == (1, 1)


def test_thousands_of_properties_do_not_remove_the_revenue() -> None:
    message = shorten(order(**{f"field_{n}": f"value {n}" for n in range(5_000)}, deep={"a": {"b": ["x"] * 9_000}}))
    assert_fits(message)
    assert message["properties"].items() >= order()["properties"].items()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2_000),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=20), inner, max_size=30),
    max_leaves=60,
)


@settings(max_examples=25)
@given(
    st.dictionaries(st.text(min_size=1, max_size=30), JSON, max_size=20),
    st.integers(1, 40),
    st.sampled_from(["properties", "traits"]),
)
def test_whatever_is_in_it_the_message_fits_and_is_cut_alike(fields: dict[str, Any], times: int, where: str) -> None:
    message = order(**{f"{name}{n}": deepcopy(value) for n in range(times) for name, value in fields.items()})
    if where == "traits":
        message["type"], message["traits"] = "identify", message.pop("properties")
        del message["event"]
    before = {name: message[name] for name in ("messageId", "timestamp", "userId")}
    facts = order()["properties"]
    first, second = shorten(deepcopy(message)), shorten(deepcopy(message))
    assert first == second
    assert_fits(first)
    assert first.items() >= before.items()
    assert first[where].items() >= facts.items()


def grown(value: Any, times: int) -> Any:
    """Every list of objects within the objects of a body, that many times as long."""
    if isinstance(value, dict):
        return {
            name: [grown(item, 1) for item in member] * times
            if isinstance(member, list) and member and isinstance(member[0], dict)
            else grown(member, times)
            for name, member in value.items()
        }
    return value


def large() -> list[tuple[str, Golden]]:
    cases = []
    for name in sources():
        for golden in find_goldens(GOLDENS / name):
            if golden.path.suffix == ".json" and golden.body.lstrip()[:1] == b"{" and "malformed" not in golden.name:
                body = json.loads(golden.body)
                if "events" not in body and grown(body, 2) != body:
                    cases.append((name, golden))
    return cases


@pytest.mark.parametrize(("name", "golden"), [pytest.param(*case, id=f"{case[0]}-{case[1].name}") for case in large()])
def test_an_event_of_five_hundred_lines_arrives_with_its_facts(
    name: str, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sources()[name]
    sent: Delivery = golden.delivery(source, received_at=RECEIVED)
    body = json.dumps(grown(json.loads(golden.body), 500)).encode()
    delivery = Delivery(
        source=name, body=body, received_at=sent.received_at, headers=sent.headers, options=sent.options
    )
    cut = [outcome for _, outcome in outcomes(source, delivery)]
    monkeypatch.setattr(translate, "shorten", lambda message: message)
    for (_, outcome), short in zip(outcomes(source, delivery), cut, strict=True):
        if not isinstance(outcome, translate.Translated):
            assert short == outcome
            continue
        assert isinstance(short, translate.Translated)
        for whole, message in zip(outcome.messages, short.messages, strict=True):
            assert_fits(message)
            fields = "traits" if whole["type"] in {"identify", "group"} else "properties"
            facts = {key: value for key, value in whole[fields].items() if not isinstance(value, list | dict | str)}
            assert message[fields].items() >= facts.items()
            assert {**message, fields: None, "context": None} == {**whole, fields: None, "context": None}
            for key, value in whole[fields].items():
                if isinstance(value, list) and message[fields].get(key) != value and len(value) > 400:
                    assert message[fields][f"{key}_count"] == len(value)


def test_a_long_text_in_the_context_itself_is_shortened() -> None:
    message = order()
    message["context"] |= {"userAgent": "Mozilla " * 10_000, "ip": "203.0.113.9"}
    message = shorten(message)
    assert_fits(message)
    assert message["context"]["ip"] == "203.0.113.9"
    assert message["context"]["webhook"]["cut"] == ["context.userAgent"]


def test_a_message_that_cannot_be_made_small_enough_keeps_its_external_ids() -> None:
    ids = [{"id": "x" * 900, "type": f"type_{number}", "collection": "users"} for number in range(60)]
    message = {"type": "track", "event": "E", "userId": "u", "context": {"externalIds": ids}, "properties": {"a": 1}}
    assert shorten(message)["context"]["externalIds"] == ids
