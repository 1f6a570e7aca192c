"""Behaviour of SendGrid, Mailgun, Postmark, Resend and Twilio that its goldens do not cover."""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from vectors import SENDGRID_BODY, VECTORS

from translators.kit import Call, Delivery, Malformed, Payload, Registering, Source
from translators.kit.mail import address
from translators.mailgun import mailgun
from translators.postmark import postmark
from translators.resend import resend
from translators.sendgrid import sendgrid
from translators.twilio import twilio
from webhooks.signatures import Fault, Request, sign, verify
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Ignored, Translated

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://segue.example/webhooks/twilio"
FORM = "application/x-www-form-urlencoded"
SOURCES = [sendgrid, mailgun, postmark, resend, twilio]


class Memory:
    """Return the first value stored for a token, as the journal does."""

    def __init__(self) -> None:
        self.noted: dict[str, str] = {}

    def __call__(self, token: str, value: str, until: datetime) -> str:
        return self.noted.setdefault(token, value)


def named(source: Source) -> str:
    return source.name


def messages_of(source: Source, body: Any, *, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    delivery = Delivery(
        source=source.name, body=raw, received_at=NOW, query=query or {}, options=source.defaults()
    )  # fmt: skip
    messages = []
    for _, outcome in outcomes(source, delivery):
        assert isinstance(outcome, Translated), outcome
        messages += outcome.messages
    return messages


def sent_to(source: Source, email: str) -> Any:
    return {
        "sendgrid": [{"event": "processed", "email": email, "timestamp": 1790000000, "sg_event_id": "e1"}],
        "mailgun": {"event-data": {"id": "e1", "event": "accepted", "timestamp": 1790000000.5, "recipient": email}},
        "postmark": {
            "RecordType": "Delivery",
            "MessageID": "m1",
            "Recipient": email,
            "DeliveredAt": "2026-10-05T09:31:22Z",
        },
        "resend": {"type": "email.sent", "created_at": "2026-10-05T09:31:22Z", "data": {"to": [email]}},
    }[source.name]


@pytest.mark.parametrize("source", [sendgrid, mailgun, postmark, resend], ids=named)
def test_one_address_is_one_person_with_any_spelling(source: Source) -> None:
    ids = {
        messages_of(source, sent_to(source, email))[0]["anonymousId"]
        for email in ("Mila@Example.com", "mila@example.com ")
    }
    assert len(ids) == 1


@pytest.mark.parametrize("source", [sendgrid, mailgun, postmark, resend], ids=named)
@pytest.mark.parametrize("email", ["", "  ", "<>", None])
def test_email_without_an_address_is_malformed_with_its_path(source: Source, email: str | None) -> None:
    delivery = Delivery(
        source=source.name, body=json.dumps(sent_to(source, email)).encode(), received_at=NOW, options=source.defaults()  # type: ignore[arg-type]
    )  # fmt: skip
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Broken)
    assert "malformed: $." in outcome.reason


@pytest.mark.parametrize(
    ("written", "bare"),
    [("a@example.com", "a@example.com"), ("Ann <a@example.com>", "a@example.com"), ('"A, B" <a@example.com>', "a@example.com"),
     ("<a@example.com>", "a@example.com"), ("invalid@invalid", "invalid@invalid")],
)  # fmt: skip
def test_an_address_is_bare(written: str, bare: str) -> None:
    assert address(Payload({"to": written}), "to") == bare


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.name.startswith("twilio")], ids=lambda vector: vector.name)
def test_twilios_signature_vectors_verify(vector: Any) -> None:
    assert verify(twilio.schemes["default"], vector.request, secrets=(vector.secret,), now=NOW).ok


def test_sendgrids_signature_vector_verifies_and_is_translated() -> None:
    (vector,) = (vector for vector in VECTORS if vector.name == "sendgrid")
    scheme = sendgrid.schemes["default"]
    assert verify(scheme, vector.request, secrets=(vector.secret,), now=vector.at).ok
    stripped = replace(vector.request, body=SENDGRID_BODY.strip())
    assert not verify(scheme, stripped, secrets=(vector.secret,), now=vector.at).ok
    (message,) = messages_of(sendgrid, SENDGRID_BODY)
    assert (message["event"], message["timestamp"]) == ("Email Dropped", "2020-09-14T19:41:32.000Z")


