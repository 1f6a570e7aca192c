"""A source from segue.toml alone; its faults are reported all at once."""

import json
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from translators.kit import Declaration, Delivery, HmacBody, Source, StandardWebhooks
from translators.kit.configured import configured
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation import catalog
from webhooks.translation.translate import Broken, Ignored, Translated, Unsupported, translate

PAGE = (Path(__file__).parent.parent.parent / "docs" / "configured-sources.md").read_text()
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
email = "email"
group_id = "account"
external_ids = { acme_customer_id = "customer" }
traits = { name = "name" }

[events]
"list.joined" = "List Joined"

[events."order.paid"]
track = "Order Completed"
fields = { order_id = { id = "id" }, revenue = { minor = "cents", currency = "currency" }, total = { decimal = "total" }, placed_at = { time = "placed" }, channel = { value = "web" }, note = { text = "note" }, raw = "raw" }

[[events."user.saved"]]
identify = true
fields = { plan = "plan" }

[[events."user.saved"]]
track = "Signed Up"
when = { new = true }

[[events."user.saved"]]
track = "Signed Up"
when = { new = true, plan = ["pro", "team"] }

[events."account.changed"]
group = "account"
fields = { plan = "plan" }

[events."invoice.late"]
track = "Invoice Overdue"
when = { days = [30, 60] }

