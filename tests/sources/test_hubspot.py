"""Behaviour of HubSpot that its goldens do not cover."""

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.journals import rows_of
from support.outcomes import golden_outcomes
from support.signature_vectors import HUBSPOT_1, HUBSPOT_2, HUBSPOT_3
from translators.hubspot import hubspot
from translators.hubspot.registration import subscriptions
from translators.kit import Delivery
from webhooks.errors import Rejected, SettingsError
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal
from webhooks.settings import load
from webhooks.signatures import Fault, RegisteredUrl, sign, verify
from webhooks.sources.endpoints import Endpoint, bind
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import endpoint, outcomes
from webhooks.translation.translate import Broken, Ignored, Translated, translate
from webhooks.web.handler import WebhookHandler

DOCS = Path(__file__).parents[2] / "docs"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://hooks.example.com/webhooks/hubspot"
SECRET = "5e1c9f27-3b44-4a0e-9d6e-0c4f6f1a7b11"
V3 = hubspot.schemes["v3"]


def happened(number: int = 1, type_: str = "contact.creation", **more: Any) -> dict[str, Any]:
    event = {
        "eventId": number,
        "subscriptionId": 77,
        "portalId": 62515,
        "occurredAt": 1792660000000,
        "subscriptionType": type_,
        "attemptNumber": 0,
        "objectId": 123,
    }
    return event | more


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps(events).encode()


def changed(kind: str, name: str, value: Any) -> dict[str, Any]:
    return happened(type_=f"{kind}.propertyChange", propertyName=name, propertyValue=value)


def outcome_of(event: dict[str, Any], **options: Any) -> Any:
    delivery = Delivery(
        source="hubspot", body=body_of(event), received_at=NOW, options=hubspot.defaults() | options
    )  # fmt: skip
    ((_, outcome),) = outcomes(hubspot, delivery)
    return outcome


def messages(event: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    outcome = outcome_of(event, **options)
    assert isinstance(outcome, Translated), outcome
    return outcome.messages


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[WebhookHandler]:
    journal = SqliteJournal(tmp_path / "hubspot.db")
    bound = Endpoint(
        name="hubspot", source=hubspot, scheme=V3, secrets=(SECRET,), options=hubspot.defaults(), public_url=URL
    )
    yield WebhookHandler(endpoints={"hubspot": bound}, sources={}, journal=journal, max_body=10**6, clock=lambda: NOW)
    journal.close()


def post(handler: WebhookHandler, body: bytes, *, url: str = URL, scheme: str = "v3") -> Any:
    signed = sign(hubspot.schemes[scheme], body=body, secret=SECRET, now=NOW, url=url)
    headers = dict(signed.headers)
    query = url.partition("?")[2]
    incoming = HttpRequest(method="POST", body=body, headers=headers, query={}, path_token="", query_string=query)
    return handler.handle("hubspot", incoming)


def test_the_schemes_are_those_of_the_official_vectors_and_the_third_is_the_default() -> None:
    assert list(hubspot.schemes.values()) == [HUBSPOT_3, HUBSPOT_2, HUBSPOT_1]


@pytest.mark.parametrize("scheme", ["v1", "v2"])
def test_older_signature_scheme_is_refused_unless_configured(handler: WebhookHandler, scheme: str) -> None:
    with pytest.raises(Rejected) as caught:
        post(handler, body_of(happened()), scheme=scheme)
    assert "X-HubSpot-Signature-v3" in str(caught.value)
    assert rows_of(handler, limit=10) == []


def test_a_batch_of_a_hundred_is_kept_event_by_event_with_its_exact_bytes(handler: WebhookHandler) -> None:
    events = [json.dumps(happened(number, objectId=number), separators=(",  ", " : ")) for number in range(100)]
    assert post(handler, ("[ " + " ,\n".join(events) + " ]").encode()).status == 200
    assert [row.event.raw.decode() for row in rows_of(handler, limit=200)] == events


def test_a_retry_is_known_though_its_attempt_is_counted(handler: WebhookHandler) -> None:
    for attempt in range(3):
        assert post(handler, body_of(happened(attemptNumber=attempt))).status == 200
    assert len(rows_of(handler, limit=10)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"objectId": 124}, {"occurredAt": 1792660000001}, {"portalId": 62516}, {"subscriptionType": "contact.deletion"},
        {"propertyName": "email", "propertyValue": "a@example.com"},
    ],
    ids=str,
)  # fmt: skip
def test_repeated_event_id_with_another_change_is_stored(handler: WebhookHandler, other: dict[str, Any]) -> None:
    post(handler, body_of(happened(), happened(**other)))
    assert len(rows_of(handler, limit=10)) == 2


