"""What the goldens of Zendesk cannot tell by themselves."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.kit import Delivery, Refused
from translators.zendesk import zendesk
from webhooks.signatures import Request, sign, verify
from webhooks.transcript import outcomes
from webhooks.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCHEME = zendesk.schemes["default"]


def delivery(body: dict[str, Any], headers: dict[str, str] | None = None, **options: str) -> Delivery:
    raw = json.dumps(body).encode()
    return Delivery(
        source="zendesk", body=raw, received_at=NOW, headers=headers or {}, options=zendesk.defaults() | options
    )


def triggered(type_: str = "ticket.solved", **more: Any) -> dict[str, Any]:
    told = {"type": type_, "at": "2026-10-05T09:31Z", "ticket": {"id": "1"}, "requester": {"id": "2"}}
    return told | more


def test_the_secret_that_zendesk_publishes_for_tests_opens_nothing() -> None:
    published = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    signed = sign(SCHEME, body=b"{}", secret=published, now=NOW)
    request = Request(body=b"{}", headers={name.lower(): value for name, value in signed.headers.items()})
    assert not verify(SCHEME, request, secrets=("my-own-secret",), now=NOW).ok


def test_the_timestamp_comes_before_the_body_in_what_is_signed() -> None:
    # https://developer.zendesk.com/documentation/webhooks/verifying/ ; an older page had it the other way round
    now = datetime(2021, 7, 25, 10, 0, tzinfo=UTC)
    headers = {"x-zendesk-webhook-signature-timestamp": "2021-07-25T10:00:00Z"}
    body, secret = b'{"say": "hello"}', "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="
    present = headers | {"x-zendesk-webhook-signature": "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk="}
    former = headers | {"x-zendesk-webhook-signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw="}
    assert verify(SCHEME, Request(body=body, headers=present), secrets=(secret,), now=now).ok
    assert not verify(SCHEME, Request(body=body, headers=former), secrets=(secret,), now=now).ok


def test_another_account_is_refused_where_one_is_named() -> None:
    body = {"type": "zen:event-type:ticket.created", "account_id": 7}
    zendesk.check(delivery(body))
    zendesk.check(delivery(body, account_id="7"))
    with pytest.raises(Refused):
        zendesk.check(delivery(body, account_id="8"))


def test_a_retry_of_a_trigger_has_the_key_of_its_first_delivery() -> None:
    headers = {"x-zendesk-webhook-invocation-id": "01K6"}
    assert zendesk.events(delivery(triggered(), headers))[0].key == "01K6"
    first, again = (zendesk.events(delivery(triggered()))[0].key for _ in range(2))
    assert first == again
    assert zendesk.events(delivery(triggered("ticket.reopened")))[0].key != first


@pytest.mark.parametrize("public", ["false", "False", "", "no"])
def test_a_reply_that_is_not_said_to_be_public_is_never_sent(public: str) -> None:
    body = triggered("ticket.replied", author="agent", comment={"id": "1", "public": public})
    ((_, outcome),) = outcomes(zendesk, delivery(body))
    assert isinstance(outcome, Ignored | Broken)


@pytest.mark.parametrize("author", ["", "somebody"])
def test_a_reply_must_say_who_wrote_it(author: str) -> None:
    body = triggered("ticket.replied", author=author, comment={"id": "1", "public": "true"})
    ((_, outcome),) = outcomes(zendesk, delivery(body))
    assert isinstance(outcome, Broken)
    assert "$.author" in outcome.reason


def test_one_address_is_one_person_however_it_is_written() -> None:
    told = []
    for address in ("Jonas@Example.com", " jonas@example.com"):
        ((_, outcome),) = outcomes(zendesk, delivery(triggered(requester={"email": address})))
        assert isinstance(outcome, Translated)
        told.append(outcome.messages[0]["anonymousId"])
    assert told[0] == told[1]


def test_a_trigger_that_names_nobody_is_malformed() -> None:
    ((_, outcome),) = outcomes(zendesk, delivery(triggered(requester={"id": "", "email": ""})))
    assert isinstance(outcome, Broken)
    assert "$.requester.id" in outcome.reason
