"""Rules that many sources share: options, one account, live or test events, tables of types."""

from datetime import UTC, datetime
from typing import Any

import pytest

from translators.kit import (
    Delivery,
    Event,
    Head,
    HmacBody,
    Identity,
    Option,
    Refused,
    Source,
    accept_account,
    choice_option,
    first_id,
    full_name,
    list_option,
    name_traits,
    skip_other_modes,
    text_option,
    ticket_event,
)
from webhooks.sources.runtime import SourceRuntime

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ORG = text_option("org", "one organisation only")
SITES = list_option("sites", "these sites only", pattern="[a-z]+")
MODE = choice_option("mode", "which events", ("live", "test", "both"), "live")


def source(**more: Any) -> Source:
    acme = Source("acme", scheme=HmacBody(header="X"), options=[ORG, SITES, MODE], **more)
    acme.head(lambda item: Head(id=item.body.id("id"), type=item.body.text("type"), occurred_at=None))
    return acme


def delivery(body: bytes = b"{}", **options: Any) -> Delivery:
    return Delivery(source="acme", body=body, received_at=NOW, options=source().defaults() | options)


def event(acme: Source, body: bytes, **options: Any) -> Event:
    (first,) = SourceRuntime(acme).events(delivery(body, **options))
    return first


def test_the_handler_of_a_table_belongs_to_the_source_s_package_which_has_its_catalog() -> None:
    from translators.kit import SharedToken, Source

    source = Source("table", scheme=SharedToken(where="query"))
    source.tracks({"a": "A"})(lambda event: {})
    assert source.declared.handlers["a"].__module__ == __name__


def test_options_are_read_with_their_type_and_default() -> None:
    assert (ORG.of(delivery()), SITES.of(delivery()), MODE.of(delivery())) == ("", (), "live")
    assert (ORG.of(delivery(org="o1")), SITES.of(delivery(sites=("a",)))) == ("o1", ("a",))
    assert ORG.of(Delivery(source="acme", body=b"", received_at=NOW)) == "", (
        "a delivery without options has the defaults"
    )
    assert (SITES.many, SITES.pattern, MODE.choices) == (True, "[a-z]+", ("live", "test", "both"))


@pytest.mark.parametrize(("option", "value"), [(ORG, "o1"), (SITES, ("o0", "o1"))])
def test_a_delivery_of_another_account_or_of_none_is_refused(option: Option[Any], value: Any) -> None:
    acme = source()
    accept_account(acme, option, lambda d: d.payload.opt.id("org"), what="Acme organisation")
    guard = SourceRuntime(acme).guard
    guard(delivery(b'{"org": "any"}'))
    guard(delivery(b"{}"))
    guard(delivery(b'{"org": "o1"}', **{option.name: value}))
    with pytest.raises(Refused, match="from another Acme organisation"):
        guard(delivery(b'{"org": "o2"}', **{option.name: value}))
    with pytest.raises(Refused, match=f"names no Acme organisation, and {option.name} allows one only"):
        guard(delivery(b"{}", **{option.name: value}))


def test_two_guards_are_both_run_and_ids_may_be_compared_by_a_function() -> None:
    acme = source()
    accept_account(acme, ORG, lambda d: d.payload.opt.id("org"), what="organisation", same=lambda a, b: a[:2] == b[:2])
    accept_account(acme, SITES, lambda d: d.payload.opt.id("site"), what="site")
    body = b'{"org": "o1-short", "site": "x"}'
    SourceRuntime(acme).guard(delivery(body, org="o1", sites=("x",)))
    with pytest.raises(Refused, match="site"):
        SourceRuntime(acme).guard(delivery(body, org="o1", sites=("y",)))


def test_events_of_another_mode_are_skipped_with_the_setting_that_delivers_them() -> None:
    acme = source()

    @skip_other_modes(acme, MODE, what="payment")
    def mode(event: Event) -> str:
        return "test" if event.body.flag("test", False) else "live"

    body = b'{"id": 1, "type": "t", "test": true}'
    skip_reason = SourceRuntime(acme).skip_reason
    assert mode(event(acme, body)) == "test"
    assert skip_reason(event(acme, body)) == "a test payment; set SEGUE_ACME_MODE=both to deliver it too"
    assert skip_reason(event(acme, body, mode="test")) is skip_reason(event(acme, body, mode="both")) is None
    live = b'{"id": 1, "type": "t"}'
    assert [skip_reason(event(acme, live, mode=mode)) is None for mode in ("live", "test", "both")] == [
        True,
        False,
        True,
    ]