@pytest.mark.parametrize("other", [{"subscriptionId": 78}, {"eventId": 2}, {"appId": 9}, {"attemptNumber": 3}], ids=str)
def test_a_second_subscription_of_one_change_is_a_duplicate(handler: WebhookHandler, other: dict[str, Any]) -> None:
    post(handler, body_of(happened()))
    post(handler, body_of(happened(**other)))
    assert len(rows_of(handler, limit=10)) == 1


def test_the_generic_and_the_older_subscription_of_one_change_are_one_event() -> None:
    link: dict[str, Any] = {"fromObjectId": 123, "toObjectId": 7001, "objectId": None}
    pairs = [
        (happened(), happened(2, "object.creation", objectTypeId="0-1")),
        (
            happened(type_="contact.associationChange", associationType="CONTACT_TO_COMPANY", **link),
            happened(2, "object.associationChange", fromObjectTypeId="0-1", toObjectTypeId="0-2", **link),
        ),
    ]
    for pair in pairs:
        sent = Delivery(source="hubspot", body=body_of(*pair), received_at=NOW, options=hubspot.defaults())
        assert len({event.id for event in SourceRuntime(hubspot).events(sent)}) == 1


def test_one_broken_event_of_a_batch_leaves_the_others_intact(handler: WebhookHandler) -> None:
    assert post(handler, body_of(happened(objectId=1), {"eventId": 2}, happened(objectId=3))).status == 200
    assert [bool(row.event.problem) for row in rows_of(handler, limit=10)] == [False, True, False]


@pytest.mark.parametrize("query", ["", "?account=62515", "?to=https%3A%2F%2Fa.example%2Fb%3Fc%2Cd&e=%28f%29%21"])
@pytest.mark.parametrize("decoded", [False, True])
def test_url_is_verified_unchanged_and_with_hubspots_escapes_decoded(query: str, decoded: bool) -> None:
    signed_url = URL + query
    if decoded:
        for escape, plain in {
            "%3A": ":",
            "%2F": "/",
            "%3F": "?",
            "%2C": ",",
            "%28": "(",
            "%29": ")",
            "%21": "!",
        }.items():
            signed_url = signed_url.replace(escape, plain)
    signed = sign(V3, body=b"[]", secret=SECRET, now=NOW, url=signed_url)
    headers = dict(signed.headers)
    request = HttpRequest(body=b"[]", headers=headers, query_string=query[1:])
    assert verify(V3, request, [SECRET], now=NOW, registered=RegisteredUrl(URL)).ok
    elsewhere = RegisteredUrl("https://other.example.com/webhooks/hubspot")
    assert not verify(V3, request, [SECRET], now=NOW, registered=elsewhere).ok


@pytest.mark.parametrize("minutes", [6, -6])
def test_an_old_or_early_signature_is_refused(minutes: int) -> None:
    signed = sign(V3, body=b"[]", secret=SECRET, now=NOW - timedelta(minutes=minutes), url=URL)
    headers = dict(signed.headers)
    verdict = verify(V3, HttpRequest(body=b"[]", headers=headers), [SECRET], now=NOW, registered=RegisteredUrl(URL))
    assert verdict.fault is Fault.CLOCK


def test_missing_public_url_refuses_all_and_is_a_settings_warning() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"HUBSPOT_WEBHOOK_SECRET": SECRET}, sources={"hubspot": hubspot})
    assert any("SEGUE_PUBLIC_URL" in fault for fault in caught.value.faults)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e15"), max_value=Decimal("1e15")))
