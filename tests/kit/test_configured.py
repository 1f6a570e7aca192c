"""A source can be had from segue.toml alone, and every wrong key is named."""

import json
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from translators.kit import Declaration, Delivery, HmacBody, Malformed, Source
from translators.kit.configured import configured
from webhooks.endpoints import Endpoint
from webhooks.translate import Broken, Ignored, Translated, Unsupported, translate

TOML = """
title = "Acme"
scheme = { class = "HmacBody", header = "X-Acme-Signature", encoding = "hex" }
id = "header:X-Acme-Delivery"
type = "event"
time = "at"
items = "events"

[identity]
user_id = "user.id"
metadata = "meta"
anonymous = "customer"
group_id = "account"
external_ids = { acme_customer_id = "customer" }
traits = { email = "email" }

[events."order.paid"]
track = "Order Completed"
fields = { order_id = "id", revenue = { minor = "cents", currency = "currency" }, total = { decimal = "total" }, placed_at = { time = "placed" }, channel = { value = "web" } }

[events."user.changed"]
identify = true
fields = { name = "name" }

[events."account.changed"]
group = "account"
fields = { plan = "plan" }

[ignore]
"invoice.*" = "order.paid tells the same"
"""


def acme(**changes: Any) -> Source:
    return configured("acme", {**tomllib.loads(TOML), **changes})


def told(source: Source, *events: dict[str, Any]) -> list[Any]:
    delivery = Delivery(
        source="acme", body=json.dumps({"events": list(events)}).encode(), received_at=datetime(2026, 1, 1, tzinfo=UTC),
        headers={"x-acme-delivery": "d1"},
    )  # fmt: skip
    door = Endpoint(name="acme", source=source, scheme=source.schemes["default"], user_id_keys=("user_id",))
    return [translate(event, door, namespace="n") for event in source.events(delivery)]


def test_a_configured_event_becomes_its_message_with_exact_money_and_its_own_time() -> None:
    (outcome,) = told(
        acme(),
        {"event": "order.paid", "at": 1700000000, "id": 5, "cents": 1999, "currency": "kwd", "total": "2.50",
         "placed": "2026-01-01T00:00:00Z", "customer": "c1", "account": "a1", "email": "a@example.com"},
    )  # fmt: skip
    assert isinstance(outcome, Translated)
    (message,) = outcome.messages
    assert message["timestamp"] == "2023-11-14T22:13:20.000Z"
    assert message["properties"] == {
        "order_id": 5, "revenue": Decimal("1.999"), "total": Decimal("2.50"),
        "placed_at": "2026-01-01T00:00:00.000Z", "channel": "web",
    }  # fmt: skip
    assert message["context"]["groupId"] == "a1"
    assert message["context"]["traits"] == {"email": "a@example.com"}
    assert message["context"]["externalIds"][0]["id"] == "c1"
    assert "anonymousId" in message


def test_identity_follows_the_metadata_then_the_configured_user_id() -> None:
    by_metadata, by_field = told(
        acme(),
        {"event": "user.changed", "meta": {"user_id": "m"}, "user": {"id": "u"}, "name": "N"},
        {"event": "user.changed", "user": {"id": "u"}, "name": "N"},
    )
    assert by_metadata.messages[0]["userId"] == "m"
    assert by_field.messages[0]["userId"] == "u"
    assert by_field.messages[0]["traits"] == {"name": "N"}


def test_groups_ignored_and_unknown_types_are_told_apart() -> None:
    group, ignored, unknown, broken = told(
        acme(),
        {"event": "account.changed", "account": "a1", "plan": "pro", "customer": "c"},
        {"event": "invoice.sent"},
        {"event": "new.thing"},
        {"event": "order.paid", "cents": "many", "currency": "usd"},
    )
    assert group.messages[0]["groupId"] == "a1"
    assert ignored == Ignored("order.paid tells the same")
    assert isinstance(unknown, Unsupported)
    assert broken == Broken("malformed: $.cents is text, not a whole number")


def test_without_an_id_path_the_bytes_are_the_key() -> None:
    source = acme(id="", items="$", time="header:X-At")
    delivery = Delivery(
        source="acme", body=b'[{"event": "x"}]', received_at=datetime(2026, 1, 1, tzinfo=UTC),
        headers={"x-at": "1700000000"},
    )  # fmt: skip
    (event,) = source.events(delivery)
    assert event.key.startswith("sha256:")
    assert event.occurred_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_missing_header_id_is_malformed() -> None:
    with pytest.raises(Malformed):
        acme().events(Delivery(source="acme", body=b'{"events":[{"event":"x"}]}', received_at=datetime.now(UTC)))


def test_a_source_without_batches_or_identity_is_enough() -> None:
    plain = configured("acme", {"scheme": {"class": "HmacBody", "header": "X"}, "type": "t", "id": "id"})
    assert plain.schemes["default"] == HmacBody(header="X")
    (event,) = plain.events(Delivery(source="acme", body=b'{"id": 1, "t": "x"}', received_at=datetime.now(UTC)))
    assert plain.identity(event).anonymous is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scheme": None}, "sources.acme.scheme needs class"),
        ({"scheme": {"class": "Nope"}}, "needs class = one of HmacBody"),
        ({"scheme": {"class": "HmacBody", "header": "X", "colour": 1}}, "sources.acme.scheme.colour is not a setting"),
        ({"scheme": {"class": "HmacBody"}}, "sources.acme.scheme: .*header"),
        ({"scheme": {"class": "HmacBody", "header": "X", "alg": "md5"}}, "Invalid enum value 'md5'"),
        ({"typo": 1}, "sources.acme.typo is not a setting"),
        ({"type": 1}, "sources.acme.type must be text"),
        ({"identity": []}, "sources.acme.identity must be a table"),
        ({"identity": {"external_ids": {"UPPER": "x"}}}, "must be lower case"),
        ({"events": {"a": 1}}, "must be a table"),
        ({"events": {"a": {}}}, "needs one of track = name, identify = true, group = path"),
        ({"events": {"a": {"track": 1}}}, "track must be text"),
        ({"events": {"a": {"track": "A", "fields": {"x": 1}}}}, "fields.x must be a path"),
    ],
)
def test_every_wrong_key_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(Declaration, match=problem):
        acme(**changes)


@pytest.mark.parametrize("missing", ["scheme", "type"])
def test_a_missing_key_is_named(missing: str) -> None:
    config = tomllib.loads(TOML)
    del config[missing]
    with pytest.raises(Declaration, match=f"sources.acme.{missing} is missing"):
        configured("acme", config)
