"""Behaviour of Salesforce's JSON sources that its goldens do not cover."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Delivery, Refused, Source
from translators.salesforce import (
    salesforce,
    salesforce_apex,
    salesforce_cdc,
    salesforce_data_cloud,
    salesforce_marketing_cloud,
)
from translators.salesforce.custom import property_name
from translators.salesforce.ids import full_id, same_organization
from unreadable import problem
from webhooks.errors import Rejected
from webhooks.journal import SqliteJournal
from webhooks.settings import load
from webhooks.signatures import Fault, Request, sign, verify
from webhooks.sources.endpoints import Endpoint, bind
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Translated
from webhooks.web.handler import HttpRequest, WebhookHandler

GOLDEN = Path(__file__).parent.parent / "golden"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def delivery(source: Source, body: Any, **options: Any) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(source=source.name, body=raw, received_at=NOW, options=source.defaults() | options)


def golden(source: Source, name: str) -> Any:
    return json.loads((GOLDEN / source.name / f"{name}.json").read_text())


def messages(source: Source, body: Any, **options: Any) -> list[dict[str, Any]]:
    sent = []
    for _, outcome in outcomes(source, delivery(source, body, **options)):
        assert isinstance(outcome, Translated | Ignored), outcome
        sent += outcome.messages if isinstance(outcome, Translated) else []
    return sent


# Ids


def test_fifteen_character_id_gets_salesforces_checksum() -> None:
    # the organisation and channel ids of https://developer.salesforce.com/docs (EventRelayFeedback, RemoteResource)
    assert full_id("00DRM000000Fxts") == "00DRM000000Fxts2AC"
    assert full_id("0YLRM0000004Dfg") == "0YLRM0000004Dfg4AE"
    assert full_id("0015f00002JUX1J") == "0015f00002JUX1JAAX"


@given(st.text(ALPHANUMERIC, min_size=15, max_size=15))
def test_an_id_of_eighteen_differs_wherever_fifteen_do_even_without_their_case(id_: str) -> None:
    assert full_id(id_)[:15] == id_
    assert full_id(full_id(id_)) == full_id(id_)
    other = id_.swapcase()
    assert (full_id(other).lower() == full_id(id_).lower()) == (other == id_)


def test_organisation_ids_match_in_both_forms_but_not_by_a_part() -> None:
    assert same_organization("00DRM000000Fxts2AC", "00DRM000000Fxts")
    assert not same_organization("00DRM000000Fxts2AC", "00DRM000000fxts")
    assert not same_organization("", "")
    assert not same_organization("00D", "00D")


def test_one_contact_is_one_person_over_all_sources_and_both_forms_of_its_id() -> None:
    apex = golden(salesforce_apex, "Contact.create")
    change = golden(salesforce_cdc, "Contact.update__two_records")
    long = apex["events"][0]["record"]["Id"]
    anonymous_ids = {message["anonymousId"] for message in messages(salesforce_apex, apex)}
    anonymous_ids |= {messages(salesforce_cdc, change)[0]["anonymousId"]}
    apex["events"][0]["record"]["Id"] = long[:15]
    anonymous_ids |= {message["anonymousId"] for message in messages(salesforce_apex, apex)}
    outbound = (GOLDEN / "salesforce" / "Contact.xml").read_text().replace("sf:user_id>", "sf:Other__c>")
    outbound = outbound.replace("003000000000001AAA", long)
    anonymous_ids |= {message["anonymousId"] for message in messages(salesforce, outbound.encode())}
    assert len(anonymous_ids) == 1


@pytest.mark.parametrize(
    ("field", "name"),
    [("Total_Amount__c", "total_amount"), ("TotalAmount__c", "total_amount"), ("URL__c", "url"), ("X__c", "x")],
)
def test_a_field_becomes_a_property_in_snake_case(field: str, name: str) -> None:
    assert property_name(field) == name


def test_lists_of_names_with_spaces_are_read_from_the_environment() -> None:
    sources = {source.name: source for source in (salesforce, salesforce_apex, salesforce_cdc)}
    environ = {
        "SEGMENT_WRITE_KEY": "wk",
        "SALESFORCE_WEBHOOK_SECRET": "a",
        "SALESFORCE_APEX_WEBHOOK_SECRET": "b",
        "SALESFORCE_CDC_WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
        "SEGUE_SALESFORCE_WON_STAGES": "Closed Won",
        "SEGUE_SALESFORCE_APEX_CUSTOM_OBJECTS": "Visit__c=Form Submitted; Order__c=Order Completed by Buyer__c",
        "SEGUE_SALESFORCE_CDC_WON_STAGES": "Closed Won; Signed, approved",
    }
    bound = bind(load(environ, sources=sources), sources)
    apex = golden(salesforce_apex, "Order__c.create")
    (message,) = messages(salesforce_apex, apex, **bound["salesforce_apex"].options)
    assert message["event"] == "Order Completed"
    assert message["context"]["externalIds"][0]["type"] == "salesforce_contact_id"
    for stage, name in (("Signed, approved", "Opportunity Won"), ("Signed", "Opportunity Stage Changed")):
        moved = golden(salesforce_cdc, "Opportunity.update__won")
        moved["data"]["payload"]["StageName"] = stage
        (message,) = messages(salesforce_cdc, moved, **bound["salesforce_cdc"].options)
        assert message["event"] == name


# Apex


def test_only_the_apex_class_signature_is_accepted() -> None:
    scheme, body, secret = salesforce_apex.schemes["default"], b'{"events": [], "name": "Zo\xc3\xab"}', "a long secret"
    ts = str(int(NOW.timestamp()))
    # EncodingUtil.convertToHex(Crypto.generateMac('HmacSHA256', Blob.valueOf(ts + '.' + body), Blob.valueOf(secret)))
    made = hmac.new(secret.encode(), ts.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"x-sf-timestamp": ts, "x-sf-signature": made}
    for request, now, fault in (
        (Request(body=body, headers=headers), NOW, None),
        (Request(body=body + b" ", headers=headers), NOW, Fault.BODY),
        (Request(body=body, headers=headers), NOW + timedelta(hours=1), Fault.CLOCK),
        (Request(body=body, headers={"x-sf-timestamp": ts}), NOW, Fault.MISSING),
    ):
        verdict = verify(scheme, request, secrets=(secret,), now=now)
        assert verdict.fault is (fault or Fault.NONE)


def test_apex_class_sends_the_members_that_the_source_reads() -> None:
    docs = Path(__file__).parent.parent.parent / "docs" / "salesforce"
    code = (docs / "SegueCallout.cls").read_text()
    for word in ("X-Sf-Timestamp", "X-Sf-Signature", "HmacSHA256", "'organization_id'", "'url'", "'events'", "'id'",
                 "'object'", "'operation'", "'at'", "'record'", "'changed'", "'old'", "Segue_Setting__mdt"):  # fmt: skip
        assert word in code, word
    assert "SegueCallout" in (docs / "SegueTrigger.trigger").read_text()
    setting = (docs / "objects" / "Segue_Setting__mdt" / "Segue_Setting__mdt.object-meta.xml").read_text()
    assert "<visibility>Protected</visibility>" in setting


def test_callout_of_another_organisation_is_refused() -> None:
    body = golden(salesforce_apex, "Lead.create")
    ours = body["organization_id"]
    for allowed in ("", ours, ours[:15]):
        salesforce_apex.check(delivery(salesforce_apex, body, organization_id=allowed))
    for other in ("00D999999999999AAA", None):
        with pytest.raises(Refused):
            salesforce_apex.check(delivery(salesforce_apex, body | {"organization_id": other}, organization_id=ours))


def test_a_retry_of_a_callout_has_the_keys_of_its_first_try() -> None:
    body = golden(salesforce_apex, "two_records")
    first, again = ([event.key for event in salesforce_apex.events(delivery(salesforce_apex, body))] for _ in range(2))
    assert first == again == [event["id"] for event in body["events"]]


def test_one_bad_record_of_a_callout_leaves_the_others_intact() -> None:
    body = golden(salesforce_apex, "two_records")
    body["events"][0]["operation"] = "explode"
    bad, good = salesforce_apex.events(delivery(salesforce_apex, body))
    assert "$.operation" in bad.problem
    assert not good.problem


# Change Data Capture


def change(name: str = "Contact.update__pubsub_names", **header: Any) -> dict[str, Any]:
    body = golden(salesforce_cdc, name)
    payload = body.get("payload") or body["data"]["payload"]
    payload["ChangeEventHeader"] |= header
    return dict(body)


@pytest.mark.parametrize("kind", ["GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW"])
@pytest.mark.parametrize("name", ["Lead.update", "Account.update", "Contact.update__pubsub_names"])
def test_gap_event_clears_nothing(kind: str, name: str) -> None:
    assert messages(salesforce_cdc, change(name, changeType=kind)) == []


@given(st.lists(st.text(ALPHANUMERIC, min_size=12, max_size=12), min_size=1, max_size=30))
def test_every_record_of_a_change_is_an_event_and_none_twice(tails: list[str]) -> None:
    ids = [f"003{tail}" for tail in tails]
    events = salesforce_cdc.events(delivery(salesforce_cdc, change(recordIds=ids)))
    assert [event.key.rpartition("-")[2] for event in events] == list(dict.fromkeys(ids))
    assert len({event.key for event in events}) == len(events)
    assert len({event.raw for event in events}) == 1


_FIELDS = ("Email", "Phone", "Title", "LeadSource")


@given(st.sets(st.sampled_from(_FIELDS)), st.sets(st.sampled_from(_FIELDS)), st.booleans())
def test_only_a_field_named_as_emptied_is_cleared(nulled: set[str], changed: set[str], is_bitmap: bool) -> None:
    header = (
        {"changedFields": ["0x1f"], "nulledFields": ["0x0e"]}
        if is_bitmap
        else {"changedFields": sorted(changed | nulled), "nulledFields": sorted(nulled)}
    )
    body = change(**header)
    for name in _FIELDS:
        body["payload"][name] = f"new {name}" if name in changed - nulled else None
    sent = messages(salesforce_cdc, body)
    traits = next((message["traits"] for message in sent if message["type"] == "identify"), {})
    cleared = {name for name, value in traits.items() if value is None}
    assert cleared == (set() if is_bitmap else {name[0].lower() + name[1:] for name in nulled})
    assert set(traits) - cleared - {"lastName"} == {name[0].lower() + name[1:] for name in changed - nulled}


def test_eventbridge_null_clears_nothing_without_lists_in_the_header() -> None:
    body = golden(salesforce_cdc, "Account.update__eventbridge")
    payload = body["detail"]["payload"]
    del payload["ChangeEventHeader"]["changedFields"], payload["ChangeEventHeader"]["nulledFields"]
    payload["Website"] = None
    (message,) = messages(salesforce_cdc, body)
    assert message["traits"] == {"phone": "+48 58 555 0102"}


def test_every_wrapper_of_one_change_is_the_same_event_and_message() -> None:
    payload = change()["payload"]
    wrapped = [
        payload,
        {"payload": payload, "replayId": 1},
        {"data": {"payload": payload, "event": {"replayId": 1}, "schema": "s"}, "channel": "/data/ContactChangeEvent"},
        {"payload": payload, "event": {"replayId": 1}, "schema": "s"},
        {"detail-type": "ContactChangeEvent", "detail": {"payload": payload, "schemaId": "s"}, "id": "1"},
        {"detail": payload, "id": "2"},
        [payload],
    ]
    results = [messages(salesforce_cdc, body) for body in wrapped]
    assert results[0]
    assert all(result == results[0] for result in results)


def test_body_without_an_event_name_is_malformed() -> None:
    for body in ({}, {"payload": {"CreatedDate": "2026-10-05T09:31:07Z"}}, {"channel": "/topic/Mine"}, "text", [1]):
        assert problem(salesforce_cdc, delivery(salesforce_cdc, body)).startswith("$")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("standard_webhooks", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"), ("hmac", "secret"), ("token", "secret"),
        ("api_key", "secret"), ("basic", "aws:secret"),
    ],
)  # fmt: skip
def test_relay_is_verified_by_signature_or_token(name: str, secret: str) -> None:
    scheme, body = salesforce_cdc.schemes[name], json.dumps(change()).encode()
    signed = sign(scheme, body=body, secret=secret, now=NOW)
    headers = {header.lower(): value for header, value in signed.headers.items()}
    assert verify(scheme, Request(body=body, headers=headers), secrets=(secret,), now=NOW).ok
    assert not verify(scheme, Request(body=body, headers={}), secrets=(secret,), now=NOW).ok
    if name in {"standard_webhooks", "hmac"}:
        assert not verify(scheme, Request(body=body + b" ", headers=headers), secrets=(secret,), now=NOW).ok


# Data Cloud


def test_the_key_of_data_cloud_is_used_as_text_though_it_looks_like_base64() -> None:
    scheme, body, secret = salesforce_data_cloud.schemes["default"], b'{"events": []}', "c2VjcmV0c2VjcmV0"
    for key, ok in ((secret.encode(), True), (base64.b64decode(secret), False)):
        made = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        assert verify(scheme, Request(body=body, headers={"x-signature": made}), secrets=(secret,), now=NOW).ok == ok


@pytest.mark.parametrize("text", ["", "yesterday", "2026-10-05T09:31:07", 5, None])
def test_unreadable_data_cloud_time_is_the_time_of_receipt(text: Any) -> None:
    body = golden(salesforce_data_cloud, "Pipeline_Grew")
    body["events"][0] |= {"EventCreationDateTime": text, "EventPublishDateTime": text}
    (event,) = salesforce_data_cloud.events(delivery(salesforce_data_cloud, body | {"creationDateTime": ""}))
    if text == "2026-10-05T09:31:07":
        assert (event.occurred_at.isoformat(), event.clock) == ("2026-10-05T09:31:07+00:00", "event")
    else:
        assert (event.occurred_at, event.clock) == (NOW, "received")


# Marketing Cloud


HELLO = {"callbackId": "0e2c9a41-5d5c-4b0b", "verificationKey": "golden-once"}


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[WebhookHandler]:
    journal = SqliteJournal(tmp_path / "j.db")
    endpoints = {
        name: Endpoint(
            name=name,
            source=salesforce_marketing_cloud,
            scheme=salesforce_marketing_cloud.schemes["text"],
            secrets=("signature key",),
            options=salesforce_marketing_cloud.defaults() | {"verification": verification},
        )
        for name, verification in (("hiding", "hide"), ("showing", "show"))
    }
    yield WebhookHandler(endpoints=endpoints, sources={}, journal=journal, max_body=10**6)
    journal.close()


def post(handler: WebhookHandler, body: Any, name: str = "hiding") -> Any:
    return handler.handle(name, HttpRequest(method="POST", body=json.dumps(body).encode(), headers={}))


def test_unsigned_verification_is_answered_and_not_stored_or_logged(
    handler: WebhookHandler, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = post(handler, HELLO)
    assert (response.status, response.body) == (200, b"{}")
    assert handler.journal.rows() == []
    assert "golden-once" not in repr([vars(record) for record in caplog.records])


def test_verification_code_is_logged_if_configured(handler: WebhookHandler, caplog: pytest.LogCaptureFixture) -> None:
    response = post(handler, HELLO, "showing")
    assert (response.status, response.body) == (200, b"{}")
    (record,) = caplog.records
    assert record.__dict__["note"] == "verify the callback: callbackId 0e2c9a41-5d5c-4b0b, verificationKey golden-once"


@pytest.mark.parametrize(
    "body",
    [
        HELLO | {"eventCategoryType": "EngagementEvents.EmailOpen"}, {"callbackId": "x"}, [HELLO], {}, [],
        HELLO | {"verificationKey": 5}, HELLO | {"verificationKey": ""}, HELLO | {"verificationKey": "a b\n"},
        HELLO | {"verificationKey": "x" * 501}, HELLO | {"callbackId": " " * 3000}, [{"eventCategoryType": "x"}],
    ],
)  # fmt: skip
def test_nothing_else_is_answered_without_a_signature(handler: WebhookHandler, body: Any) -> None:
    for name in ("hiding", "showing"):
        with pytest.raises(Rejected) as caught:
            post(handler, body, name)
        assert caught.value.status == 401
    assert handler.journal.rows() == []


@pytest.mark.parametrize(
    ("name", "key"), [("text", b"c2VjcmV0c2VjcmV0"), ("decoded", base64.b64decode("c2VjcmV0c2VjcmV0"))]
)
def test_signature_key_can_be_used_as_text_or_decoded(name: str, key: bytes) -> None:
    body = json.dumps(golden(salesforce_marketing_cloud, "EngagementEvents.EmailOpen")).encode()
    made = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
    for scheme, read in salesforce_marketing_cloud.schemes.items():
        request = Request(body=body, headers={"x-sfmc-ens-signature": made})
        assert verify(read, request, secrets=("c2VjcmV0c2VjcmV0",), now=NOW).ok == (scheme == name)


def test_a_batch_of_a_thousand_is_a_thousand_events() -> None:
    (one,) = golden(salesforce_marketing_cloud, "EngagementEvents.EmailOpen")
    many = [one | {"timestampUTC": one["timestampUTC"] + number} for number in range(1000)]
    events = salesforce_marketing_cloud.events(delivery(salesforce_marketing_cloud, many))
    assert len({event.key for event in events}) == 1000
    again = salesforce_marketing_cloud.events(delivery(salesforce_marketing_cloud, many))
    assert [event.key for event in again] == [event.key for event in events]


def test_event_without_a_subscriber_is_malformed() -> None:
    (one,) = golden(salesforce_marketing_cloud, "EngagementEvents.EmailOpen")
    for composite in ({}, {"subscriberId": "0"}, {"subscriberId": ""}):
        ((_, outcome),) = outcomes(
            salesforce_marketing_cloud,
            delivery(salesforce_marketing_cloud, [one | {"composite": composite, "info": {}}]),
        )
        assert "$.composite.subscriberId" in outcome.reason
