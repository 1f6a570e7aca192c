"""Salesforce callouts from Apex: signature, organisation, keys."""

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path

import pytest

from support.outcomes import delivery_of, event_names, golden_body, messages_of, outcome_of
from translators.kit import Refused
from translators.salesforce import salesforce_apex
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED
from webhooks.translation.translate import Ignored


def test_only_the_apex_class_signature_is_accepted() -> None:
    scheme, body, secret = salesforce_apex.schemes["default"], b'{"events": [], "name": "Zo\xc3\xab"}', "a long secret"
    ts = str(int(RECEIVED.timestamp()))
    # EncodingUtil.convertToHex(Crypto.generateMac('HmacSHA256', Blob.valueOf(ts + '.' + body), Blob.valueOf(secret)))
    made = hmac.new(secret.encode(), ts.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"x-sf-timestamp": ts, "x-sf-signature": made}
    for request, now, fault in (
        (HttpRequest(body=body, headers=headers), RECEIVED, None),
        (HttpRequest(body=body + b" ", headers=headers), RECEIVED, Fault.BODY),
        (HttpRequest(body=body, headers=headers), RECEIVED + timedelta(hours=1), Fault.CLOCK),
        (HttpRequest(body=body, headers={"x-sf-timestamp": ts}), RECEIVED, Fault.MISSING),
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
    body = golden_body(salesforce_apex, "Lead.create")
    ours = body["organization_id"]
    for allowed in ("", ours, ours[:15]):
        SourceRuntime(salesforce_apex).guard(delivery_of(salesforce_apex, body, organization_id=allowed))
    for other in ("00D999999999999AAA", None):
        with pytest.raises(Refused):
            SourceRuntime(salesforce_apex).guard(
                delivery_of(salesforce_apex, body | {"organization_id": other}, organization_id=ours)
            )


def test_a_retry_of_a_callout_has_the_keys_of_its_first_try() -> None:
    body = golden_body(salesforce_apex, "two_records")
    first, again = (
        [event.id for event in SourceRuntime(salesforce_apex).events(delivery_of(salesforce_apex, body))]
        for _ in range(2)
    )
    assert first == again == [event["id"] for event in body["events"]]


def test_one_bad_record_of_a_callout_leaves_the_others_intact() -> None:
    body = golden_body(salesforce_apex, "two_records")
    body["events"][0]["operation"] = "explode"
    bad, good = SourceRuntime(salesforce_apex).events(delivery_of(salesforce_apex, body))
    assert "$.operation" in bad.problem
    assert not good.problem


def test_line_of_another_form_in_an_option_is_not_used() -> None:
    body = golden_body(salesforce_apex, "Order__c.create")
    lines = ("Order__c", "Order__c=Order Completed by Buyer__c")
    (message,) = messages_of(salesforce_apex, body, custom_objects=lines)
    assert message["event"] == "Order Completed"


def test_group_of_a_custom_object_needs_an_account() -> None:
    body = golden_body(salesforce_apex, "Order__c.create")
    for name in ("Account__c", "AccountId"):
        body["events"][0]["record"].pop(name, None)
    outcome = outcome_of(salesforce_apex, body, custom_objects=("Order__c=group",))
    assert outcome == Ignored("no account is named: set its field with `by`")
    body["events"][0]["record"]["Account__c"] = "001000000000009AAA"
    (message,) = messages_of(salesforce_apex, body, custom_objects=("Order__c=group",))
    assert message["groupId"] == "001000000000009AAA"


def test_case_that_is_closed_when_it_is_created_is_created_and_solved() -> None:
    body = golden_body(salesforce_apex, "Case.create")
    body["events"][0]["record"] |= {"Status": "Closed", "IsClosed": True}
    assert event_names(outcome_of(salesforce_apex, body)) == ["Ticket Created", "Ticket Solved"]