def test_the_events_of_a_mode_carry_its_context() -> None:
    acme = source()

    @skip_other_modes(acme, MODE, context={"test": {"livemode": False}})
    def mode(event: Event) -> str:
        return event.body.text("mode")

    for name, context in (("test", {"livemode": False}), ("live", {})):
        one = event(acme, b'{"id": 1, "type": "t", "mode": "%s"}' % name.encode(), mode="both")
        assert SourceRuntime(acme).context(one) == context


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("open", "solved", "Ticket Solved"), ("solved", "open", "Ticket Reopened"), ("solved", "closed", "Ticket Status Changed"),
        ("open", "pending", "Ticket Status Changed"), (None, "solved", "Ticket Solved"), (None, None, "Ticket Status Changed"),
    ],
)  # fmt: skip
def test_a_ticket_is_solved_and_reopened_at_the_border_of_its_done_states(
    before: str | None, after: str | None, name: str
) -> None:
    assert ticket_event(before, after, {"solved", "closed"}) == name


def test_a_table_of_types_makes_one_track_each() -> None:
    acme = source()

    @acme.tracks({"order.paid": "Order Completed", "order.*": "Order Updated"})
    def order(event: Event) -> dict[str, Any]:
        return event.body.select(order_id="id:id")

    def messages(type_: str) -> list[Any]:
        one = event(acme, b'{"id": 7, "type": "%s"}' % type_.encode())
        handler = SourceRuntime(acme).find(one.type)
        assert callable(handler)
        return [(message.name, message.fields) for message in handler(one)]

    assert messages("order.paid") == [("Order Completed", {"order_id": "7"})]
    assert messages("order.shipped") == [("Order Updated", {"order_id": "7"})]
    assert order(event(acme, b'{"id": 7, "type": "order.paid"}')) == {"order_id": "7"}, "the function stays usable"


def test_a_table_of_types_takes_a_name_from_an_option_and_identity_and_context_from_functions() -> None:
    acme = source()

    @acme.tracks(
        {"left": MODE},
        identity=lambda event: Identity(anonymous=("user", event.body.id("id"))),
        context=lambda event: event.body.select("ip"),
    )
    def no_properties(event: Event) -> dict[str, Any]:
        return {}

    one = event(acme, b'{"id": 7, "type": "left", "ip": "192.0.2.1"}', mode="test")
    handler = SourceRuntime(acme).find("left")
    assert callable(handler)
    (message,) = handler(one)
    assert (message.name, message.fields, message.context) == ("test", {}, {"ip": "192.0.2.1"})
    assert message.identity == Identity(anonymous=("user", "7"))


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Ada", "Lovelace", "Ada Lovelace"), (" Ada ", None, "Ada"), ("", " ", None), (None, "L", "L")],
)
def test_a_full_name_is_made_of_its_parts(first: str | None, last: str | None, name: str | None) -> None:
    assert full_name(first, last) == name


def test_a_name_in_two_parts_gives_three_traits() -> None:
    assert name_traits("Ada", "Lovelace") == {"firstName": "Ada", "lastName": "Lovelace", "name": "Ada Lovelace"}
    assert name_traits(None, "Lovelace") == {"firstName": None, "lastName": "Lovelace", "name": "Lovelace"}


def test_the_first_id_that_is_not_empty_names_the_person() -> None:
    assert first_id(customer="cus_1", payment="pay_1") == ("customer", "cus_1")
    assert first_id(customer="", order=None, payment="pay_1") == ("payment", "pay_1")
    assert first_id(customer="", payment=None) is None


def test_the_digest_of_an_item_names_its_bytes() -> None:
    acme = Source("acme", scheme=HmacBody(header="X"))
    acme.head(lambda item: Head(id=item.digest, type="t", occurred_at=None))
    assert event(acme, b"{}").id == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
