"""Salesforce Change Data Capture and platform events: gaps, cleared fields, wrappers, relays, keys."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.outcomes import delivery_of, golden_body, messages_if_any
from support.unreadable import problem
from translators.kit import Delivery, Event, FormerId
from translators.salesforce import salesforce_cdc
from webhooks.http.request import HttpRequest
from webhooks.signatures import sign, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED


def change(name: str = "Contact.update__pubsub_names", **header: Any) -> dict[str, Any]:
    body = golden_body(salesforce_cdc, name)
    payload = body.get("payload") or body["data"]["payload"]
    payload["ChangeEventHeader"] |= header
    return dict(body)


@pytest.mark.parametrize("kind", ["GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW"])
@pytest.mark.parametrize("name", ["Lead.update", "Account.update", "Contact.update__pubsub_names"])
def test_gap_event_clears_nothing(kind: str, name: str) -> None:
    assert messages_if_any(salesforce_cdc, change(name, changeType=kind)) == []


ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@given(st.lists(st.text(ALPHANUMERIC, min_size=12, max_size=12), min_size=1, max_size=30))
def test_every_record_of_a_change_is_an_event_and_none_twice(tails: list[str]) -> None:
    ids = [f"003{tail}" for tail in tails]
    events = SourceRuntime(salesforce_cdc).events(delivery_of(salesforce_cdc, change(recordIds=ids)))
    assert [event.id.rpartition("-")[2] for event in events] == list(dict.fromkeys(ids))
    assert len({event.id for event in events}) == len(events)
    assert len({event.raw for event in events}) == 1


_FIELDS = ("Email", "Phone", "Title", "LeadSource")


@given(st.sets(st.sampled_from(_FIELDS)), st.sets(st.sampled_from(_FIELDS)), st.booleans())
def test_only_a_field_named_as_emptied_is_cleared(nulled: set[str], changed: set[str], is_bitmap: bool) -> None:
    header: dict[str, Any] = (
        {"changedFields": ["0x1f"], "nulledFields": ["0x0e"]}
        if is_bitmap
        else {"changedFields": sorted(changed | nulled), "nulledFields": sorted(nulled)}
    )
    body = change(**header)
    for name in _FIELDS:
        body["payload"][name] = f"new {name}" if name in changed - nulled else None
    sent = messages_if_any(salesforce_cdc, body)
    traits: dict[str, Any] = next((message["traits"] for message in sent if message["type"] == "identify"), {})
    cleared = {name for name, value in traits.items() if value is None}
    assert cleared == (set() if is_bitmap else {name[0].lower() + name[1:] for name in nulled})
    assert set(traits) - cleared - {"lastName"} == {name[0].lower() + name[1:] for name in changed - nulled}


def test_eventbridge_null_clears_nothing_without_lists_in_the_header() -> None:
    body = golden_body(salesforce_cdc, "Account.update__eventbridge")
    payload = body["detail"]["payload"]
    del payload["ChangeEventHeader"]["changedFields"], payload["ChangeEventHeader"]["nulledFields"]
    payload["Website"] = None
    (message,) = messages_if_any(salesforce_cdc, body)
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
    results = [messages_if_any(salesforce_cdc, body) for body in wrapped]
    assert results[0]
    assert all(result == results[0] for result in results)


def test_body_without_an_event_name_is_malformed() -> None:
    for body in ({}, {"payload": {"CreatedDate": "2026-10-05T09:31:07Z"}}, {"channel": "/topic/Mine"}, "text", [1]):
        assert problem(salesforce_cdc, delivery_of(salesforce_cdc, body)).startswith("$")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("standard_webhooks", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"), ("hmac", "secret"), ("token", "secret"),
        ("api_key", "secret"), ("basic", "aws:secret"),
    ],
)  # fmt: skip
def test_relay_is_verified_by_signature_or_token(name: str, secret: str) -> None:
    scheme, body = salesforce_cdc.schemes[name], json.dumps(change()).encode()
    signed = sign(scheme, body=body, secret=secret, now=RECEIVED)
    headers = dict(signed.headers)
    assert verify(scheme, HttpRequest(body=body, headers=headers), secrets=(secret,), now=RECEIVED).ok
    assert not verify(scheme, HttpRequest(body=body, headers={}), secrets=(secret,), now=RECEIVED).ok
    if name in {"standard_webhooks", "hmac"}:
        assert not verify(scheme, HttpRequest(body=body + b" ", headers=headers), secrets=(secret,), now=RECEIVED).ok


def platform_event(**body: Any) -> Event:
    raw = json.dumps({"payload": {"CreatedDate": "2026-10-05T09:31:07Z"}} | body).encode()
    (event,) = SourceRuntime(salesforce_cdc).events(
        Delivery(source="salesforce_cdc", body=raw, received_at=RECEIVED, options=salesforce_cdc.defaults())
    )
    return event


UUID = "e981b488-81f3-4fcc-bd6f-f7033c9d7ac4"


def test_one_platform_event_has_one_key_by_every_relay() -> None:
    pubsub = platform_event(id=UUID, topicName="/event/Shipment__e", replayId="AAA=")
    cometd = platform_event(event={"EventUuid": UUID, "replayId": 88}, channel="/event/Shipment__e")
    detail = {"payload": {"CreatedDate": 1791192667412}, "id": UUID}
    bridge = platform_event(
        **{"id": "5d1c7e9a-0000-4000-8000-0000000000ff", "detail-type": "Shipment__e", "detail": detail}
    )
    assert pubsub.id == cometd.id == bridge.id == UUID
    assert pubsub.former_ids == (FormerId("Shipment__e-AAA="),)
    assert bridge.former_ids == (FormerId("Shipment__e-5d1c7e9a-0000-4000-8000-0000000000ff"),)


def test_bus_id_alone_is_not_the_key() -> None:
    bus = {"id": UUID, "detail-type": "Shipment__e", "detail": {"payload": {}}}
    assert platform_event(**bus).id == f"Shipment__e-{UUID}"


def test_emptied_address_is_cleared() -> None:
    identify, *_ = messages_if_any(salesforce_cdc, change(nulledFields=["MailingAddress"]))
    assert identify["type"] == "identify"
    assert identify["traits"]["address"] is None
