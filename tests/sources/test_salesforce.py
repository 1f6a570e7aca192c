"""Behaviour of Salesforce that its goldens do not cover."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.journals import rows_of
from support.unreadable import problem
from translators.kit import Delivery, Malformed, Refused
from translators.salesforce import salesforce
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal, State
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Translated
from webhooks.web.handler import WebhookHandler

GOLDEN = Path(__file__).parent.parent / "golden" / "salesforce"
CONTACT = (GOLDEN / "Contact.xml").read_bytes()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ANSWER = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    b' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    b'<soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
    b"<Ack>%s</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>"
)


def delivery(body: bytes, **options: Any) -> Delivery:
    return Delivery(source="salesforce", body=body, received_at=NOW, options=salesforce.defaults() | options)


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[WebhookHandler]:
    journal = SqliteJournal(tmp_path / "j.db")
    options = salesforce.defaults() | {"organization_id": "00D000000000001"}
    endpoint = Endpoint(
        name="salesforce", source=salesforce, scheme=salesforce.schemes["token"], secrets=("tok",), options=options
    )
    yield WebhookHandler(endpoints={"salesforce": endpoint}, sources={}, journal=journal, max_body=10**6)
    journal.close()


def post(handler: WebhookHandler, body: bytes, token: str = "tok") -> Any:
    return handler.handle("salesforce", HttpRequest(method="POST", body=body, headers={}, path_token=token))


def test_a_stored_message_is_acknowledged_exactly_and_a_retry_too(handler: WebhookHandler) -> None:
    for _ in range(2):
        response = post(handler, CONTACT)
        assert (response.status, response.content_type) == (200, "text/xml; charset=utf-8")
        assert response.body == ANSWER % b"true"
    (row,) = rows_of(handler)
    assert row.event.trust == "authenticated"
    assert row.event.clock == "record"
    assert row.event.envelope["OrganizationId"] == "00D000000000001AAA"


def test_nack_if_not_stored_and_error_for_a_wrong_token(handler: WebhookHandler) -> None:
    foreign = CONTACT.replace(b"00D000000000001AAA", b"00D999999999999AAA")
    answer = post(handler, foreign)
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")
    assert answer.body == ANSWER % b"false"
    with pytest.raises(Rejected) as caught:
        post(handler, CONTACT, token="wrong")
    assert caught.value.status == 401
    assert rows_of(handler) == []


def test_session_id_is_not_stored(handler: WebhookHandler, tmp_path: Path) -> None:
    assert b"golden-live-session" in CONTACT
    post(handler, CONTACT)
    assert b"golden-live-session" not in b"".join(path.read_bytes() for path in tmp_path.glob("j.db*"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", [None, b"golden-live-session", b"</sf:LastName>"], ids=["whole", "in it", "after it"])
def test_unreadable_body_is_acknowledged_and_stored_without_session_id(
    handler: WebhookHandler, encoding: str, end: bytes | None
) -> None:
    text = (CONTACT[: CONTACT.index(end) + len(end)] if end else b"<!DOCTYPE a>" + CONTACT).decode()
    answer = post(handler, text.encode(encoding))
    assert answer.body == ANSWER % b"true"
    (row,) = rows_of(handler)
    assert row.state is State.DEAD
    assert row.event.raw.replace(b"\x00", b"").count(b"SessionId") >= 1
    assert b"golden-live-session" not in row.event.raw.replace(b"\x00", b"")


@given(st.text("abcdefghijklmnop!0123456789", min_size=8, max_size=60))
def test_no_event_has_the_session_id(session: str) -> None:
    body = CONTACT.replace(b"golden-live-session", f"zq{session}zq".encode())
    for event in SourceRuntime(salesforce).events(delivery(body)):
        assert f"zq{session}zq" not in repr(event)


def test_a_hundred_notifications_become_a_hundred_events_with_their_exact_bytes() -> None:
    start, end = CONTACT.index(b"<Notification>"), CONTACT.index(b"</Notification>") + len(b"</Notification>")
    one = CONTACT[start:end]
    many = b"\n".join(one.replace(b"04l0000", b"04l%04d" % number) for number in range(100))
    events = SourceRuntime(salesforce).events(delivery(CONTACT[:start] + many + CONTACT[end:]))
    assert len({event.id for event in events}) == 100
    assert events[0].raw == one.replace(b"04l0000", b"04l0000")


def test_an_organisation_is_compared_on_fifteen_characters() -> None:
    for ours in ("00D000000000001", "00D000000000001AAA", "00D000000000001ZZZ", ""):
        SourceRuntime(salesforce).guard(delivery(CONTACT, organization_id=ours))
    with pytest.raises(Refused, match="another Salesforce organisation"):
        SourceRuntime(salesforce).guard(delivery(CONTACT, organization_id="00D000000000002AAA"))


def test_a_client_certificate_may_be_asked_for() -> None:
    asked = delivery(CONTACT, client_certificate="X-Client-DN=CN=salesforce.com")
    with pytest.raises(Refused, match="client certificate"):
        SourceRuntime(salesforce).guard(asked)
    SourceRuntime(salesforce).guard(
        Delivery(
            source="s",
            body=CONTACT,
            received_at=NOW,
            options=asked.options,
            headers={"x-client-dn": "CN=salesforce.com"},
        )  # fmt: skip
    )


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@pytest.mark.parametrize(
    "body",
    [BOMB, OUTSIDE, b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x"><a/>', b"", b"{}", CONTACT[:-30], b"\x00" * 50, b"<a/>",
     b'<?xml version="1.0" encoding="no-such"?><a/>'],
    ids=["entity bomb", "external entity", "external DTD", "empty", "json", "cut short", "zeros", "other xml", "odd encoding"],
)  # fmt: skip
def test_body_that_is_no_outbound_message_is_malformed(body: bytes) -> None:
    assert problem(salesforce, delivery(body)).startswith("$")


@pytest.mark.parametrize("half", [b"&#xD83D;", b"&#xdfff;", b"&#55357;", b"&#57343;"])
def test_half_an_emoji_in_a_field_becomes_a_replacement_character(half: bytes) -> None:
    ((_, outcome),) = outcomes(salesforce, delivery(CONTACT.replace(b"Lovelace", b"Love" + half)))
    assert isinstance(outcome, Translated)
    assert any("Love\N{REPLACEMENT CHARACTER}" in str(message) for message in outcome.messages)


def test_a_byte_order_mark_does_not_hide_the_message() -> None:
    (event,) = SourceRuntime(salesforce).events(delivery(b"\xef\xbb\xbf" + CONTACT))
    assert event.type == "Contact"


@given(st.binary(max_size=300), st.integers(0, len(CONTACT) - 1), st.integers(0, 60))
def test_no_bytes_raise_anything_but_the_kits_own(junk: bytes, at: int, cut: int) -> None:
    for body in (junk, CONTACT[:at] + junk + CONTACT[at + cut :]):
        try:
            SourceRuntime(salesforce).guard(delivery(body, organization_id="00D000000000001"))
            for event in SourceRuntime(salesforce).events(delivery(body)):
                assert "Traceback" not in event.problem, event.problem
        except (Malformed, Refused):
            pass


SESSION = CONTACT[CONTACT.index(b"<SessionId>") : CONTACT.index(b"</SessionId>") + len(b"</SessionId>")]


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=12, max_size=80))
def test_session_id_in_any_encoding_is_not_stored(session: str) -> None:
    marked = f"zq{session}zq"
    for written in (marked.replace("&", "&amp;").replace("<", "&lt;"), f"<![CDATA[{marked.replace(']]>', ']')}]]>"):
        body = CONTACT.replace(SESSION, f"<SessionId>{written}</SessionId>".encode())
        (event,) = SourceRuntime(salesforce).events(delivery(body))
        stored = event.raw.decode() + repr(event.envelope) + repr(event.headers) + event.id + event.problem
        assert "SessionId" not in stored
        assert "zq" not in stored
        assert set(event.envelope) == {"OrganizationId", "ActionId", "EnterpriseUrl", "namespaces"}


def test_a_message_without_a_notification_is_acknowledged_and_stores_nothing(handler: WebhookHandler) -> None:
    start, end = CONTACT.index(b"<Notification>"), CONTACT.index(b"</Notification>") + len(b"</Notification>")
    assert post(handler, CONTACT[:start] + CONTACT[end:]).body == ANSWER % b"true"
    assert rows_of(handler) == []


def test_namespace_prefixes_of_ancestors_are_kept_for_a_replay() -> None:
    body = (
        b'<?xml version="1.0"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" '
        b'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:obj="urn:sobject.enterprise.soap.sforce.com">'
        b'<S:Body><o:notifications xmlns:o="http://soap.sforce.com/2005/09/outbound">'
        b"<o:OrganizationId>00D000000000001AAA</o:OrganizationId><o:Notification  ><o:Id>04l000000000099AAA</o:Id>"
        b'<o:sObject i:type="obj:Lead"><obj:Id>00Q000000000099</obj:Id><obj:LastName>B</obj:LastName>'
        b'<obj:Phone i:nil="true"/></o:sObject></o:Notification ></o:notifications></S:Body></S:Envelope>'
    )
    ((event, outcome),) = outcomes(salesforce, delivery(body))
    assert event.raw.startswith(b"<o:Notification  >")
    assert event.raw.endswith(b"</o:Notification >")
    assert event.clock == "received"
    assert isinstance(outcome, Translated)
    identified, tracked = outcome.messages
    assert identified["traits"] == {"lastName": "B", "name": "B"}
    assert tracked["properties"]["lead_id"] == "00Q000000000099EAA"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ActionId>", b"<OrganizationId>00D999999999999AAA</OrganizationId><ActionId>"),
        (b"</notifications>", b"</notifications><notifications xmlns='http://soap.sforce.com/2005/09/outbound'/>"),
        (b"http://soap.sforce.com/2005/09/outbound", b"urn:something:else"),
        (b"<soapenv:Body>", b"<soapenv:Body><extra>"),
        (b"Lovelace", b"Lovel\xe4ce"),
        (b'encoding="UTF-8"?>', b'encoding="UTF-8"?><!DOCTYPE x>'),
    ],
    ids=["two organisations", "two messages", "other namespace", "not closed", "not UTF-8", "empty DTD"],
)
def test_a_message_that_could_be_read_in_two_ways_is_malformed(old: bytes, new: bytes) -> None:
    assert old in CONTACT
    for organization in ("", "00D000000000001AAA"):
        assert "$" in problem(salesforce, delivery(CONTACT.replace(old, new), organization_id=organization))


def test_deep_nesting_is_malformed() -> None:
    assert problem(salesforce, delivery(b"<a>" * 100_000 + b"</a>" * 100_000)).startswith("$")


@pytest.mark.parametrize("configured", ["00D", "00D00000000000", "000000000000000", "00d000000000001"])
def test_other_or_short_organisation_id_is_refused(configured: str) -> None:
    with pytest.raises(Refused):
        SourceRuntime(salesforce).guard(delivery(CONTACT, organization_id=configured))


def names(body: bytes, **options: Any) -> list[str]:
    ((_, outcome),) = outcomes(salesforce, delivery(body, **options))
    assert isinstance(outcome, Translated)
    return [message.get("event", message["type"]) for message in outcome.messages]


def test_outbound_message_is_named_by_its_action_id_of_either_length() -> None:
    for action in ("04k000000000001", "04k000000000001AAA"):
        assert names(CONTACT, action_events=f"04k9; {action} = Form Submitted") == [
            "identify",
            "group",
            "Form Submitted",
        ]
    assert names(CONTACT, action_events="04k000000000002=Form Submitted")[-1] == "Contact Updated"
    account = (GOLDEN / "Account.xml").read_bytes()
    assert names(account, action_events="04k000000000001=Form Submitted") == ["group", "Form Submitted"]


def test_created_when_decides_whether_a_record_is_new() -> None:
    new = (GOLDEN / "Lead__created.xml").read_bytes()
    assert names(new)[-1] == "Lead Created"
    assert names(new, created_when="never")[-1] == "Lead Updated"
    assert names(CONTACT)[-1] == "Contact Updated"
    assert names(CONTACT, created_when="always")[-1] == "Contact Created"


def test_created_date_is_the_time_only_if_every_record_is_new() -> None:
    (event,) = SourceRuntime(salesforce).events(delivery(CONTACT))
    assert (event.occurred_at.isoformat(), event.clock) == ("2026-01-02T03:04:05+00:00", "record")
    (event,) = SourceRuntime(salesforce).events(delivery(CONTACT, created_when="always"))
    assert (event.occurred_at.isoformat(), event.clock) == ("2026-01-01T10:00:00+00:00", "event")


@pytest.mark.parametrize(
    "fault",
    [
        b"<sf:Name>&unknown;</sf:Name>",
        b"<sf:Name>",
        b"</sf:Name>",
        b"<sf:Name></sf:Nome>",
        b"<sf:Name>a < b</sf:Name>",
        b"<sf:1>x</sf:1>",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_malformed_notification_leaves_the_others_intact(fault: bytes, first: bool) -> None:
    start, end = CONTACT.index(b"<Notification>"), CONTACT.index(b"</Notification>") + len(b"</Notification>")
    good = CONTACT[start:end]
    bad = good.replace(b"</sObject>", fault + b"</sObject>")
    body = CONTACT[:start] + (bad + good if first else good + bad) + CONTACT[end:]
    events = SourceRuntime(salesforce).events(delivery(body))
    assert [event.raw for event in events] == ([bad, good] if first else [good, bad])
    (expected,) = SourceRuntime(salesforce).events(delivery(CONTACT))
    kept, dead = (events[1], events[0]) if first else events
    assert (kept.id, kept.envelope, kept.problem) == (expected.id, expected.envelope, "")
    assert dead.problem == "$.Notification is not XML that can be read safely"


def test_notification_without_a_record_is_malformed() -> None:
    start, end = CONTACT.index(b"<sObject"), CONTACT.index(b"</sObject>") + len(b"</sObject>")
    ((_, outcome),) = outcomes(salesforce, delivery(CONTACT[:start] + CONTACT[end:]))
    assert isinstance(outcome, Broken)
    assert "$.Notification.sObject is missing" in outcome.reason


def test_member_with_members_of_its_own_is_no_field() -> None:
    nested = b"<sf:Name>Ada Lovelace</sf:Name><sf:Account><sf:Name>Acme</sf:Name></sf:Account></sObject>"
    ((_, expected),) = outcomes(salesforce, delivery(CONTACT))
    ((_, outcome),) = outcomes(salesforce, delivery(CONTACT.replace(b"</sObject>", nested)))
    assert outcome == expected


def test_end_of_a_notification_that_never_began_is_malformed() -> None:
    assert problem(salesforce, delivery(CONTACT.replace(b"<Notification>", b"</Notification><Notification>"))) == (
        "$ is not XML that can be read safely"
    )


@pytest.mark.parametrize("written", [b"sf:", b"sf:Con tact", b""])
def test_record_without_a_readable_type_is_malformed(written: bytes) -> None:
    assert b'"sf:Contact"' in CONTACT
    assert problem(salesforce, delivery(CONTACT.replace(b'"sf:Contact"', b'"%s"' % written))) == (
        "$.Notification.sObject has no readable type"
    )
