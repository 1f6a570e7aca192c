"""What the goldens of Salesforce cannot tell by themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Delivery, Malformed, Refused
from translators.salesforce import salesforce
from webhooks.endpoints import Endpoint
from webhooks.errors import Rejected
from webhooks.journal import SqliteJournal
from webhooks.receive import Door, Incoming

GOLDEN = Path(__file__).parent.parent / "golden" / "salesforce"
CONTACT = (GOLDEN / "Contact.xml").read_bytes()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACK = b"<Ack>true</Ack>"
NACK = b"<Ack>false</Ack>"


def delivery(body: bytes, **options: Any) -> Delivery:
    return Delivery(source="salesforce", body=body, received_at=NOW, options=salesforce.defaults() | options)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    journal = SqliteJournal(tmp_path / "j.db")
    options = salesforce.defaults() | {"organization_id": "00D000000000001"}
    endpoint = Endpoint(
        name="salesforce", source=salesforce, scheme=salesforce.schemes["token"], secrets=("tok",), options=options
    )
    yield Door(endpoints={"salesforce": endpoint}, sources={}, journal=journal, max_body=10**6)
    journal.close()


def post(door: Door, body: bytes, token: str = "tok") -> Any:
    return door.take("salesforce", Incoming(method="POST", body=body, headers={}, token=token))


def test_a_stored_message_is_acknowledged_exactly_and_a_retry_too(door: Door) -> None:
    for _ in range(2):
        told = post(door, CONTACT)
        assert (told.status, told.content_type) == (200, "text/xml; charset=utf-8")
        assert told.body.startswith(b"<?xml")
        assert ACK in told.body
    (row,) = door.journal.rows()
    assert row.event.trust == "authenticated"
    assert row.event.clock == "record"
    assert row.event.envelope["OrganizationId"] == "00D000000000001AAA"


def test_what_is_not_stored_is_a_nack_and_a_wrong_token_an_error(door: Door) -> None:
    foreign = CONTACT.replace(b"00D000000000001AAA", b"00D999999999999AAA")
    for body in (b"<no xml", foreign, b"<a/>"):
        told = post(door, body)
        assert (told.status, NACK in told.body) == (200, True)
    with pytest.raises(Rejected) as caught:
        post(door, CONTACT, token="wrong")
    assert caught.value.status == 401
    assert door.journal.rows() == []


def test_the_session_id_is_kept_nowhere(door: Door, tmp_path: Path) -> None:
    assert b"golden-live-session" in CONTACT
    post(door, CONTACT)
    assert b"golden-live-session" not in b"".join(path.read_bytes() for path in tmp_path.glob("j.db*"))


@given(st.text("abcdefghijklmnop!0123456789", min_size=8, max_size=60))
def test_whatever_the_session_id_is_no_event_holds_it(session: str) -> None:
    body = CONTACT.replace(b"golden-live-session", f"zq{session}zq".encode())
    for event in salesforce.events(delivery(body)):
        assert f"zq{session}zq" not in repr(event)


def test_a_hundred_notifications_become_a_hundred_events_with_their_exact_bytes() -> None:
    start, end = CONTACT.index(b"<Notification>"), CONTACT.index(b"</Notification>") + len(b"</Notification>")
    one = CONTACT[start:end]
    many = b"\n".join(one.replace(b"04l0000", b"04l%04d" % number) for number in range(100))
    events = salesforce.events(delivery(CONTACT[:start] + many + CONTACT[end:]))
    assert len({event.key for event in events}) == 100
    assert events[0].raw == one.replace(b"04l0000", b"04l0000")


def test_an_organisation_is_compared_on_fifteen_characters() -> None:
    for ours in ("00D000000000001", "00D000000000001AAA", "00D000000000001ZZZ", ""):
        salesforce.check(delivery(CONTACT, organization_id=ours))
    with pytest.raises(Refused, match="another Salesforce organisation"):
        salesforce.check(delivery(CONTACT, organization_id="00D000000000002AAA"))


def test_a_client_certificate_may_be_asked_for() -> None:
    asked = delivery(CONTACT, client_certificate="X-Client-DN=CN=salesforce.com")
    with pytest.raises(Refused, match="client certificate"):
        salesforce.check(asked)
    salesforce.check(
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
def test_what_is_no_outbound_message_is_malformed_and_harms_nothing(body: bytes) -> None:
    with pytest.raises(Malformed):
        salesforce.events(delivery(body))


def test_a_byte_order_mark_does_not_hide_the_message() -> None:
    (event,) = salesforce.events(delivery(b"\xef\xbb\xbf" + CONTACT))
    assert event.type == "Contact"


@given(st.binary(max_size=300), st.integers(0, len(CONTACT) - 1), st.integers(0, 60))
def test_no_bytes_raise_anything_but_the_kits_own(junk: bytes, at: int, cut: int) -> None:
    for body in (junk, CONTACT[:at] + junk + CONTACT[at + cut :]):
        try:
            salesforce.check(delivery(body, organization_id="00D000000000001"))
            for event in salesforce.events(delivery(body)):
                assert "Traceback" not in event.problem, event.problem
        except (Malformed, Refused):
            pass
