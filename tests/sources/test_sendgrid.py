"""SendGrid: signatures, keys, batches, custom arguments and registration."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from support.emails import email_to, email_with
from support.outcomes import event_of, message_of, messages_of
from support.registrations import URL, registered
from support.signature_vectors import SENDGRID_BODY, VECTORS
from translators.kit import Delivery, FormerId
from translators.sendgrid import sendgrid
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, sign, verify
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken, Translated


def test_sendgrids_signature_vector_verifies_and_is_translated() -> None:
    (vector,) = (vector for vector in VECTORS if vector.name == "sendgrid")
    scheme = sendgrid.schemes["default"]
    assert verify(scheme, vector.request, secrets=(vector.secret,), now=vector.at).ok
    stripped = replace(vector.request, body=SENDGRID_BODY.strip())
    assert not verify(scheme, stripped, secrets=(vector.secret,), now=vector.at).ok
    (message,) = messages_of(sendgrid, SENDGRID_BODY)
    assert (message["event"], message["timestamp"]) == ("Email Dropped", "2020-09-14T19:41:32.000Z")


def sendgrid_request(at: datetime) -> tuple[HttpRequest, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signed = sign(sendgrid.schemes["default"], body=b"[]\r\n", secret=private, now=at)
    headers = dict(signed.headers)
    return HttpRequest(body=signed.body, headers=headers), public


@pytest.mark.parametrize(("hours", "fault"), [(0, Fault.NONE), (24, Fault.NONE), (26, Fault.CLOCK)])
def test_sendgrid_may_retry_for_a_day(hours: int, fault: Fault) -> None:
    request, public = sendgrid_request(RECEIVED - timedelta(hours=hours))
    assert verify(sendgrid.schemes["default"], request, secrets=(public,), now=RECEIVED).fault is fault


def test_one_bad_row_of_a_sendgrid_batch_leaves_the_others_intact() -> None:
    rows = [{"event": "processed"}, email_to(sendgrid, "a@example.com")[0]]
    delivery = Delivery(
        source="sendgrid", body=json.dumps(rows).encode(), received_at=RECEIVED, options=sendgrid.defaults()
    )
    bad, good = (outcome for _, outcome in outcomes(sendgrid, delivery))
    assert isinstance(bad, Broken)
    assert "$.timestamp" in bad.reason or "$.email" in bad.reason
    assert isinstance(good, Translated)


def test_sendgrids_own_members_are_never_a_user_id() -> None:
    row = email_to(sendgrid, "a@example.com")[0] | {"type": "bounce", "user_id": ""}
    (message,) = messages_of(sendgrid, [row])
    assert "userId" not in message


def test_sendgrid_is_registered_with_signing_switched_on() -> None:
    (made, signed), secret = registered(sendgrid, [{"id": "w1"}, {"public_key": "MFkw"}], api_key="SG.key")
    webhook = json.loads(made.body)
    assert (
        webhook["url"],
        webhook["enabled"],
        webhook["spam_report"],
        webhook["group_resubscribe"],
    ) == (URL, True, True, True)
    assert "spamreport" not in webhook
    assert (signed.method, signed.url.rpartition("/")[2], json.loads(signed.body)) == ("PATCH", "w1", {"enabled": True})
    assert secret == "MFkw"


@pytest.mark.parametrize("type_", ["processed", "dropped", "delivered"])
def test_a_sendgrid_event_reported_again_under_another_id_is_the_same_event(type_: str) -> None:
    row = {"email": "Ada@example.com", "event": type_, "timestamp": 1795879942, "sg_message_id": "m-1"}
    first = event_of(sendgrid, [row | {"sg_event_id": "a"}])
    again = event_of(sendgrid, [row | {"sg_event_id": "b", "email": "ada@example.com "}])
    assert first.id == again.id
    assert [first.former_ids, again.former_ids] == [(FormerId("a"),), (FormerId("b"),)]
    assert "ada" not in first.id.lower()


@pytest.mark.parametrize("type_", ["open", "click", "deferred", "bounce"])
def test_repeatable_sendgrid_events_have_two_keys(type_: str) -> None:
    row = {"email": "ada@example.com", "event": type_, "timestamp": 1795879942, "sg_message_id": "m-1", "url": "x"}
    assert [event_of(sendgrid, [row | {"sg_event_id": id_}]).id for id_ in "ab"] == ["a", "b"]


def test_sendgrids_own_members_are_not_custom_arguments() -> None:
    own = {"sg_template_id": "t1", "mc_stats": "singlesend", "singlesend_id": "s1", "pool": {"id": 1}, "tls": 1}
    assert "metadata" not in message_of(sendgrid, email_with(sendgrid, own), metadata_fields=("*",))["properties"]
