"""Twilio messages: signatures, the customer, keys, and any form."""

import base64
import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.outcomes import messages_of, outcome_of
from support.registrations import URL, registered
from support.signature_vectors import VECTORS
from translators.kit import Delivery, Malformed
from translators.twilio import twilio
from webhooks.http.request import HttpRequest
from webhooks.signatures import RegisteredUrl, sign, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken, Ignored


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.name.startswith("twilio")], ids=lambda vector: vector.name)
def test_twilios_signature_vectors_verify(vector: Any) -> None:
    assert verify(
        twilio.schemes["default"],
        vector.request,
        secrets=(vector.secret,),
        now=RECEIVED,
        registered=RegisteredUrl(vector.url),
    ).ok


def status_callback(**more: str) -> bytes:
    return urlencode(
        {"MessageSid": "SM1", "MessageStatus": "sent", "To": "+14155550100", "From": "+14155550199"} | more
    ).encode()


FORM = "application/x-www-form-urlencoded"


def test_the_user_id_in_twilios_url_is_signed_with_it() -> None:
    body, scheme = status_callback(), twilio.schemes["default"]
    signed = sign(scheme, body=body, secret="token", now=RECEIVED, url=f"{URL}?user_id=usr_1", content_type=FORM)
    headers = dict(signed.headers) | {"content-type": FORM}
    request = HttpRequest(body=body, headers=headers, query={"user_id": "usr_1"}, query_string="user_id=usr_1")
    assert verify(scheme, request, secrets=("token",), now=RECEIVED, registered=RegisteredUrl(URL)).ok
    forged = replace(request, query={"user_id": "usr_2"}, query_string="user_id=usr_2")
    assert not verify(scheme, forged, secrets=("token",), now=RECEIVED, registered=RegisteredUrl(URL)).ok
    (message,) = messages_of(twilio, body, query={"user_id": "usr_1"})
    assert message["userId"] == "usr_1"


def test_twilio_is_answered_with_empty_twiml() -> None:
    assert twilio.ack is not None
    assert twilio.ack.content_type == "text/xml"
    assert twilio.ack.body.endswith(b"<Response/>")


def test_twilio_customer_is_the_other_party_of_the_message() -> None:
    (out,) = messages_of(twilio, status_callback())
    (came,) = messages_of(
        twilio, status_callback(MessageStatus="received", To="+14155550199", From="+14155550100", Body="(the text)")
    )
    assert out["anonymousId"] == came["anonymousId"]
    assert came["context"]["traits"] == {"phone": "+14155550100"}
    assert "(the text)" not in json.dumps(came, default=str)


def test_each_status_of_a_twilio_message_is_a_separate_event() -> None:
    keys = {
        SourceRuntime(twilio)
        .events(Delivery(source="twilio", body=status_callback(MessageStatus=status), received_at=RECEIVED))[0]
        .id
        for status in ("sent", "delivered", "sent")
    }
    assert len(keys) == 2


VALUES = st.one_of(
    st.text(max_size=8), st.sampled_from(["sent", "received", "failed", "whatsapp:", "+1", ":", "²", "9" * 12])
)


FIELDS = (
    "MessageSid",
    "SmsSid",
    "MessageStatus",
    "SmsStatus",
    "To",
    "From",
    "CallSid",
    "CallStatus",
    "Timestamp",
    "NumMedia",
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_twilio_form_gives_a_message_a_reason_or_a_path(fields: dict[str, str]) -> None:
    body = urlencode(fields, errors="replace").encode()
    delivery = Delivery(source="twilio", body=body, received_at=RECEIVED, options=twilio.defaults())
    try:
        ((_, outcome),) = outcomes(twilio, delivery)
    except Malformed:
        return
    if isinstance(outcome, Broken):
        assert outcome.reason.startswith("malformed: $"), outcome.reason
    elif isinstance(outcome, Ignored):
        assert outcome.reason


@pytest.mark.parametrize("algorithm", ["HMAC_SHA256", "HMAC_SHA1", ""])
def test_twilio_shared_key_is_sha256_whatever_the_header_says(algorithm: str) -> None:
    # twilio-python request_validator.py: the usual text, with the algorithm that the header names
    secret, body = "shared-key-secret", urlencode({"MessageSid": "SM1", "MessageStatus": "sent"}).encode()
    text = (URL + "MessageSidSM1" + "MessageStatussent").encode()
    settings = {"x-twilio-webhooks-signature-settings": f"key=webhooks_sharedkey_1,algorithm={algorithm}"}
    verdicts = {}
    for name in ("sha256", "sha1"):
        made = base64.b64encode(hmac.new(secret.encode(), text, name).digest()).decode()
        headers = {"content-type": FORM, "x-twilio-signature": made, **settings}
        request = HttpRequest(body=body, headers=headers)
        verdicts[name] = verify(
            twilio.schemes["shared_key"], request, secrets=(secret,), now=RECEIVED, registered=RegisteredUrl(URL)
        ).ok
    assert verdicts == {"sha256": True, "sha1": False}


def test_message_without_an_address_is_malformed() -> None:
    outcome = outcome_of(twilio, status_callback(To="whatsapp:", From="whatsapp:+14155550199"))
    assert isinstance(outcome, Broken)
    assert "$.To has no address" in outcome.reason


@pytest.mark.parametrize(
    ("incoming", "fields"), [("no", ["StatusCallback"]), ("yes", ["StatusCallback", "InboundRequestUrl"])]
)
def test_twilio_is_registered_for_incoming_messages_if_chosen(incoming: str, fields: list[str]) -> None:
    params = {"account_sid": "AC1", "auth_token": "t", "service_sid": "MG1", "incoming": incoming}
    (read, write), secret = registered(twilio, [{"status_callback": None}, {"sid": "MG1"}], **params)
    assert (read.method, write.method, secret) == ("GET", "POST", "t")
    assert parse_qs(write.body.decode()) == {field: [URL] for field in fields}
