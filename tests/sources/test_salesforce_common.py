"""What the Salesforce sources share: ids of both lengths, one person, names of properties, lists of names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.outcomes import GOLDEN, golden_body, messages_if_any
from translators.salesforce import (
    salesforce,
    salesforce_apex,
    salesforce_cdc,
)
from translators.salesforce.custom import property_name
from translators.salesforce.ids import full_id, same_organization
from webhooks.settings import load
from webhooks.sources.endpoints import bind


def test_fifteen_character_id_gets_salesforces_checksum() -> None:
    # the organisation and channel ids of https://developer.salesforce.com/docs (EventRelayFeedback, RemoteResource)
    assert full_id("00DRM000000Fxts") == "00DRM000000Fxts2AC"
    assert full_id("0YLRM0000004Dfg") == "0YLRM0000004Dfg4AE"
    assert full_id("0015f00002JUX1J") == "0015f00002JUX1JAAX"


ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


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


def change(name: str = "Contact.update__pubsub_names", **header: Any) -> dict[str, Any]:
    body = golden_body(salesforce_cdc, name)
    payload = body.get("payload") or body["data"]["payload"]
    payload["ChangeEventHeader"] |= header
    return dict(body)


def test_one_contact_is_one_person_over_all_sources_and_both_forms_of_its_id() -> None:
    apex = golden_body(salesforce_apex, "Contact.create")
    change = golden_body(salesforce_cdc, "Contact.update__two_records")
    long = apex["events"][0]["record"]["Id"]
    anonymous_ids = {message["anonymousId"] for message in messages_if_any(salesforce_apex, apex)}
    anonymous_ids |= {messages_if_any(salesforce_cdc, change)[0]["anonymousId"]}
    apex["events"][0]["record"]["Id"] = long[:15]
    anonymous_ids |= {message["anonymousId"] for message in messages_if_any(salesforce_apex, apex)}
    outbound = (GOLDEN / "salesforce" / "Contact.xml").read_text().replace("sf:user_id>", "sf:Other__c>")
    outbound = outbound.replace("003000000000001AAA", long)
    anonymous_ids |= {message["anonymousId"] for message in messages_if_any(salesforce, outbound.encode())}
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
    apex = golden_body(salesforce_apex, "Order__c.create")
    (message,) = messages_if_any(salesforce_apex, apex, **bound["salesforce_apex"].options)
    assert message["event"] == "Order Completed"
    assert message["context"]["externalIds"][0]["type"] == "salesforce_contact_id"
    for stage, name in (("Signed, approved", "Opportunity Won"), ("Signed", "Opportunity Stage Changed")):
        moved = golden_body(salesforce_cdc, "Opportunity.update__won")
        moved["data"]["payload"]["StageName"] = stage
        (message,) = messages_if_any(salesforce_cdc, moved, **bound["salesforce_cdc"].options)
        assert message["event"] == name
