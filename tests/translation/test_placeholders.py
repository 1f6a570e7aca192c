"""A placeholder in place of an id identifies no one, in any source."""

from datetime import UTC, datetime
from typing import Any

import pytest

from translators.kit import CLEAR, Event, ExternalId, HmacBody, Identity, Message, Source, alias, group, identify, track
from translators.kit.placeholders import is_placeholder
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.identity import anonymous_id
from webhooks.translation.translate import Ignored, Translated, translate

PLACEHOLDERS = [
    "", " ", "\t\n", "null", "NULL", " Null ", "(null)", "<null>", "undefined", "None", "nil", "NaN", "n/a", "0", "00", "0000-0000", "-", "-1",
    "00000000-0000-0000-0000-000000000000", "[object Object]", "[object Undefined]", "anonymous", "Guest", "unknown", "true", "False", "{}",
    '""', "{{user.id}}", "{{ user.id }}", "u_{{id}}", "${user.id}", "%USER_ID%", "%%user id%%", "<%= id %>", "#{id}", "*|EMAIL|*", "{user_id}",
    "[[id]]", "{% id %}", "<user id>", "<no value>",
]  # fmt: skip
IDS = [
    "u1", "10", "100", "a0", "0a", "null_island", "nullius", "Nancy", "nonesuch", "7b1a-0", "jane@example.com", "100%", "{6A0F9D0E-5D5C-5C0B-9F53-8C1A5B1D7A11}",
    "a{b}", "$10", "true-north", "-", "урл", "<a1@mail.example>", "x" * 500, "{" * 5_000, "{{" * 2_500,
]  # fmt: skip


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_known(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", [text for text in IDS if text != "-"])
def test_an_id_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


def outcome(*messages: Message, **claims: Any) -> Any:
    source = Source("acme", scheme=HmacBody(header="X"))
    source.identity(lambda event: Identity(**claims))
    source.on("t")(lambda event: messages or [track("A")])
    at = datetime(2026, 1, 2, tzinfo=UTC)
    event = Event(source="acme", id="1", type="t", occurred_at=at, raw=b"{}", received_at=at)
    endpoint = Endpoint(name="acme", source=source, scheme=source.schemes["default"], user_id_keys=("uid", "user_id"))
    return translate(event, endpoint, namespace="n")


def only(*messages: Message, **claims: Any) -> dict[str, Any]:
    made = outcome(*messages, **claims)
    assert isinstance(made, Translated), made
    (message,) = made.messages
    return message


@pytest.mark.parametrize("nothing", PLACEHOLDERS)
def test_a_placeholder_is_no_user_id_and_the_next_claim_counts(nothing: str) -> None:
    known = {"anonymous": ("customer", "c1")}
    derived = anonymous_id("acme", "customer", "c1")
    for claims in ({"metadata": ({"uid": nothing},)}, {"user_ids": (nothing,)}):
        message = only(**known, **claims)
        assert "userId" not in message
        assert message["anonymousId"] == derived
    assert only(metadata=({"uid": nothing, "user_id": "u1"},), user_ids=("u2",))["userId"] == "u1"
    assert only(user_ids=(nothing, "u2"), **known)["userId"] == "u2"
    assert only(metadata=({"uid": "u1"},), anonymous=("customer", nothing))["userId"] == "u1"


@pytest.mark.parametrize("nothing", [text for text in PLACEHOLDERS if text.strip() and "|" not in text])
def test_a_placeholder_is_no_part_of_an_anonymous_id_no_external_and_no_group_id(nothing: str) -> None:
    for id_ in (nothing, f"T1|{nothing}", f"{nothing}|U1"):
        made = outcome(anonymous=("user", id_))
        assert isinstance(made, Ignored)
        assert "it identifies no one" in made.reason
        message = only(anonymous=("user", id_), traits={"email": "Ada@Example.com"})
        assert message["anonymousId"] == anonymous_id("acme", "email", "ada@example.com")
    known = {"anonymous": ("customer", "c1")}
    externals = (ExternalId("acme_id", nothing), ExternalId("acme_id", "c1"))
    context = only(**known, external_ids=externals, group_id=nothing)["context"]
    assert [external["id"] for external in context["externalIds"]] == ["c1"]
    assert "groupId" not in context
    assert only(group(nothing, {"name": "Acme"}), track("A"), **known)["type"] == "track"
    assert only(alias(nothing), track("A"), user_ids=("u1",))["type"] == "track"
    assert isinstance(outcome(user_ids=(nothing,)), Ignored)


def test_an_empty_text_and_an_unrendered_template_are_no_trait() -> None:
    traits = {
        "email": "null",
        "phone": "0",
        "name": "",
        "title": "{{user.title}}",
        "city": " ",
        "plan": "Null",
        "seats": 0,
        "vip": False,
    }
    kept = {"plan": "Null", "seats": 0, "vip": False}
    claims: dict[str, Any] = {"user_ids": ("u1",), "traits": traits}
    assert only(**claims)["context"]["traits"] == kept
    assert only(identify({"name": "Ada", "company": "", "gone": CLEAR, "address": {"city": "", "geo": {"zip": ""}}}), **claims)["traits"] == {
        **kept, "name": "Ada", "gone": None,
    }  # fmt: skip
    assert only(identify({"email": ""}), user_ids=("u1",), traits={"email": "a@example.com"})["traits"] == {
        "email": "a@example.com"
    }
    assert only(group("g1", {"name": "", "size": 3}), **claims)["traits"] == {"size": 3}
    assert "traits" not in only(user_ids=("u1",), traits={"email": ""})["context"]
    assert only(track("A", {"note": ""}), user_ids=("u1",))["properties"] == {"note": ""}, (
        "an event may say that a text is empty"
    )


@pytest.mark.parametrize(
    "text", ["(none)", "(not set)", "#N/A", "[object Promise]", '"null"', "'undefined'", '"{{id}}"', '"0"']
)
def test_other_ways_to_write_no_value_are_known_too(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ['"', "''u1''", "[object]", "[object a b]", "none of it"])
def test_what_only_looks_like_one_is_an_id(text: str) -> None:
    assert not is_placeholder(text)


def test_a_text_too_long_for_an_id_is_none_and_its_person_is_still_known() -> None:
    long = "x" * 1_001
    known = {"anonymous": ("customer", long)}
    message = only(
        metadata=({"uid": long},), user_ids=(long,), group_id=long, external_ids=(ExternalId("a", long),), **known
    )
    assert "userId" not in message
    assert message["anonymousId"] == anonymous_id("acme", "customer", long)
    assert not message["context"].keys() & {"groupId", "externalIds"}
    assert only(user_ids=("x" * 1_000,))["userId"] == "x" * 1_000
    assert only(group(long, {"name": "Acme"}), track("A"), **known)["type"] == "track"
    assert isinstance(outcome(user_ids=(long,)), Ignored)


def test_a_group_without_a_person_is_not_sent() -> None:
    made = outcome(group("g1", {"name": "Acme"}), anonymous=("record", "17|0"))
    assert isinstance(made, Ignored)
    assert "it identifies no one" in made.reason


@pytest.mark.parametrize(
    "text", ["null", "undefined", "undefined undefined", " null  null ", "[object Object]", "NaN", "<nil>"]
)
def test_what_a_program_printed_for_no_value_is_no_trait(text: str) -> None:
    traits = {"name": text, "firstName": text, "company": {"name": text}, "plan": "pro"}
    assert only(user_ids=("u1",), traits=traits)["context"]["traits"] == {"plan": "pro"}


@pytest.mark.parametrize("text", ["Null", "Christopher Null", "None", "nullable", "0", "unknown"])
def test_a_name_that_only_resembles_no_value_is_a_trait(text: str) -> None:
    assert only(user_ids=("u1",), traits={"name": text})["context"]["traits"] == {"name": text}