[ignore]
"invoice.*" = "order.paid has the same facts"
"""


def acme(**changes: Any) -> Source:
    return configured("acme", {**tomllib.loads(TOML), **changes})


def events_of(source: Source, body: bytes, **headers: str) -> list[Any]:
    lower_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return SourceRuntime(source).events(
        Delivery(source="acme", body=body, received_at=datetime(2026, 1, 1, tzinfo=UTC), headers=lower_headers)
    )


def outcomes_of(source: Source, *events: dict[str, Any]) -> list[Any]:
    body = json.dumps({"events": [{"customer": "c1", **event} for event in events]}).encode()
    endpoint = Endpoint(name="acme", source=source, scheme=source.schemes["default"], user_id_keys=("user_id",))
    return [translate(event, endpoint, namespace="n") for event in events_of(source, body, x_acme_delivery="d1")]


def test_a_configured_event_becomes_its_message_with_exact_money_and_its_own_time() -> None:
    (outcome,) = outcomes_of(
        acme(),
        {"event": "order.paid", "at": 1700000000, "id": 5, "cents": 1999, "currency": "kwd", "total": "2.50",
         "placed": "2026-01-01T00:00:00Z", "account": "a1", "email": "a@example.com", "note": "n", "raw": [1]},
    )  # fmt: skip
    assert isinstance(outcome, Translated)
    (message,) = outcome.messages
    assert message["timestamp"] == "2023-11-14T22:13:20.000Z"
    assert message["properties"] == {
        "order_id": "5", "revenue": Decimal("1.999"), "total": Decimal("2.50"), "raw": [1], "note": "n",
        "placed_at": "2026-01-01T00:00:00.000Z", "channel": "web",
    }  # fmt: skip
    assert message["context"]["groupId"] == "a1"
    assert message["context"]["traits"] == {"email": "a@example.com"}
    assert message["context"]["externalIds"][0]["id"] == "c1"
    assert "anonymousId" in message


def test_a_name_alone_is_a_track() -> None:
    (outcome,) = outcomes_of(acme(), {"event": "list.joined"})
    assert (outcome.messages[0]["event"], outcome.messages[0]["properties"]) == ("List Joined", {})


def test_one_event_may_make_several_messages_each_by_its_conditions() -> None:
    whole, part, alone = outcomes_of(
        acme(),
        {"event": "user.saved", "plan": "pro", "new": True},
        {"event": "user.saved", "plan": "free", "new": True},
        {"event": "user.saved", "plan": "pro"},
    )
    assert [message["type"] for message in whole.messages] == ["identify", "track", "track"]
    assert len({message["messageId"] for message in whole.messages}) == 3
    assert [message["type"] for message in part.messages] == ["identify", "track"]
    assert [message["type"] for message in alone.messages] == ["identify"]


def test_an_event_that_no_condition_fits_is_ignored_with_that_reason() -> None:
    late, later = outcomes_of(acme(), {"event": "invoice.late", "days": 60}, {"event": "invoice.late", "days": 61})
    assert isinstance(late, Translated)
    assert later == Ignored('no condition of sources.acme.events."invoice.late" holds')


def test_identity_follows_the_metadata_then_your_own_id_then_theirs_then_the_address() -> None:
    everything = {"meta": {"user_id": "m"}, "user": {"id": "u"}, "email": "Ada@Example.com"}
    outcomes = outcomes_of(
        acme(),
        {"event": "list.joined", **everything},
        {"event": "list.joined", **everything, "meta": None},
        {"event": "list.joined", "email": "Ada@Example.com"},
        {"event": "list.joined", "email": "Ada@Example.com", "customer": None},
        {"event": "list.joined", "email": "ada@example.com", "customer": None},
    )
    by_metadata, by_field, by_customer, by_email, again = (outcome.messages[0] for outcome in outcomes)
    assert (by_metadata["userId"], by_field["userId"]) == ("m", "u")
    assert by_customer["anonymousId"] != by_email["anonymousId"] == again["anonymousId"]
    assert by_email["context"]["traits"] == {"email": "Ada@Example.com"}


def test_an_event_without_a_person_is_malformed_unless_it_is_your_own_accounts() -> None:
    unidentified = {"event": "list.joined", "customer": None}
    (broken,) = outcomes_of(acme(), unidentified)
    assert isinstance(broken, Broken)
    assert "$.user.id identifies no one (sources.acme.identity: $.user.id, $.meta, $.customer, $.email" in broken.reason
    (own,) = outcomes_of(acme(identity={"own_account": True}), unidentified)
    assert "anonymousId" in own.messages[0]


def test_groups_ignored_types_and_unknown_types_have_their_own_outcomes() -> None:
    group, ignored, unknown, broken = outcomes_of(
        acme(),
        {"event": "account.changed", "account": "a1", "plan": "pro"},
        {"event": "invoice.sent"},
        {"event": "new.thing"},
        {"event": "order.paid", "cents": "many", "currency": "usd"},
    )
    assert group.messages[0]["groupId"] == "a1"
    assert ignored == Ignored("order.paid has the same facts")
    assert isinstance(unknown, Unsupported)
    assert broken == Broken("malformed: $.cents is text, not a whole number")


def test_without_an_id_path_the_bytes_are_the_key() -> None:
    source = acme(id="", items="$", time="header:X-At")
    (event,) = events_of(source, b'[{"event": "x"}]', x_at="1700000000")
    assert event.id.startswith("sha256:")
    assert event.occurred_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_ids_and_types_may_be_made_of_several_members_and_headers() -> None:
    source = acme(id=["event", "id"], type=["header:X-Kind", "event"], items="")
    (event,) = events_of(source, b'{"event": "opened", "id": 7}', x_kind="issue")
    assert (event.id, event.type) == ("opened:7", "issue.opened")
    (event,) = events_of(source, b'{"event": "opened", "id": 7}')
    assert event.type == "opened"
    for body, path in ((b'{"event": "opened"}', "$.id"), (b'{"id": 7}', "$.event")):
        assert events_of(source, body)[0].problem.startswith(path)


def test_an_id_that_holds_the_separator_is_no_other_event() -> None:
    source = acme(id=["event", "id"], type="event", items="", time="")
    made, other = (
        events_of(source, body)[0] for body in (b'{"event": "a:b", "id": "c"}', b'{"event": "a", "id": "b:c"}')
    )
    assert made.id != other.id
    assert [former.id for former in made.former_ids] == ["a:b:c"]
    assert other.id == "a:b:c"


def test_a_delivery_id_in_a_header_does_not_make_one_event_of_a_whole_batch() -> None:
    body = b'{"events": [{"event": "x", "id": 1}, {"event": "x", "id": 2}]}'
    first, second = events_of(acme(time=""), body, x_acme_delivery="d1")
    assert first.id != second.id
    assert all(former.id == "d1" and former.same_bytes for event in (first, second) for former in event.former_ids)
    again = events_of(acme(time=""), body, x_acme_delivery="d1")
    assert [event.id for event in again] == [first.id, second.id]


@pytest.mark.parametrize("nothing", ['""', '" "', "null"])
def test_an_empty_time_is_none_and_the_receipt_stands_for_it(nothing: str) -> None:
    (event,) = events_of(acme(id="event"), b'{"events": [{"event": "list.joined", "at": %s}]}' % nothing.encode())
    assert (event.problem, event.clock) == ("", "received")


def test_two_events_with_one_body_differ_by_the_type_in_a_header() -> None:
    source = acme(id="", type="header:X-Kind", items="", time="")
    deleted, restored = (events_of(source, b'{"id": 100}', x_kind=kind)[0] for kind in ("deleted", "restored"))
    assert deleted.id != restored.id
    assert deleted.former_ids == restored.former_ids
    assert deleted.id.endswith(deleted.former_ids[0].id)


def test_a_form_is_read_by_the_names_of_its_fields() -> None:
    source = acme(body="form", items="", id="sid", time="")
    (event,) = events_of(source, b"event=order.paid&sid=s1&customer=c1&id=9&cents=500&currency=eur")
    endpoint = Endpoint(name="acme", source=source, scheme=source.schemes["default"])
    outcome = translate(event, endpoint, namespace="n")
    assert isinstance(outcome, Broken), "a form's amount is text: say { decimal = ... }"
    (event,) = events_of(source, b"event=order.paid&sid=s1&customer=c1&id=9&total=5.00")
    outcome = translate(event, endpoint, namespace="n")
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["total"] == Decimal("5.00")


def test_a_time_without_a_zone_is_refused_unless_naive_times_are_utc() -> None:
    body = b'{"events": [{"event": "list.joined", "at": "2026-01-02T03:04:05"}]}'
    (event,) = events_of(acme(id="event"), body)
    assert "has no time zone; naive_times_are_utc" in event.problem
    (event,) = events_of(acme(id="event", naive_times_are_utc=True), body)
    assert event.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    (event,) = events_of(acme(id="event"), body.replace(b"04:05", b"04:05+02:00"))
    assert event.occurred_at == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    (event,) = events_of(acme(id="event"), body.replace(b"2026-01-02T03:04:05", b"yesterday"))
    assert "is not a time" in event.problem
    (event,) = events_of(acme(id="event"), b'{"events": [{"event": "list.joined"}]}')
    assert event.clock == "received"


def test_an_event_without_a_type_is_malformed() -> None:
    (event,) = events_of(acme(id="id"), b'{"events": [{"id": 1}]}')
    assert event.problem == "$.event is missing, and it names the event's type"


def test_a_user_id_alone_identifies_the_person() -> None:
    (outcome,) = outcomes_of(acme(), {"event": "list.joined", "customer": None, "user": {"id": "u"}})
    (message,) = outcome.messages
    assert message["userId"] == "u"
    assert "anonymousId" not in message


def test_a_missing_header_id_is_malformed() -> None:
    (event,) = events_of(acme(), b'{"events":[{"event":"x"}]}')
    assert event.problem == "header:X-Acme-Delivery is missing, and it names the event"


def test_the_least_that_is_a_source() -> None:
    least = {
        "scheme": {"class": "StandardWebhooks"}, "type": "t", "identity": {"anonymous": "who"}, "events": {"x": "X"},
    }  # fmt: skip
    source = configured("acme", least)
    assert source.schemes["default"] == StandardWebhooks()
    (event,) = events_of(source, b'{"t": "x", "who": 1}')
    assert SourceRuntime(source).identity(event).anonymous == ("customer", "1")
    assert acme().schemes["default"] == HmacBody(header="X-Acme-Signature")


def test_the_catalog_lists_the_messages_of_a_configured_source() -> None:
    entry = catalog.describe(acme(), catalog.shipped(acme()))
    messages = {type_["type"]: type_["messages"] for type_ in entry["types"]}
    assert [message["name"] or message["kind"] for message in messages["user.saved"]] == [
        "identify",
        "Signed Up",
        "Signed Up",
    ]
    assert messages["order.paid"][0]["fields"]["revenue"] == ["number"]
    assert messages["order.paid"][0]["fields"]["raw"] == []
    rules = {rule.get("key"): rule for rule in catalog.tracking_plan([entry])["rules"]}
    properties = rules["Order Completed"]["jsonSchema"]["properties"]["properties"]["properties"]
    assert properties["channel"] == {"type": ["string"]}
    assert properties["raw"] == {}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scheme": None}, "sources.acme.scheme is a date or time: write a table"),
        ({"scheme": {"class": "Nope"}}, "sources.acme.scheme.class is 'Nope': choose HmacBody or"),
        ({"scheme": {"class": "HmacBody", "header": "X", "encodng": "hex"}}, "sources.acme.scheme.encodng is not a setting: did you mean encoding?"),
        ({"scheme": {"class": "HmacBody"}}, "sources.acme.scheme.header is missing: HmacBody needs it"),
        ({"scheme": {"class": "HmacBody", "header": "X", "alg": "md5"}}, "sources.acme.scheme.alg does not fit (invalid enum value 'md5'): choose sha1 or sha256 or sha512"),
        ({"scheme": {"class": "HmacBody", "header": 5}}, "sources.acme.scheme.header does not fit (expected `str`, got `int`)"),
        ({"tipe": "x"}, "sources.acme.tipe is not a setting: did you mean type?"),
        ({"colour": 1}, "sources.acme.colour is not a setting: known are body, docs, events"),
        ({"type": 1}, "sources.acme.type is a number: write a path, or a list of paths"),
        ({"type": ["a", 1]}, "sources.acme.type is a list: write a path, or a list of paths"),
        ({"title": True}, "sources.acme.title is true or false: write a text"),
        ({"body": "xml"}, "sources.acme.body is 'xml': choose json or form"),
        ({"naive_times_are_utc": "yes"}, "sources.acme.naive_times_are_utc is a text: write true or false"),
        ({"body": "form"}, "sources.acme.items cannot be with body"),
        ({"identity": []}, "sources.acme.identity is a list: write a table"),
        ({"identity": {}}, "sources.acme.identity identifies no one: give user_id, metadata, anonymous or email"),
        ({"identity": {"user_idd": "x"}}, "sources.acme.identity.user_idd is not a setting: did you mean user_id?"),
        ({"identity": {"user_id": "u", "external_ids": {"UPPER": "x"}}}, "sources.acme.identity.external_ids.UPPER cannot be"),
        ({"identity": {"user_id": "u", "external_ids": {"a": 1}}}, "sources.acme.identity.external_ids.a is no path"),
        ({"identity": {"user_id": "u", "traits": {"a": 1}}}, "sources.acme.identity.traits.a must be a path"),
        ({"events": {"a.b": 1}}, 'sources.acme.events."a.b" is a number: write a table'),
        ({"events": {"a": {}}}, "sources.acme.events.a needs one of track = name, identify = true, group = path"),
        ({"events": {"a": {"trak": "A"}}}, "sources.acme.events.a.trak is not a setting: did you mean track?"),
        ({"events": {"a": {"track": 1}}}, "sources.acme.events.a.track is a number: write a text"),
        ({"events": {"a": {"track": ""}}}, "sources.acme.events.a.track is empty"),
        ({"events": {"a": {"identify": False}}}, "sources.acme.events.a.identify is false"),
        ({"events": {"a": [{"track": "A"}, {"track": "B", "when": 1}]}}, "sources.acme.events.a[2].when is a number"),
        ({"events": {"a": {"track": "A", "fields": {"x": 1}}}}, "sources.acme.events.a.fields.x must be a path"),
        ({"events": {"a": {"track": "A", "fields": {"x": {"minor": "m"}}}}}, "sources.acme.events.a.fields.x must be a path"),
        ({"events": {"a": {"track": "A", "fields": {"x": {"decimal": 1}}}}}, "sources.acme.events.a.fields.x must be a path"),
        ({"events": {}, "ignore": {}}, "sources.acme.events is missing: say what a type becomes"),
        ({"ignore": {"x": ""}}, "sources.acme.ignore.x cannot be: acme ignores x without a reason"),
        ({"ignore": {"order.paid": "no"}}, "sources.acme.ignore.\"order.paid\" cannot be: acme declares 'order.paid' twice"),
    ],
)  # fmt: skip
def test_every_wrong_key_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(Declaration) as error:
        acme(**changes)
    assert any(line.startswith(problem) for line in str(error.value).splitlines()), str(error.value)


@pytest.mark.parametrize("missing", ["scheme", "type"])
def test_a_missing_key_is_named(missing: str) -> None:
    config = tomllib.loads(TOML)
    del config[missing]
    with pytest.raises(Declaration, match=f"sources.acme.{missing} is missing"):
        configured("acme", config)


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(Declaration) as error:
        configured("acme", {"scheme": {"class": "HmacBody"}, "tipe": "t", "events": {"a": {"trak": "A"}}})
    assert len(str(error.value).splitlines()) == 6, str(error.value)


@pytest.mark.parametrize("config", [5, "x", []])
def test_what_is_no_table_is_named(config: Any) -> None:
    with pytest.raises(Declaration, match=r"sources\.acme is .*: write a table"):
        configured("acme", config)


def test_an_invalid_source_name_is_reported() -> None:
    with pytest.raises(Declaration, match=r"sources\.Acme-1: source name 'Acme-1' must be lower-case"):
        configured("Acme-1", tomllib.loads(TOML))


def test_every_key_is_on_the_page() -> None:
    from translators.kit.configured import _KEYS, events, fields, people

    keys = [
        *_KEYS,
        *people._PATHS,
        "group_id",
        "external_ids",
        "traits",
        "own_account",
        *events._KINDS,
        "fields",
        "when",
    ]
    assert [key for key in keys if f"`{key}`" not in PAGE and f"{key} =" not in PAGE] == []
    for form in fields.FORMS:
        assert any(all(f"{key} = " in line for key in form) for line in PAGE.splitlines() if line.startswith("| `{")), (
            form
        )


def test_methods_of_deliveries_are_declared_and_those_without_a_body_are_a_fault() -> None:
    config = tomllib.loads(TOML)
    assert configured("acme", {**config, "methods": ["PUT", "PATCH"]}).delivery_methods == {"POST", "PUT", "PATCH"}
    assert configured("acme", config).delivery_methods == {"POST"}
    with pytest.raises(Declaration, match=r"sources\.acme: acme declares GET"):
        configured("acme", {**config, "methods": ["GET"]})
