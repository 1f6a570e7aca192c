"""A source declares; what it declares wrongly fails loudly and at once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from translators.kit import (
    CLEAR,
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
    Response,
    Source,
    from_seconds,
    parse_form,
    raw_items,
    track,
)  # fmt: skip
from translators.kit.source import IgnoredType
from webhooks.sources.runtime import SourceRuntime
from webhooks.sources.unreadable import MALFORMED_TYPE

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def acme(**more: object) -> Source:
    source = Source("acme", scheme=HmacBody(header="X-Acme"), keep_headers=["X-Kept"], **more)  # type: ignore[arg-type]

    @source.head
    def head(item: Item) -> Head:
        return Head(id=item.body.id("id"), type=item.body.text("type"), occurred_at=item.body.seconds("at", None))

    return source


def delivery(body: bytes, **more: object) -> Delivery:
    return Delivery(source="acme", body=body, received_at=NOW, **more)  # type: ignore[arg-type]


def test_a_delivery_becomes_an_event_with_its_exact_bytes_and_kept_headers() -> None:
    body = b'{"id": 7, "type": "a.b",  "at": 1700000000}'
    (event,) = SourceRuntime(acme()).events(
        delivery(body, headers={"x-kept": "1", "x-other": "2"}), trust="authenticated"
    )
    assert (event.id, event.type, event.clock, event.trust) == ("7", "a.b", "event", "authenticated")
    assert event.raw == body
    assert event.headers == {"x-kept": "1"}
    assert event.occurred_at == from_seconds(1700000000)


def test_without_a_providers_time_the_event_says_that_the_time_is_ours() -> None:
    (event,) = SourceRuntime(acme()).events(delivery(b'{"id": "1", "type": "t"}'))
    assert (event.occurred_at, event.clock) == (NOW, "received")


def test_one_bad_item_of_a_batch_costs_one_item() -> None:
    source = acme()
    source.split(lambda d: raw_items(d.body))
    good, bad = SourceRuntime(source).events(delivery(b'[{"id": "1", "type": "t"}, {"id": null}]'))
    assert not good.problem
    assert bad.problem == "$.id is missing"
    assert bad.type == MALFORMED_TYPE
    assert bad.id.startswith("sha256:")
    assert bad.raw == b'{"id": null}'


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", b'{"id": "", "type": "t"}', b'{"id": "1", "type": ""}'])
def test_an_item_that_cannot_be_named_is_kept_under_its_digest(body: bytes) -> None:
    (event,) = SourceRuntime(acme()).events(
        delivery(body, headers={"x-kept": "1", "x-other": "2"}), trust="authenticated"
    )
    assert event.id == f"sha256:{sha256(body).hexdigest()}"
    assert (event.type, event.raw, event.headers) == (MALFORMED_TYPE, body, {"x-kept": "1"})
    assert (event.occurred_at, event.clock, event.trust) == (NOW, "received", "authenticated")
    assert event.problem.startswith("$")


def test_items_of_the_same_bytes_in_different_envelopes_are_kept_apart() -> None:
    source = acme()
    source.split(lambda d: [Item(raw=b"{}", received_at=NOW, envelope={"record": name}) for name in ("a", "b")])
    events = SourceRuntime(source).events(delivery(b"{}"))
    assert len({event.id for event in events}) == 2
    assert all(event.problem for event in events)


def batches(split: Any = lambda d: raw_items(d.body)) -> Source:
    source = acme()
    source.split(split)
    return source


@pytest.mark.parametrize(
    ("split", "problem"),
    [(lambda d: raw_items(d.body), "$ is not a JSON array"), (lambda d: 1 / 0, "ZeroDivisionError")],
)
def test_a_delivery_that_cannot_be_split_is_one_dead_event_and_splits_on_replay(split: Any, problem: str) -> None:
    body = b'[{"id": "1", "type": "t", "at": 5}, {"id": "2", "type": "t"}, {"id": null}]'
    (kept,) = SourceRuntime(batches(lambda d: split(Delivery(source="acme", body=b"{", received_at=NOW)))).receive(
        delivery(body, headers={"x-kept": "1"}), trust="authenticated"
    )
    assert problem in kept.problem
    assert (kept.id, kept.type, kept.raw) == (f"sha256:{sha256(body).hexdigest()}", MALFORMED_TYPE, body)
    assert SourceRuntime(batches()).read_again(kept) == SourceRuntime(batches()).receive(
        delivery(body, headers={"x-kept": "1"}), trust="authenticated"
    )
    (still,) = SourceRuntime(batches(split=lambda d: 1 / 0)).read_again(kept)
    assert (still.id, still.raw, still.type) == (kept.id, body, MALFORMED_TYPE)


def test_a_wrong_declaration_and_a_refusal_are_never_kept() -> None:
    for error in (Declaration, Refused):

        def split(_: Delivery, error: type[Exception] = error) -> list[bytes | Item]:
            raise error("no")

        with pytest.raises(error):
            SourceRuntime(batches(split)).events(delivery(b"[]"))


def guarded(guard: Any) -> Source:
    source = acme()
    source.guard(guard)
    return source


def test_a_delivery_whose_guard_fails_is_kept_and_a_replay_asks_the_guard_first() -> None:
    body = b'{"id": "1", "type": "t", "org": "ours"}'
    (kept,) = SourceRuntime(guarded(lambda d: 1 / 0)).receive(delivery(body))
    assert kept.problem.startswith("the guard of acme failed, so the delivery was not let through: Traceback")
    assert (kept.type, kept.raw) == (MALFORMED_TYPE, body)

    def ours(d: Delivery) -> None:
        assert d.replayed
        if d.payload.text("org") != d.options["org"]:
            raise Refused("a foreign org")

    (event,) = SourceRuntime(guarded(ours)).read_again(replace(kept, options={"org": "ours"}))
    assert (event.id, event.problem) == ("1", "")
    with pytest.raises(Refused):
        SourceRuntime(guarded(ours)).read_again(replace(kept, options={"org": "other"}))
    (unread,) = SourceRuntime(guarded(lambda d: d.payload.object("org"))).receive(delivery(b"{}"))
    assert unread.problem.endswith("not let through: $.org is missing")


def test_a_guard_that_let_a_delivery_pass_is_not_asked_on_replay() -> None:
    source = batches(split=lambda d: 1 / 0)
    (kept,) = SourceRuntime(source).receive(delivery(b'[{"id": "1", "type": "t"}]'))
    fixed = batches()
    fixed.guard(lambda d: 1 / 0)  # type: ignore[arg-type]
    assert [event.id for event in SourceRuntime(fixed).read_again(kept)] == ["1"]


def test_a_secret_is_cut_out_of_a_body_that_cannot_be_read_and_of_no_other() -> None:
    source = acme()
    source.redact(lambda body: body.replace(b"hunter2", b""))
    source.split(lambda d: raw_items(d.body))
    (kept,) = SourceRuntime(source).receive(delivery(b'{"password": "hunter2"'))
    assert kept.raw == b'{"password": ""'
    (event,) = SourceRuntime(source).receive(delivery(b'[{"id": "1", "type": "t", "note": "hunter2"}]'))
    assert b"hunter2" in event.raw


def test_a_handshake_that_cannot_read_the_delivery_does_not_answer_it() -> None:
    source = acme()
    source.handshake()(lambda d: Response(body=d.payload.text("challenge").encode()))
    assert SourceRuntime(source).handshake(delivery(b"["), signed=True) is None
    assert SourceRuntime(source).handshake(delivery(b'{"challenge": "c"}'), signed=True) == Response(body=b"c")


def test_a_bug_in_naming_an_event_keeps_it_with_the_traceback() -> None:
    source = Source("acme", scheme=HmacBody(header="X"))
    source.head(lambda item: 1 / 0)  # type: ignore[arg-type,return-value]
    (event,) = SourceRuntime(source).events(delivery(b"anything"))
    assert "ZeroDivisionError" in event.problem
    assert event.raw == b"anything"


def test_an_exact_type_wins_over_a_pattern_and_handlers_over_ignoring() -> None:
    source = acme()
    source.ignore("charge.*", because="another event has it")
    exact = source.on("charge.failed")(lambda _: [])
    wide = source.on("charge.r*")(lambda _: [])
    assert SourceRuntime(source).find("charge.failed") is exact
    assert SourceRuntime(source).find("charge.refunded") is wide
    assert isinstance(SourceRuntime(source).find("charge.captured"), IgnoredType)
    assert SourceRuntime(source).find("invoice.paid") is None


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
    with pytest.raises(Declaration, match="head twice"):
        source.head(lambda _: Head(id="1", type="t", occurred_at=None))


@pytest.mark.parametrize("name", ["Acme", "a-b", "", "1a", "a" * 41])
def test_a_name_that_cannot_stand_in_a_url_and_a_variable_is_refused(name: str) -> None:
    with pytest.raises(Declaration, match="must be lower-case"):
        Source(name, scheme=HmacBody(header="X"))


def test_a_source_needs_a_scheme_and_a_way_to_name_events() -> None:
    with pytest.raises(Declaration, match="no signature scheme"):
        Source("acme", scheme={})
    with pytest.raises(Declaration, match="how its events are named"):
        SourceRuntime(Source("acme", scheme=HmacBody(header="X"))).events(delivery(b"{}"))


def test_handshakes_are_asked_before_or_after_verifying_as_declared() -> None:
    source = acme()
    source.handshake(signed=False)(lambda d: Response(body=b"hello") if d.query.get("hi") else None)
    source.handshake()(lambda d: Response(body=b"signed") if d.query.get("ping") else None)
    assert SourceRuntime(source).has_unsigned_handshake
    hi, ping = delivery(b"", query={"hi": "1"}), delivery(b"", query={"ping": "1"})
    assert SourceRuntime(source).handshake(hi, signed=False) == Response(body=b"hello")
    assert SourceRuntime(source).handshake(hi, signed=True) is None
    assert SourceRuntime(source).handshake(ping, signed=True) == Response(body=b"signed")


def test_a_guard_may_refuse() -> None:
    source = acme(options=[Option("org", "the org", default="x")])

    @source.guard
    def same_org(delivery: Delivery) -> None:
        if delivery.options["org"] != delivery.query.get("org"):
            raise Refused("a foreign org")

    with pytest.raises(Refused):
        SourceRuntime(source).guard(delivery(b"", options=source.defaults()))
    SourceRuntime(source).guard(delivery(b"", options=source.defaults(), query={"org": "x"}))
    SourceRuntime(acme()).guard(delivery(b""))


def test_an_external_id_type_is_lower_case() -> None:
    with pytest.raises(Declaration):
        ExternalId("Stripe", "1")


def test_handlers_are_tried_by_listing_them() -> None:
    source = acme()
    source.identity(lambda event: Identity(anonymous=("customer", event.body.id("customer"))))

    @source.on("t")
    def handler(event: Event) -> Iterator[Message]:
        yield track("Thing Done", {"thing_id": event.body.id("id")})

    (event,) = SourceRuntime(source).events(delivery(b'{"id": "1", "type": "t", "customer": "c"}'))
    assert list(handler(event)) == [track("Thing Done", {"thing_id": "1"})]
    assert SourceRuntime(source).identity(event).anonymous == ("customer", "c")


def test_a_form_is_read_with_the_last_value_of_each_field() -> None:
    assert parse_form(b"a=1&a=2&b=%C3%A9&c=") == {"a": "2", "b": "é", "c": ""}
    with pytest.raises(Malformed):
        parse_form(b"&".join(b"a=1" for _ in range(2000)))
    assert delivery(b"x=1").form == {"x": "1"}


@pytest.mark.parametrize(
    "unset",
    [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)],
)
def test_a_time_that_programs_write_for_none_is_none(unset: datetime) -> None:
    source = Source("acme", scheme=HmacBody(header="X"))
    source.head(lambda _: Head(id="1", type="t", occurred_at=unset))
    (event,) = SourceRuntime(source).events(Delivery(source="acme", body=b"{}", received_at=NOW))
    assert (event.occurred_at, event.clock) == (NOW, "received")


def test_a_byte_of_a_form_that_is_no_utf_8_harms_its_own_field_only() -> None:
    assert parse_form(b"a=1&b=\xff&c=%FF") == {
        "a": "1",
        "b": "\N{REPLACEMENT CHARACTER}",
        "c": "\N{REPLACEMENT CHARACTER}",
    }
    assert parse_form(b"\xef\xbb\xbfa=1") == {"a": "1"}


def test_the_first_check_with_a_reason_skips_the_event() -> None:
    source = acme()
    (event,) = SourceRuntime(source).events(delivery(b'{"id": "1", "type": "t", "test": true}'))
    assert SourceRuntime(source).skip_reason(event) is None
    source.skip_if(lambda event: None)
    source.skip_if(lambda event: "a test" if event.body.flag("test") else None)
    source.skip_if(lambda event: "never reached")
    assert SourceRuntime(source).skip_reason(event) == "a test"


def test_a_handshake_that_raises_is_logged_and_counts_as_a_delivery(caplog: pytest.LogCaptureFixture) -> None:
    source = acme()
    source.handshake(signed=False)(lambda d: 1 / 0)  # type: ignore[arg-type,return-value]
    source.handshake(signed=False)(lambda d: Response(body=b"x") if d.payload.text("challenge") else None)
    assert SourceRuntime(source).handshake(delivery(b"\xff garbage"), signed=False) is None
    assert "handshake failed" in caplog.text


def test_clear_is_named_in_messages_of_a_test() -> None:
    assert repr(CLEAR) == "CLEAR"


def test_a_delivery_has_the_members_of_its_list_or_its_body_and_makes_items_of_them() -> None:
    options = {"mode": "live"}
    several = Delivery(source="acme", body=b' [{"id": 1}, {"id":2}]', received_at=NOW, options=options)
    assert several.members == [b'{"id": 1}', b'{"id":2}']
    assert replace(several, body=b'{"id": 1}').members == [b'{"id": 1}']
    item = several.item(several.members[1], {"account": "a_1"})
    assert item == Item(raw=b'{"id":2}', received_at=NOW, envelope={"account": "a_1"}, options=options)
    assert several.item(b"{}").envelope == {}