def test_an_amount_is_exact_whatever_it_is(amount: Decimal) -> None:
    (message,) = messages(changed("deal", "amount", f"{amount:f}"))
    assert message["properties"]["amount"] == amount


@pytest.mark.parametrize("kind", ["contact", "company", "deal", "ticket"])
@pytest.mark.parametrize("value", ["12,50", "twelve", "NaN", ["12"], {"a": 1}])
def test_property_that_is_not_a_number_is_malformed_with_its_path(kind: str, value: Any) -> None:
    option = {"contact": "contact_traits", "company": "company_traits"}.get(kind, f"{kind}_properties")
    outcome = outcome_of(changed(kind, "score", value), **{option: ("score:number",)})
    assert isinstance(outcome, Broken)
    assert "$.propertyValue" in outcome.reason


@pytest.mark.parametrize("kind", ["contact", "company", "deal", "ticket"])
def test_property_that_is_not_configured_is_never_sent(kind: str) -> None:
    outcome = outcome_of(changed(kind, "passport_number", "X1"))
    assert isinstance(outcome, Ignored)
    assert kind in outcome.reason
    assert "X1" not in outcome.reason


@pytest.mark.parametrize("hidden", [{"isSensitive": True}, {"propertyValue": "REDACTED"}, {"propertyValue": None}])
def test_a_value_that_is_hidden_or_missing_erases_nothing(hidden: dict[str, Any]) -> None:
    assert isinstance(outcome_of(changed("contact", "email", "a@example.com") | hidden), Ignored)
    assert messages(changed("contact", "email", ""))[0]["traits"] == {"email": None}


@pytest.mark.parametrize(
    ("entry", "good"),
    [("user_id", True), ("arr=annual:number", True), ("vip:flag", True), ("a=b=c", False), ("arr:money", False)],
)
def test_an_entry_that_cannot_be_read_stops_the_start(entry: str, good: bool) -> None:
    environ = {
        "HUBSPOT_WEBHOOK_SECRET": SECRET,
        "SEGUE_PUBLIC_URL": "https://hooks.example.com",
        "SEGUE_HUBSPOT_CONTACT_TRAITS": f"email {entry}",
    }
    if good:
        assert load(environ, sources={"hubspot": hubspot})
        return
    with pytest.raises(SettingsError) as caught:
        load(environ, sources={"hubspot": hubspot})
    (fault,) = caught.value.faults
    assert entry in fault
    assert "property=name:number" in fault


def test_user_id_property_becomes_user_id_with_hubspots_external_id() -> None:
    (message,) = messages(changed("contact", "user_id", "u-1"), contact_traits=("user_id",))
    assert message["userId"] == "u-1"
    assert "anonymousId" not in message
    assert message["context"]["externalIds"][0]["id"] == "123"


def test_records_of_two_accounts_are_two_people() -> None:
    one, other = (messages(happened(portalId=portal))[0]["anonymousId"] for portal in (1, 2))
    assert one != other


@pytest.mark.parametrize(
    ("ids", "stays", "gone"),
    [
        ({"primaryObjectId": 1, "mergedObjectIds": [2]}, "1", ["2"]),
        ({"primaryObjectId": 1, "mergedObjectIds": [2, 3], "newObjectId": 1}, "1", ["2", "3"]),
        ({"primaryObjectId": 1, "mergedObjectIds": [2], "newObjectId": 9}, "9", ["1", "2"]),
        ({"primaryObjectId": 1, "mergedObjectIds": [2, 1], "newObjectId": 9}, "9", ["1", "2"]),
    ],
)
def test_every_merged_record_is_reported_once(ids: Any, stays: str, gone: list[str]) -> None:
    merged = messages(happened(type_="ticket.merge", objectId=None) | ids)
    assert [message["properties"]["ticket_id"] for message in merged] == gone
    assert {message["properties"]["merged_into"] for message in merged} == {stays}
    (known,) = messages(happened(type_="contact.merge") | ids)
    assert [entry["id"] for entry in known["context"]["externalIds"]] == [stays, *gone]