def sendgrid_request(at: datetime) -> tuple[Request, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signed = sign(sendgrid.schemes["default"], body=b"[]\r\n", secret=private, now=at)
    headers = {name.lower(): value for name, value in signed.headers.items()}
    return Request(body=signed.body, headers=headers), public


@pytest.mark.parametrize(("hours", "fault"), [(0, Fault.NONE), (24, Fault.NONE), (26, Fault.CLOCK)])
def test_sendgrid_may_retry_for_a_day(hours: int, fault: Fault) -> None:
    request, public = sendgrid_request(NOW - timedelta(hours=hours))
    assert verify(sendgrid.schemes["default"], request, secrets=(public,), now=NOW).fault is fault


@pytest.mark.parametrize("source", [mailgun, postmark, resend], ids=named)
def test_only_a_correct_signature_verifies(source: Source) -> None:
    scheme = source.schemes["default"]
    secret, other = ("whsec_c2VjcmV0c2VjcmV0", "whsec_b3RoZXJvdGhlcm90") if source is resend else ("u:long", "u:other")
    signed = sign(scheme, body=json.dumps(sent_to(source, "a@example.com")).encode(), secret=secret, now=NOW)
    headers = {name.lower(): value for name, value in signed.headers.items()}
    request = Request(body=signed.body, headers=headers)
    for secrets, lets_in in (((secret,), True), ((other, secret), True), ((other,), False)):
        assert verify(scheme, request, secrets=secrets, now=NOW, remember=Memory()).ok is lets_in


def test_mailgun_token_is_refused_with_another_body() -> None:
    scheme, memory = mailgun.schemes["default"], Memory()
    body = sign(scheme, body=json.dumps(sent_to(mailgun, "a@example.com")).encode(), secret="key", now=NOW).body
    forged = json.dumps(json.loads(body) | sent_to(mailgun, "b@example.com")).encode()
    faults = [
        verify(scheme, Request(body=sent, headers={}), secrets=("key",), now=NOW, remember=memory).fault
        for sent in (body, body, forged)
    ]
    assert faults == [Fault.NONE, Fault.NONE, Fault.REPLAYED]


@pytest.mark.parametrize(("source", "minutes"), [(mailgun, 9 * 60 + 1), (resend, 6)], ids=["mailgun", "resend"])
def test_old_delivery_is_refused_if_the_time_is_signed(source: Source, minutes: int) -> None:
    scheme, secret = source.schemes["default"], "whsec_c2VjcmV0c2VjcmV0"
    signed = sign(scheme, body=b"{}", secret=secret, now=NOW - timedelta(minutes=minutes))
    request = Request(body=signed.body, headers={name.lower(): value for name, value in signed.headers.items()})
    assert verify(scheme, request, secrets=(secret,), now=NOW).fault is Fault.CLOCK


def test_mailgun_and_postmark_do_not_claim_that_the_content_is_protected() -> None:
    assert {source.name: source.schemes["default"].strength for source in SOURCES} == {
        "sendgrid": "verified", "mailgun": "authenticated", "postmark": "authenticated", "resend": "verified",
        "twilio": "verified",
    }  # fmt: skip


def test_mailgun_retry_with_a_new_signature_has_the_same_key() -> None:
    event = {"event": "complained", "timestamp": 1790000000.25, "recipient": "a@example.com"}
    keys = set()
    for token in ("1", "2"):
        body = {"signature": {"timestamp": token, "token": token, "signature": token}, "event-data": event}
        (received,) = mailgun.events(Delivery(source="mailgun", body=json.dumps(body).encode(), received_at=NOW))
        keys.add(received.key)
    assert len(keys) == 1


def test_one_bad_row_of_a_sendgrid_batch_leaves_the_others_intact() -> None:
    rows = [{"event": "processed"}, sent_to(sendgrid, "a@example.com")[0]]
    delivery = Delivery(source="sendgrid", body=json.dumps(rows).encode(), received_at=NOW, options=sendgrid.defaults())
    bad, good = (outcome for _, outcome in outcomes(sendgrid, delivery))
    assert isinstance(bad, Broken)
    assert "$.timestamp" in bad.reason or "$.email" in bad.reason
    assert isinstance(good, Translated)


def test_sendgrids_own_members_are_never_a_user_id() -> None:
    row = sent_to(sendgrid, "a@example.com")[0] | {"type": "bounce", "user_id": ""}
    (message,) = messages_of(sendgrid, [row])
    assert "userId" not in message


def test_postmarks_two_recipients_of_one_message_are_two_events() -> None:
    keys = {
        postmark.events(Delivery(source="postmark", body=json.dumps(sent_to(postmark, to)).encode(), received_at=NOW))[
            0
        ].key
        for to in ("a@example.com", "b@example.com")
    }
    assert len(keys) == 2


def test_resend_tag_is_the_user_id_only_with_one_recipient() -> None:
    body = sent_to(resend, "a@example.com")
    body["data"]["tags"] = {"user_id": "usr_1"}
    (alone,) = messages_of(resend, body)
    assert alone["userId"] == "usr_1"
    body["data"]["to"] = ["a@example.com", "b@example.com"]
    body["data"]["email_id"] = "e1"
    (both,) = messages_of(resend, body)
    assert "userId" not in both


def status_callback(**more: str) -> bytes:
    return urlencode(
        {"MessageSid": "SM1", "MessageStatus": "sent", "To": "+14155550100", "From": "+14155550199"} | more
    ).encode()


def test_the_user_id_in_twilios_url_is_signed_with_it() -> None:
    body, scheme = status_callback(), twilio.schemes["default"]
    signed = sign(scheme, body=body, secret="token", now=NOW, url=f"{URL}?user_id=usr_1", content_type=FORM)
    headers = {name.lower(): value for name, value in signed.headers.items()} | {"content-type": FORM}
    request = Request(
        body=body, headers=headers, public_url=URL, query={"user_id": "usr_1"}, query_string="user_id=usr_1"
    )
    assert verify(scheme, request, secrets=("token",), now=NOW).ok
    forged = replace(request, query={"user_id": "usr_2"}, query_string="user_id=usr_2")
    assert not verify(scheme, forged, secrets=("token",), now=NOW).ok
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
        twilio.events(Delivery(source="twilio", body=status_callback(MessageStatus=status), received_at=NOW))[0].key
        for status in ("sent", "delivered", "sent")
    }
    assert len(keys) == 2


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
VALUES = st.one_of(
    st.text(max_size=8), st.sampled_from(["sent", "received", "failed", "whatsapp:", "+1", ":", "²", "9" * 12])
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_twilio_form_gives_a_message_a_reason_or_a_path(fields: dict[str, str]) -> None:
    body = urlencode(fields, errors="replace").encode()
    delivery = Delivery(source="twilio", body=body, received_at=NOW, options=twilio.defaults())
    try:
        ((_, outcome),) = outcomes(twilio, delivery)
    except Malformed:
        return
    if isinstance(outcome, Broken):
        assert outcome.reason.startswith("malformed: $"), outcome.reason
    elif isinstance(outcome, Ignored):
        assert outcome.reason


def registered(source: Source, answers: list[dict[str, Any]], **params: str) -> tuple[list[Call], str]:
    """Return the calls and the secret of a registration with these responses of the provider."""
    assert source.register is not None
    assert {need.name for need in source.register.needs} == set(params)
    types = sorted(source.handlers)
    run = source.register.run(Registering(url=URL, types=types, given=params, secret="made-here"))
    calls = [next(run)]
    for answer in answers:
        try:
            calls.append(run.send(Payload(answer)))
        except StopIteration as done:
            return calls, done.value
    raise AssertionError("it asks for more")


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


def test_postmark_is_registered_with_the_generated_credentials() -> None:
    (call,), secret = registered(postmark, [{"ID": 1}], server_token="t", message_stream="outbound")
    webhook = json.loads(call.body)
    assert ":".join(webhook["HttpAuth"].values()) == secret == "segue:made-here"
    assert set(webhook["Triggers"]) == set(postmark.handlers)


def test_resend_is_registered_for_the_types_that_we_translate() -> None:
    (call,), secret = registered(resend, [{"id": "w1", "signing_secret": "whsec_x"}], api_key="re_key")
    assert json.loads(call.body) == {"endpoint": URL, "events": sorted(resend.handlers)}
    assert secret == "whsec_x"


def goldens(source: Source) -> list[dict[str, Any]]:
    messages = []
    for path in sorted((HERE.parent / "golden" / source.name).glob("*.messages.json")):
        for event in json.loads(path.read_text())["events"]:
            messages += event.get("messages", [])
    return messages


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_docs_have_every_type_message_option_secret_and_strength(source: Source) -> None:
    page = (HERE.parents[1] / "docs" / "sources" / f"{source.name}.md").read_text()
    rows = [
        line.split("|")
        for line in page.partition("## What\n")[2].partition("\n#")[0].splitlines()
        if line.startswith("| ")
    ]
    assert {name for row in rows[1:] for name in re.findall(r"`([^`]+)`", row[1])} == set(source.handlers)
    sent = goldens(source)
    assert sent
    for message in sent:
        type_, name = message["context"]["webhook"]["type"], message.get("event", message["type"])
        (cell,) = (row[2] for row in rows if f"`{type_}`" in row[1])
        assert name in cell or name == "Email Unsubscribed", (type_, name)
    for text in (
        f"{source.name.upper()}_WEBHOOK_SECRET",
        f"/webhooks/{source.name}",
        f"**{source.schemes['default'].strength}**",
    ):
        assert text in page
    for option in source.options:
        assert f"SEGUE_{source.name.upper()}_{option.upper()}" in page


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_no_text_written_by_a_person_is_sent(source: Source) -> None:
    assert "(the text)" not in json.dumps(goldens(source))


def ignored(source: Source, body: Any) -> str:
    delivery = Delivery(
        source=source.name, body=json.dumps(body).encode(), received_at=NOW, options=source.defaults()
    )  # fmt: skip
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Ignored), outcome
    return outcome.reason


