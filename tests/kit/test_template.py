"""Bodies that an operator pasted as a template."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Item, Malformed, Payload, filled, moment, template_object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in leaves(member)]
    if isinstance(value, list):
        return [leaf for member in value for leaf in leaves(member)]
    return [value]


def test_what_the_provider_had_nothing_for_is_missing() -> None:
    body = filled(Payload({"id": "7", "name": "", "group": {"id": " "}, "tags": ["", "vip"]}))
    assert body.value == {"id": "7", "group": {}, "tags": ["vip"]}
    assert body.id("group.id", None) is None


def test_a_placeholder_that_was_not_rendered_is_missing() -> None:
    assert filled(Payload({"at": "{{ticket.updated_at}}"})).value == {}


def test_the_words_for_nothing_are_the_providers() -> None:
    assert filled(Payload({"team": "None", "name": ""}), blank=("", "None")).value == {}
    assert filled(Payload({"name": "None"})).value == {"name": "None"}


@given(JSON)
def test_nothing_but_blank_text_is_ever_dropped(value: Any) -> None:
    kept = leaves(filled(Payload({"it": value})).value)
    blank = [leaf for leaf in leaves({"it": value}) if isinstance(leaf, str) and not leaf.strip()]
    placeholders = [leaf for leaf in leaves({"it": value}) if isinstance(leaf, str) and leaf.strip().startswith("{{")]
    assert len(kept) >= len(leaves({"it": value})) - len(blank) - len(placeholders)
    assert not [leaf for leaf in kept if leaf == ""]


@pytest.mark.parametrize("text", ["", "yesterday", "5 October 2026", "2026-10-05T09:31:22", 7, None])
def test_a_time_that_cannot_be_read_is_no_time(text: Any) -> None:
    assert moment(Payload({"at": text}), "at") is None


def test_a_time_without_a_zone_counts_only_where_the_provider_means_utc() -> None:
    body = Payload({"at": "2026-10-05T09:31:22.5"})
    assert moment(body, "at", naive_is_utc=True) == datetime(2026, 10, 5, 9, 31, 22, 500000, tzinfo=UTC)


def test_minutes_are_enough_for_a_time() -> None:
    assert moment(Payload({"at": "2026-10-05T09:31Z"}), "at") == datetime(2026, 10, 5, 9, 31, tzinfo=UTC)


def test_an_item_is_read_as_a_filled_template() -> None:
    item = Item(
        raw=b'{"id": "7", "team": "None", "name": "{{ticket.name}}"}', received_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert item.filled.value == {"id": "7"}
    assert item.filled is item.filled, "it is read once"


def test_an_object_of_the_template_may_be_empty_but_not_missing() -> None:
    body = filled(Payload({"requester": {"id": "7"}, "team": {"id": ""}}))
    assert template_object(body, "requester", page="acme", place="rule").id("id") == "7"
    assert not template_object(body, "team", page="acme", place="rule")
    with pytest.raises(
        Malformed, match=r"\$\.agent is missing: paste the template of docs/sources/acme.md into the rule"
    ):
        template_object(body, "agent", page="acme", place="rule")
