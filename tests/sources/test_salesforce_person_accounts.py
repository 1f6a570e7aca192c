"""A Person Account is a person in every Salesforce source."""

import json
from typing import Any
from xml.sax.saxutils import escape

import pytest

from translators.kit import Delivery, Source
from translators.salesforce import salesforce, salesforce_apex, salesforce_cdc
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Translated

ACCOUNT, CONTACT = "001000000000009AAA", "003000000000009AAA"


def outbound(fields: dict[str, Any]) -> bytes:
    members = "".join(f"<sf:{name}>{escape(str(value).lower() if value is True else str(value))}</sf:{name}>"
                   for name, value in fields.items())  # fmt: skip
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        '<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D1</OrganizationId>'
        '<Notification><Id>04l1</Id><sObject xsi:type="sf:Account" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{ACCOUNT}</sf:Id>{members}</sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()


def apex(fields: dict[str, Any], operation: str = "create", **more: Any) -> bytes:
    event = {"id": "1", "object": "Account", "operation": operation, "at": "2026-10-05T09:31:07Z", **more}
    return json.dumps({"events": [event | {"record": {"Id": ACCOUNT, **fields}}]}).encode()


def cdc(fields: dict[str, Any], change: str = "CREATE") -> bytes:
    header = {"entityName": "Account", "changeType": change, "recordIds": [ACCOUNT], "transactionKey": "t1",
              "sequenceNumber": 1, "commitTimestamp": 1791192667412}  # fmt: skip
    fields = dict(fields)
    if "LastName" in fields:
        fields["Name"] = {name: fields.pop(name) for name in ("FirstName", "LastName") if name in fields}
    payload = fields | {"ChangeEventHeader": header}
    return json.dumps({"data": {"payload": payload, "event": {"replayId": 1}}}).encode()


WAYS = [(salesforce, outbound), (salesforce_apex, apex), (salesforce_cdc, cdc)]


def messages_of(source: Source, body: bytes, **options: Any) -> list[dict[str, Any]]:
    delivery = Delivery(source=source.name, body=body, received_at=RECEIVED, options=source.defaults() | options)
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Translated), outcome
    return outcome.messages


NAMES = ["outbound", "apex", "cdc"]


PERSON = {"FirstName": "Pat", "LastName": "Ito", "PersonEmail": "pat@example.com", "PersonContactId": CONTACT}


@pytest.mark.parametrize(("source", "write"), WAYS, ids=NAMES)
@pytest.mark.parametrize("mark", [{"IsPersonAccount": True}, {}], ids=["marked", "by its fields"])
def test_a_person_account_is_identified_as_the_contact_that_it_is(source: Source, write: Any, mark: Any) -> None:
    identify, group, *_ = messages_of(source, write(PERSON | mark))
    assert identify["type"] == "identify"
    assert {name: identify["traits"][name] for name in ("email", "firstName", "lastName", "name")} == {
        "email": "pat@example.com", "firstName": "Pat", "lastName": "Ito", "name": "Pat Ito",
    }  # fmt: skip
    external = {entry["type"]: entry["id"] for entry in identify["context"]["externalIds"]}
    assert external == {"salesforce_contact_id": CONTACT, "salesforce_account_id": ACCOUNT}
    assert (group["type"], group["groupId"], group["traits"]["name"]) == ("group", ACCOUNT, "Pat Ito")


@pytest.mark.parametrize(("source", "write"), WAYS, ids=NAMES)
def test_a_person_account_and_its_contact_have_one_anonymous_id(source: Source, write: Any) -> None:
    person = messages_of(source, write(PERSON))[0]["anonymousId"]
    body = apex({}).replace(b'"Account"', b'"Contact"').replace(ACCOUNT.encode(), CONTACT.encode())
    assert person == messages_of(salesforce_apex, body)[0]["anonymousId"]


COMPANY = {"Name": "Acme", "Industry": "Ports"}


@pytest.mark.parametrize(("source", "write"), WAYS, ids=NAMES)
@pytest.mark.parametrize(
    "fields",
    [COMPANY, COMPANY | {"IsPersonAccount": "false"}, COMPANY | {"Person_In_Charge__c": "Ann"}, COMPANY | {"PersonRank__c": "1"}],
)  # fmt: skip
def test_company_is_a_group_without_an_identify(source: Source, write: Any, fields: dict[str, Any]) -> None:
    messages = messages_of(source, write(fields))
    assert "identify" not in {message["type"] for message in messages}
    assert messages[0]["traits"]["name"] == "Acme"


@pytest.mark.parametrize(("source", "write"), WAYS, ids=NAMES)
def test_user_id_in_a_contact_field_is_read_from_its_account(source: Source, write: Any) -> None:
    (event,) = SourceRuntime(source).events(
        Delivery(source=source.name, body=write(PERSON | {"User_Id__pc": "usr_1"}), received_at=RECEIVED,
                 options=source.defaults())
    )  # fmt: skip
    assert {metadata.get("User_Id__c") for metadata in SourceRuntime(source).identity(event).metadata} == {
        None,
        "usr_1",
    }


def test_a_user_id_that_is_a_number_is_read_as_its_digits() -> None:
    for value, text in ((42, "42"), (42.0, "42"), ("0042", "0042"), (4.5, None), (True, None)):
        body = apex({"user_id": value}).replace(b'"Account"', b'"Contact"')
        assert messages_of(salesforce_apex, body)[0].get("userId") == text


def test_an_update_of_a_person_account_sends_what_changed_only() -> None:
    (identify,) = messages_of(salesforce_cdc, cdc({"LastName": "Ito-Berg"}, "UPDATE"))
    assert (identify["type"], identify["traits"]) == ("identify", {"lastName": "Ito-Berg"})


def test_a_deleted_person_account_names_the_person() -> None:
    (deleted,) = messages_of(salesforce_apex, apex(PERSON, "delete"))
    assert deleted["event"] == "Account Deleted"
    assert deleted["anonymousId"] == messages_of(salesforce_apex, apex(PERSON))[0]["anonymousId"]


@pytest.mark.parametrize(("ticked", "name"), [(True, "Unsubscribed"), (False, "Email Resubscribed")])
@pytest.mark.parametrize("object_", ["Contact", "Lead", "Account"])
def test_the_box_email_opt_out_is_an_unsubscription_or_its_end(object_: str, ticked: bool, name: str) -> None:
    field = "PersonHasOptedOutOfEmail" if object_ == "Account" else "HasOptedOutOfEmail"
    record = {field: ticked, "LastName": "Ito"}

    def events(operation: str, *changed: str) -> list[str]:
        body = apex(record, operation, changed=list(changed)).replace(b'"Account"', f'"{object_}"'.encode())
        return [message.get("event", "") for message in messages_of(salesforce_apex, body)]

    assert events("update", field)[-1] == name
    assert name not in events("update", "LastName") + events("create")
    body = cdc({field: ticked}, "UPDATE").replace(b'"Account"', f'"{object_}"'.encode())
    assert messages_of(salesforce_cdc, body)[-1]["event"] == name