OF_THE_CONSOLE = [
    (sendgrid, {"smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>"}),
    (sendgrid, {"sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"}),
    (mailgun, {"user-variables": {"my_var_1": "Mailgun Variable #1", "my-var-2": "awesome"}}),
    (mailgun, {"domain": {"name": "sample.mailgun.com"}, "recipient": "recipient@sample.mailgun.com"}),
    (postmark, {"MessageID": "00000000-0000-0000-0000-000000000000"}),
]


@pytest.mark.parametrize(("source", "mark"), OF_THE_CONSOLE, ids=lambda value: getattr(value, "name", ""))
def test_console_test_of_the_provider_is_ignored(source: Source, mark: dict[str, Any]) -> None:
    """A test is signed like a real event; its fictitious recipient must not become a person at Segment."""
    body = sent_to(source, "mila@example.com")
    assert messages_of(source, body)
    event = body[0] if source is sendgrid else body["event-data"] if source is mailgun else body
    event |= mark
    assert "own test" in ignored(source, body)


def test_rejected_email_to_several_makes_one_message_per_recipient() -> None:
    headers = {"to": '"Vo, Lin" <lin@example.com>, mila@example.com, lin@example.com', "message-id": "m1"}
    event = {"id": "e1", "event": "rejected", "timestamp": 1790000000.5, "message": {"headers": headers}}
    messages = messages_of(mailgun, {"event-data": event | {"user-variables": {"user_id": "usr_1"}}})
    assert [message["context"]["traits"]["email"] for message in messages] == ["lin@example.com", "mila@example.com"]
    assert len({message["messageId"] for message in messages}) == 2
    assert not [message for message in messages if "userId" in message], "the variables are of the message, not of one"
    event["message"]["headers"]["to"] = "mila@example.com"  # type: ignore[index]
    (alone,) = messages_of(mailgun, {"event-data": event | {"user-variables": {"user_id": "usr_1"}}})
    assert alone["userId"] == "usr_1"
    event |= {"event": "complained", "message": {"headers": {"to": "lin@example.com, mila@example.com"}}}
    delivery = Delivery(
        source="mailgun", body=json.dumps({"event-data": event}).encode(), received_at=NOW, options=mailgun.defaults()
    )
    ((_, outcome),) = outcomes(mailgun, delivery)
    assert isinstance(outcome, Broken)
    assert "$.event-data.recipient" in outcome.reason


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
        request = Request(body=body, headers=headers, public_url=URL)
        verdicts[name] = verify(twilio.schemes["shared_key"], request, secrets=(secret,), now=NOW).ok
    assert verdicts == {"sha256": True, "sha1": False}