def test_the_name_of_an_older_payloads_type_is_read_too() -> None:
    event = happened()
    event["eventType"] = event.pop("subscriptionType")
    assert messages(event)[1]["event"] == "Contact Created"


def test_the_docs_example_of_a_workflow_verifies_and_is_translated(tmp_path: Path) -> None:
    text = (DOCS / "sources" / "hubspot.md").read_text().partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "segue.toml").write_text(text)
    assert "hubspot_workflow" in tomllib.loads(text)["sources"]
    url = "https://hooks.example.com/webhooks/hubspot_workflow"
    environ = {
        "SEGUE_CONFIG": str(tmp_path / "segue.toml"),
        "HUBSPOT_WORKFLOW_WEBHOOK_SECRET": SECRET,
        "SEGUE_PUBLIC_URL": "https://hooks.example.com",
    }
    bound = bind(load(environ, sources={}), {})["hubspot_workflow"]
    body = b'{"type": "trial.ended", "contact_id": 123, "email": "a@example.com", "plan": "gold"}'
    signed = sign(HUBSPOT_2, body=body, secret=SECRET, now=NOW, url=url)
    headers = dict(signed.headers)
    request = HttpRequest(body=body, headers=headers)
    assert verify(bound.scheme, request, [SECRET], now=NOW, registered=RegisteredUrl(url)).ok
    delivery = Delivery(source="hubspot_workflow", body=body, received_at=NOW, options={})
    (event,) = bound.runtime.events(delivery)
    outcome = translate(event, endpoint(bound.source, delivery.options), namespace="t")
    assert isinstance(outcome, Translated)
    assert (outcome.messages[0]["event"], outcome.messages[0]["properties"]) == ("Trial Ended", {"plan": "gold"})


def project_file() -> str:
    """Return docs/hubspot/webhooks-hsmeta.json with every subscription that `segue register hubspot` creates."""
    groups: dict[str, list[dict[str, Any]]] = {"crmObjects": [], "legacyCrmObjects": [], "hubEvents": []}
    for subscription in subscriptions(sorted(hubspot.declared.handlers)):
        type_ = subscription["eventType"]
        group = "legacyCrmObjects"
        entry: dict[str, Any] = {"subscriptionType": type_}
        if "objectTypeId" in subscription:
            group, entry["objectType"] = "crmObjects", "lead"
        elif type_.startswith("conversation.") or type_ == "contact.privacyDeletion":
            group = "hubEvents"
        entry |= {name: subscription[name] for name in ("propertyName", "active") if name in subscription}
        groups[group].append(entry)
    lists = ",\n".join(
        f'      "{group}": [\n' + ",\n".join(f"        {json.dumps(entry)}" for entry in entries) + "\n      ]"
        for group, entries in groups.items()
    )
    return (
        '{\n  "uid": "segue",\n  "type": "webhooks",\n  "config": {\n    "settings": {\n'
        '      "targetUrl": "https://hooks.example.com/webhooks/hubspot",\n      "maxConcurrentRequests": 10\n    },\n'
        '    "subscriptions": {\n' + lists + "\n    }\n  }\n}\n"
    )


def test_the_file_to_copy_subscribes_to_what_is_registered() -> None:
    assert (DOCS / "hubspot" / "webhooks-hsmeta.json").read_text() == project_file()
    json.loads(project_file())


def test_message_of_an_unknown_kind_is_malformed() -> None:
    outcome, _ = golden_outcomes(hubspot, "conversation_newMessage", {"0.messageType": "WHISPER"})
    assert isinstance(outcome, Broken)
    assert "$.messageType is neither MESSAGE nor COMMENT" in outcome.reason


def test_entry_of_a_property_option_in_another_form_is_named_in_the_reason() -> None:
    outcome = outcome_of(changed("contact", "plan", "pro"), contact_traits=("Plan name=plan=x",))
    assert isinstance(outcome, Broken)
    assert "the option's entry 'Plan name=plan=x' is not name, name=other" in outcome.reason
