"""One event to one outcome, purely."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import (
    CLEAR,
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Refused,
    Skip,
    Source,
    alias,
    from_iso,
    from_millis,
    from_seconds,
    group,
    identify,
    page,
    raw_items,
    screen,
    to_iso,
    track,
)  # fmt: skip
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.sources.unreadable import MALFORMED_TYPE
from webhooks.translation.identity import NAMESPACE, anonymous_id, resolve
from webhooks.translation.prepare import prepare
from webhooks.translation.render import message_id, plain
from webhooks.translation.translate import (
    Broken,
    Ignored,
    Translated,
    Unsupported,
    translate,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WHO = Identity(
    anonymous=("customer", "cus_1"), external_ids=(ExternalId("acme_customer_id", "cus_1"), ExternalId("empty", "")),
    traits={"email": "a@example.com"}, group_id="g1",
)  # fmt: skip


def endpoint_for(*messages: Message | Exception, identity: Identity = WHO) -> Endpoint:
    source = Source("acme", scheme=HmacBody(header="X"))
    source.head(lambda item: Head(id="1", type="t", occurred_at=None))
    source.identity(lambda event: identity)
    source.ignore("quiet", because="it says nothing")

    @source.on("t")
    def handler(event: Event) -> Iterator[Message]:
        for message in messages:
            if isinstance(message, Exception):
                raise message
            yield message

    return Endpoint(name="acme", source=source, scheme=source.schemes["default"], user_id_keys=("user_id", "uid"))


def event(**changes: Any) -> Event:
    base = Event(
        source="acme", id="evt_1", type="t", occurred_at=AT, raw=b"{}", received_at=AT + timedelta(days=3),
    )  # fmt: skip
    return replace(base, **changes)


def only(endpoint: Endpoint, arriving: Event | None = None) -> dict[str, Any]:
    outcome = translate(arriving or event(), endpoint, namespace="n")
    assert isinstance(outcome, Translated), outcome
    (message,) = outcome.messages
    return message


def test_a_track_carries_the_events_time_identity_and_context() -> None:
    message = only(
        endpoint_for(
            track(
                "Thing Done",
                {"amount": Decimal("1.10"), "when": AT, "gone": None, "erased": CLEAR, "tags": ("a", None)},
            )
        )
    )
    assert message["type"] == "track"
    assert message["event"] == "Thing Done"
    assert message["timestamp"] == "2026-01-02T03:04:05.000Z"
    assert message["anonymousId"] == anonymous_id("acme", "customer", "cus_1")
    assert message["properties"] == {
        "amount": Decimal("1.10"), "when": "2026-01-02T03:04:05.000Z", "erased": None, "tags": ["a", None],
    }  # fmt: skip
    assert message["context"] | {"library": None} == {
        "library": None, "channel": "server", "groupId": "g1", "traits": {"email": "a@example.com"},
        "webhook": {"source": "acme", "id": "evt_1", "type": "t"},
        "externalIds": [{"id": "cus_1", "type": "acme_customer_id", "collection": "users", "encoding": "none"}],
    }  # fmt: skip


def test_an_identify_takes_the_traits_and_does_not_count_as_seen() -> None:
    message = only(endpoint_for(identify({"name": "A"})))
    assert message["traits"] == {"email": "a@example.com", "name": "A"}
    assert message["context"]["active"] is False
    assert "traits" not in message["context"]


def test_every_kind_has_segments_shape() -> None:
    assert only(endpoint_for(group("g9", {"plan": "pro"})))["groupId"] == "g9"
    assert only(endpoint_for(group("g9", {"plan": "pro"})))["traits"] == {"plan": "pro"}
    assert only(endpoint_for(page("Home", {"url": "u"})))["name"] == "Home"
    assert only(endpoint_for(screen("Main")))["properties"] == {}
    assert only(endpoint_for(alias("old")))["previousId"] == "old"


def test_the_context_says_if_clock_or_trust_is_weaker() -> None:
    message = only(endpoint_for(track("A")), event(clock="record", trust="authenticated"))
    assert message["context"]["webhook"] == {
        "source": "acme", "id": "evt_1", "type": "t", "clock": "record", "trust": "authenticated",
    }  # fmt: skip


def test_a_message_may_have_its_own_time_person_context_and_integrations() -> None:
    own = Message(
        kind="track", name="A", occurred_at=AT - timedelta(hours=1), identity=Identity(user_ids=(" u1 ",)),
        context={"ip": "192.0.2.1"}, integrations={"All": False},
    )  # fmt: skip
    message = only(endpoint_for(own))
    assert message["timestamp"] == "2026-01-02T02:04:05.000Z"
    assert message["userId"] == "u1"
    assert message["context"]["ip"] == "192.0.2.1"
    assert message["integrations"] == {"All": False}


@pytest.mark.parametrize(
    ("claims", "resolved"),
    [
        (Identity(metadata=({"uid": "b"}, {"user_id": " a "}), user_ids=("c",)), {"userId": "a"}),
        (Identity(metadata=({"uid": "b", "user_id": " "},), user_ids=("c",)), {"userId": "b"}),
        (Identity(metadata=({},), user_ids=("", "c"), anonymous=("k", "v")), {"userId": "c"}),
        (Identity(anonymous=("k", "v")), {"anonymousId": anonymous_id("acme", "k", "v")}),
        (Identity(anonymous=("k", "")), {}),
        (Identity(), {}),
    ],
)
def test_identity_is_decided_by_explicit_rules(claims: Identity, resolved: dict[str, str]) -> None:
    assert resolve(claims, provider="acme", user_id_keys=("user_id", "uid")) == resolved


def test_the_anonymous_id_is_the_documented_uuid() -> None:
    assert anonymous_id("stripe", "customer", "cus_123") == "26901f6d-f0e9-5151-8e53-8c032e558903"
    assert anonymous_id("stripe", "customer", "cus_123") != anonymous_id("paddle", "customer", "cus_123")


@given(st.text(), st.text(), st.text(), st.text(max_size=300))
def test_message_ids_are_short_and_differ_with_every_part(namespace: str, key: str, extra: str, name: str) -> None:
    one = message_id(namespace, event(id=key), track(name, key=extra))
    assert len(one) < 100
    assert one.isascii()
    assert one == message_id(namespace, event(id=key), track(name, key=extra))
    others = {
        message_id(namespace + "x", event(id=key), track(name, key=extra)),
        message_id(namespace, event(id=key + "x"), track(name, key=extra)),
        message_id(namespace, event(id=key, source="other"), track(name, key=extra)),
        message_id(namespace, event(id=key), track(name, key=extra + "x")),
        message_id(namespace, event(id=key), identify(key=extra)),
        message_id(namespace, event(id=key), track(name, key=extra), 1),
        message_id(namespace, event(id=key), track(name, key=extra), 2),
    }
    assert one not in others
    assert len(others) == 7
    assert one == message_id(namespace, event(id=key), track(name, key=extra), 0)


def test_parts_cannot_run_into_one_another() -> None:
    assert message_id("a", event(id="bc"), track("N")) != message_id("ab", event(id="c"), track("N"))


def test_a_later_replay_generation_gives_the_same_messages_other_ids() -> None:
    first, again, new = (
        translate(event(), endpoint_for(track("A"), track("B")), namespace="n", replay_generation=generation)
        for generation in (0, 0, 1)
    )
    assert isinstance(first, Translated)
    assert isinstance(new, Translated)
    assert first == again
    ids = {message.pop("messageId") for outcome in (first, new) for message in outcome.messages}
    assert len(ids) == 4
    assert first == new


def test_two_messages_with_one_id_are_a_bug_of_the_translator() -> None:
    outcome = translate(event(), endpoint_for(track("A"), track("A")), namespace="n")
    assert isinstance(outcome, Broken)
    assert "share an id" in outcome.reason
    assert isinstance(translate(event(), endpoint_for(track("A"), track("A", key="2")), namespace="n"), Translated)


def test_skipped_ignored_unsupported_and_broken_are_different_outcomes() -> None:
    def outcome(endpoint: Endpoint, **changes: Any) -> Any:
        return translate(event(**changes), endpoint, namespace="n")

    assert outcome(endpoint_for(Skip("not an order"))) == Ignored("not an order")
    assert outcome(endpoint_for(), type="quiet") == Ignored("it says nothing")
    assert outcome(endpoint_for()) == Ignored("its handler made no message of it")
    assert isinstance(outcome(endpoint_for(), type="new"), Unsupported)
    assert outcome(endpoint_for(Malformed("$.a", "is missing"))) == Broken("malformed: $.a is missing")
    raised = outcome(endpoint_for(RuntimeError("boom")))
    assert isinstance(raised, Broken)
    assert "RuntimeError: boom" in raised.reason
    assert "Traceback" in raised.reason


def test_an_event_that_could_not_be_named_is_named_by_todays_code() -> None:
    unnamed = event(id="sha256:00", type=MALFORMED_TYPE, occurred_at=AT, clock="received", problem="a bug of ours")
    fixed = endpoint_for(track("A"))
    fixed.source.declared.head = lambda item: Head(id="evt_9", type="t", occurred_at=AT - timedelta(days=1))
    outcome = translate(unnamed, fixed, namespace="n")
    assert isinstance(outcome, Translated)
    assert outcome == translate(
        event(id="evt_9", occurred_at=AT - timedelta(days=1), received_at=AT), fixed, namespace="n"
    )
    still = endpoint_for(track("A"))
    still.source.declared.head = lambda item: Head(id=item.body.id("id"), type="t", occurred_at=None)
    assert translate(unnamed, still, namespace="n") == Broken("malformed: $.id is missing")


def batches(**handlers: Any) -> Endpoint:
    """An endpoint whose deliveries are lists of `{"id": …, "type": …}`; each handler gives an event's messages."""
    source = Source("acme", scheme=HmacBody(header="X"))
    source.head(lambda item: Head(id=item.body.id("id"), type=item.body.text("type"), occurred_at=None))
    source.split(lambda delivery: raw_items(delivery.body))
    source.identity(lambda event: WHO)
    source.ignore("quiet", because="it says nothing")
    for type_, handler in handlers.items():
        source.on(type_)(handler)
    return Endpoint(name="acme", source=source, scheme=source.schemes["default"])