@pytest.mark.parametrize("name", ["Unsubscribed", "Email Unsubscribed"])
def test_resend_topic_opt_out_has_the_configured_name(name: str) -> None:
    topics = [{"id": "t1", "subscription": "opt_out"}, {"id": "t2", "subscription": "opt_in"}]
    data = {"email": "mila@example.com", "topics": topics}
    body = {"type": "contact.topics.updated", "created_at": "2026-10-05T09:31:22Z", "data": data}
    options = resend.defaults() | {"unsubscribed_event": name}

    def outcome() -> Any:
        raw = json.dumps(body).encode()
        return outcomes(resend, Delivery(source="resend", body=raw, received_at=NOW, options=options))[0][1]

    assert [message["event"] for message in outcome().messages] == [name, "Email Resubscribed"]
    topics[1]["subscription"] = "maybe"
    assert "$.data.topics[1].subscription is neither" in outcome().reason


@pytest.mark.parametrize("tag", [{"name": "plan", "value": None}, {"name": None, "value": "x"}, {}])
def test_a_resend_tag_without_a_name_or_value_is_left_out(tag: dict[str, Any]) -> None:
    body = json.loads((HERE.parent / "golden" / "resend" / "email_delivered.json").read_text())
    body["data"]["tags"] = [tag, {"name": "cohort", "value": 7}]
    sent = Delivery(source="resend", body=json.dumps(body).encode(), received_at=NOW, options=resend.defaults())
    ((_, outcome),) = outcomes(resend, sent)
    assert outcome.messages[0]["properties"]["tags"] == ["cohort=7"]
