"""A source declares; what it declares wrongly fails loudly and at once."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from translators.kit import (
    Answer,
    Declaration,
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Option,
    Refused,
    Source,
    from_seconds,
    parse_form,
    raw_items,
    track,
)  # fmt: skip
from translators.kit.source import MALFORMED_TYPE, Ignored

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def acme(**more: object) -> Source:
    source = Source("acme", scheme=HmacBody(header="X-Acme"), keep_headers=["X-Kept"], **more)  # type: ignore[arg-type]

    @source.event
    def head(item: Item) -> Head:
        return Head(item.body.id("id"), item.body.text("type"), item.body.seconds("at", None))

    return source


def delivery(body: bytes, **more: object) -> Delivery:
    return Delivery(source="acme", body=body, received_at=NOW, **more)  # type: ignore[arg-type]


def test_a_delivery_becomes_an_event_with_its_exact_bytes_and_kept_headers() -> None:
    body = b'{"id": 7, "type": "a.b",  "at": 1700000000}'
    (event,) = acme().events(delivery(body, headers={"x-kept": "1", "x-other": "2"}), trust="authenticated")
    assert (event.key, event.type, event.clock, event.trust) == ("7", "a.b", "event", "authenticated")
    assert event.raw == body
    assert event.headers == {"x-kept": "1"}
    assert event.occurred_at == from_seconds(1700000000)


def test_without_a_providers_time_the_event_says_that_the_time_is_ours() -> None:
    (event,) = acme().events(delivery(b'{"id": "1", "type": "t"}'))
    assert (event.occurred_at, event.clock) == (NOW, "received")


def test_one_bad_item_of_a_batch_costs_one_item() -> None:
    source = acme()
    source.split(lambda d: raw_items(d.body))
    good, bad = source.events(delivery(b'[{"id": "1", "type": "t"}, {"id": null}]'))
    assert not good.problem
    assert bad.problem == "$.id is missing"
    assert bad.type == MALFORMED_TYPE
    assert bad.key.startswith("sha256:")
    assert bad.raw == b'{"id": null}'


def test_a_delivery_of_which_nothing_can_be_named_is_malformed() -> None:
    for body in (b"{}", b"nonsense", b'{"id": "", "type": "t"}', b'{"id": "1", "type": ""}'):
        with pytest.raises(Malformed):
            acme().events(delivery(body))


def test_a_bug_in_naming_an_event_keeps_it_with_the_traceback() -> None:
    source = Source("acme", scheme=HmacBody(header="X"))
    source.event(lambda item: 1 / 0)  # type: ignore[arg-type,return-value]
    (event,) = source.events(delivery(b"anything"))
    assert "ZeroDivisionError" in event.problem
    assert event.raw == b"anything"


def test_an_exact_type_wins_over_a_pattern_and_handlers_over_ignoring() -> None:
    source = acme()
    source.ignore("charge.*", because="told elsewhere")
    exact = source.on("charge.failed")(lambda _: [])
    wide = source.on("charge.r*")(lambda _: [])
    assert source.find("charge.failed") is exact
    assert source.find("charge.refunded") is wide
    assert isinstance(source.find("charge.captured"), Ignored)
    assert source.find("invoice.paid") is None


def test_a_type_is_declared_once_and_a_reason_is_given() -> None:
    source = acme()
    source.on("a")(lambda _: [])
    with pytest.raises(Declaration, match="'a' twice"):
        source.on("a")
        source.on("a")(lambda _: [])
    with pytest.raises(Declaration, match="'a' twice"):
        source.ignore("a", because="no")
    with pytest.raises(Declaration, match="without a reason"):
        source.ignore("b", because=" ")
    with pytest.raises(Declaration, match="event twice"):
        source.event(lambda _: Head("1", "t", None))


@pytest.mark.parametrize("name", ["Acme", "a-b", "", "1a", "a" * 41])
def test_a_name_that_cannot_stand_in_a_url_and_a_variable_is_refused(name: str) -> None:
    with pytest.raises(Declaration, match="must be lower-case"):
        Source(name, scheme=HmacBody(header="X"))


def test_a_source_needs_a_scheme_and_a_way_to_name_events() -> None:
    with pytest.raises(Declaration, match="no signature scheme"):
        Source("acme", scheme={})
    with pytest.raises(Declaration, match="how its events are named"):
        Source("acme", scheme=HmacBody(header="X")).events(delivery(b"{}"))


def test_handshakes_are_asked_before_or_after_verifying_as_declared() -> None:
    source = acme()
    source.handshake(signed=False)(lambda d: Answer(body=b"hello") if d.query.get("hi") else None)
    source.handshake()(lambda d: Answer(body=b"signed") if d.query.get("ping") else None)
    assert source.has_unsigned_handshake
    hi, ping = delivery(b"", query={"hi": "1"}), delivery(b"", query={"ping": "1"})
    assert source.greet(hi, signed=False) == Answer(body=b"hello")
    assert source.greet(hi, signed=True) is None
    assert source.greet(ping, signed=True) == Answer(body=b"signed")


def test_a_guard_may_refuse_and_before_may_skip() -> None:
    source = acme(options=[Option("org", "the org", default="x")])

    @source.guard
    def same_org(given: Delivery) -> None:
        if given.options["org"] != given.query.get("org"):
            raise Refused("a foreign org")

    with pytest.raises(Refused):
        source.check(delivery(b"", options=source.defaults()))
    source.check(delivery(b"", options=source.defaults(), query={"org": "x"}))
    acme().check(delivery(b""))


def test_an_external_id_type_is_lower_case() -> None:
    with pytest.raises(Declaration):
        ExternalId("Stripe", "1")


def test_handlers_are_tried_by_listing_them() -> None:
    source = acme()
    source.who(lambda event: Identity(anonymous=("customer", event.body.id("customer"))))

    @source.on("t")
    def handler(event: Event) -> Iterator[Message]:
        yield track("Thing Done", thing_id=event.body.id("id"))

    (event,) = source.events(delivery(b'{"id": "1", "type": "t", "customer": "c"}'))
    assert list(handler(event)) == [track("Thing Done", {"thing_id": "1"})]
    assert source.identity(event).anonymous == ("customer", "c")


def test_a_form_is_read_with_the_last_value_of_each_field() -> None:
    assert parse_form(b"a=1&a=2&b=%C3%A9&c=") == {"a": "2", "b": "é", "c": ""}
    for bad in (b"\xff", b"&".join(b"a=1" for _ in range(2000))):
        with pytest.raises(Malformed):
            parse_form(bad)
    assert delivery(b"x=1").form == {"x": "1"}