def kept(body: bytes) -> Event:
    """The delivery as a release kept it that could not split it."""
    source = Source("acme", scheme=HmacBody(header="X"))
    source.split(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    (event,) = SourceRuntime(source).receive(Delivery(source="acme", body=body, received_at=AT))
    return event


def test_a_replayed_whole_delivery_gives_the_messages_of_its_events() -> None:
    endpoint = batches(a=lambda e: [track("A")], b=lambda e: [track("B"), track("C")])
    body = (
        b'[{"id": "1", "type": "a"}, {"id": "2", "type": "quiet"}, {"id": "3", "type": "b"}, {"id": "1", "type": "a"}]'
    )
    outcome = translate(kept(body), endpoint, namespace="n")
    events = endpoint.runtime.events(Delivery(source="acme", body=body, received_at=AT))
    apart = [translate(event, endpoint, namespace="n") for event in events[:3]]
    assert outcome == Translated([m for single in apart if isinstance(single, Translated) for m in single.messages])
    assert [message["event"] for message in outcome.messages] == ["A", "B", "C"]
    assert translate(kept(body), endpoint, namespace="n", replay_generation=1) != outcome


def test_a_replayed_delivery_sends_its_good_events_and_reports_the_others() -> None:
    endpoint = batches(a=lambda e: [track("A")], broken=lambda e: [e.body.text("missing")])
    body = b'[{"id": "1", "type": "a"}, {"id": "2", "type": "broken"}, {"id": "3", "type": "new"}, {"type": "a"}]'
    prepared = prepare(kept(body), endpoint, namespace="n", replay_generation=0)
    assert len(prepared.messages) == 1
    (broken, nameless, new) = prepared.refused
    assert broken == ("2", "malformed: $.missing is missing")
    assert nameless[0].startswith("sha256:")
    assert nameless[1] == "malformed: $.id is missing"
    assert new == ("3", "Acme event type 'new' has no translation")


def test_a_replayed_delivery_that_gives_no_message_says_why() -> None:
    def outcome(body: bytes) -> Any:
        return translate(kept(body), batches(a=lambda e: [track("A")]), namespace="n")

    assert outcome(b"[]") == Ignored("the delivery holds no event")
    assert outcome(b'[{"id": "1", "type": "quiet"}]') == Ignored("it says nothing")
    twice = b'[{"id": "1", "type": "quiet"}, {"id": "2", "type": "quiet"}]'
    assert outcome(twice) == Ignored("1: it says nothing; 2: it says nothing")
    new = b'[{"id": "1", "type": "quiet"}, {"id": "2", "type": "new"}]'
    assert outcome(new) == Unsupported("2: Acme event type 'new' has no translation")
    assert str(outcome(b"[nothing").reason).startswith("malformed: $ is not")


def test_a_replayed_delivery_that_the_guard_refuses_or_cannot_judge_stays_dead() -> None:
    endpoint = batches(a=lambda e: [track("A")])
    source = endpoint.source
    source.guard(lambda _: 1 / 0)  # type: ignore[arg-type]
    (event,) = SourceRuntime(source).receive(
        Delivery(source="acme", body=b'[{"id": "1", "type": "a"}]', received_at=AT)
    )
    outcome = translate(event, endpoint, namespace="n")
    assert isinstance(outcome, Broken)
    assert "the guard of acme failed" in outcome.reason

    def refuse(_: Delivery) -> None:
        raise Refused("a foreign org")

    source.declared.guards[:] = [refuse]
    assert translate(event, endpoint, namespace="n") == Broken("refused: a foreign org")
    source.declared.guards.clear()
    assert isinstance(translate(event, endpoint, namespace="n"), Translated)


def test_what_has_no_place_in_json_is_a_bug_of_the_translator() -> None:
    for odd in (object(), Decimal("NaN"), float("nan"), float("inf")):
        assert isinstance(translate(event(), endpoint_for(track("A", {"x": odd})), namespace="n"), Broken)


@pytest.mark.parametrize(
    "number",
    [
        2**53 + 1,
        -(2**53) - 1,
        2**70,
        Decimal("1e400"),
        Decimal("-1e400"),
        Decimal("1e-400"),
        Decimal("9007199254740993.5"),
    ],
)
def test_a_number_that_no_double_holds_is_sent_as_its_text(number: Any) -> None:
    properties = only(endpoint_for(track("A", {"n": number, "deep": {"list": [number]}})))["properties"]
    assert properties == {"n": str(number), "deep": {"list": [str(number)]}}


@pytest.mark.parametrize(
    "number", [0, -1, 2**53, Decimal(0), Decimal("0E-500"), Decimal("19.90"), Decimal("1e-300"), True]
)
def test_a_number_that_a_double_holds_stays_a_number(number: Any) -> None:
    value = only(endpoint_for(track("A", {"n": number})))["properties"]["n"]
    assert (value, type(value)) == (number, type(number))


def test_before_may_exclude_an_event() -> None:
    endpoint = endpoint_for(track("A"))

    @endpoint.source.skip_if
    def no(event: Event) -> None:
        raise Skip("excluded")

    assert translate(event(), endpoint, namespace="n") == Ignored("excluded")


def test_a_source_without_an_identity_function_identifies_no_one() -> None:
    source = Source("acme", scheme=HmacBody(header="X"))
    source.on("t")(lambda event: [track("A")])
    message = only(Endpoint(name="acme", source=source, scheme=source.schemes["default"]))
    assert "userId" not in message
    assert "anonymousId" not in message
    assert Item(raw=b"a=1", received_at=AT).form == {"a": "1"}


def test_subclasses_of_plain_values_and_mappings_are_taken_as_such() -> None:
    class Word(str):
        __slots__ = ()

    from types import MappingProxyType

    message = only(endpoint_for(track("A", {"word": Word("w"), "proxy": MappingProxyType({"a": 1, "b": None})})))
    assert message["properties"] == {"word": "w", "proxy": {"a": 1}}


class Quantity(int):
    """A whole number of a class of its own."""


def test_a_number_of_a_subclass_is_sent_as_a_number() -> None:
    assert plain(Quantity(3)) == 3


@pytest.mark.parametrize(
    ("error", "reason"), [(Refused("another account"), "refused: another account"), (ValueError("x"), "Traceback")]
)
def test_a_stored_event_that_cannot_be_read_again_is_broken_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    source = Source("acme", scheme=HmacBody(header="x-signature"))

    def again(_: Event) -> list[Event]:
        raise error

    kept = Event(
        source="acme", id="k", type=MALFORMED_TYPE, occurred_at=datetime(2026, 1, 1, tzinfo=UTC), raw=b"{",
        received_at=datetime(2026, 1, 1, tzinfo=UTC), problem="it was not JSON",
    )  # fmt: skip
    endpoint = Endpoint(name="acme", source=source, scheme=source.schemes["default"])
    monkeypatch.setattr(endpoint.runtime, "read_again", again)
    outcome = translate(kept, endpoint, namespace="n")
    assert isinstance(outcome, Broken)
    assert reason in outcome.reason


def test_an_event_whose_messages_cannot_be_shortened_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("acme", scheme=HmacBody(header="x-signature"))

    @source.on("order")
    def order(_: Event) -> list[Message]:
        return [
            track(
                "Order",
                {"text": "x"},
                identity=Identity(anonymous=("customer", "c1")),
                context={"traits": {"plan": "pro", "n": ""}},
            )
        ]

    event = Event(
        source="acme", id="k", type="order", occurred_at=datetime(2026, 1, 1, tzinfo=UTC), raw=b"x" * 40_000,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    endpoint = Endpoint(name="acme", source=source, scheme=source.schemes["default"])
    outcome = translate(event, endpoint, namespace="n")
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["context"]["traits"] == {"plan": "pro"}

    def shorten(_: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("no JSON")

    monkeypatch.setattr("webhooks.translation.translate.shorten", shorten)
    outcome = translate(event, endpoint, namespace="n")
    assert isinstance(outcome, Broken)
    assert "no JSON" in outcome.reason


@given(provider=st.text(max_size=20), kind=st.text(max_size=20), id_=st.text(max_size=40))
def test_an_anonymous_id_is_a_version_5_uuid_of_the_namespace(provider: str, kind: str, id_: str) -> None:
    assert anonymous_id(provider, kind, id_) == str(uuid5(NAMESPACE, f"{provider}:{kind}:{id_}"))


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_times_are_written_as_utc_with_a_z(moment: datetime) -> None:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        return
    assert to_iso(moment).endswith("Z")
    assert datetime.fromisoformat(to_iso(moment)) == utc
    assert from_iso(moment.isoformat()) == utc


@given(st.integers(min_value=0, max_value=253402300799))
def test_whole_seconds_and_milliseconds_are_read_as_with_decimals(seconds: int) -> None:
    assert from_seconds(seconds) == from_seconds(Decimal(seconds)) == from_seconds(str(seconds))
    assert from_millis(seconds * 1000 + 7) == from_millis(Decimal(seconds * 1000 + 7))


def test_messages_of_one_person_share_nothing_that_shortening_changes() -> None:
    source = Source("acme", scheme=HmacBody(header="x-signature"))
    source.identity(lambda _: Identity(anonymous=("customer", "c1"), traits={"note": "n" * 2_000}))
    source.on("order")(lambda _: [track("Small", {}), track("Large", {"lines": ["x" * 900] * 60})])
    order = event(type="order", raw=b"x" * 60_000)
    outcome = translate(order, Endpoint(name="acme", source=source, scheme=source.schemes["default"]), namespace="n")
    assert isinstance(outcome, Translated)
    small, large = outcome.messages
    assert "cut" in large["context"]["webhook"]
    assert "cut" not in small["context"]["webhook"]
    assert small["context"]["traits"] == {"note": "n" * 2_000}
