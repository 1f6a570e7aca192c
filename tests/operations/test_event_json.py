"""The members of an event and of a line of the audit log as JSON."""

from dataclasses import replace
from datetime import timedelta

from support.messages import AT, event
from webhooks.journal import Attempt, AuditEntry, Row, State
from webhooks.operations.event_json import attempts, audited, content, facts

ROW = Row(
    seq=7, event=event(1), state=State.DEAD, attempts=2, due_at=AT, leased_until=None, settled_at=AT, reason="torn",
    cursor="7", replay_generation=1,
)  # fmt: skip


def test_facts_of_a_settled_event_have_no_due_time() -> None:
    assert facts(ROW) == {
        "seq": 7, "cursor": "7", "source": "shop", "key": "e1", "type": "order", "state": "dead", "reason": "torn",
        "occurred_at": "2026-03-31T12:00:01.000Z", "received_at": "2026-03-31T12:00:01.000Z", "clock": "event",
        "trust": "verified", "locked": None, "attempts": 2, "edition": 1, "due_at": None, "leased_until": None,
        "settled_at": "2026-03-31T12:00:00.000Z",
    }  # fmt: skip


def test_facts_of_a_pending_event_have_its_due_time_and_lease() -> None:
    pending = replace(ROW, state=State.PENDING, settled_at=None, leased_until=AT + timedelta(minutes=1), locked="why")
    members = facts(pending)
    assert members["due_at"] == "2026-03-31T12:00:00.000Z"
    assert members["leased_until"] == "2026-03-31T12:01:00.000Z"
    assert (members["settled_at"], members["locked"]) == (None, "why")


def test_a_body_is_text_or_base64() -> None:
    text = replace(ROW, event=replace(ROW.event, raw="é".encode(), headers={"x": "1"}, envelope={"o": "2"}))
    assert content(text) == {"headers": {"x": "1"}, "envelope": {"o": "2"}, "body": "é"}
    binary = replace(ROW, event=replace(ROW.event, raw=b"\xff"))
    assert content(binary) == {"headers": {}, "envelope": {}, "body_base64": "/w=="}


def test_history_and_audit_name_the_actor_as_who() -> None:
    assert attempts([Attempt(AT, "w1", "dead", "torn")]) == [
        {"at": "2026-03-31T12:00:00.000Z", "who": "w1", "outcome": "dead", "reason": "torn"},
    ]  # fmt: skip
    line = AuditEntry(
        id=3, at=AT, actor="ann", action="drop", reason="a test", operation="op", events=("shop/e1",), detail={"a": 1}
    )
    assert audited(line) == {
        "id": 3, "at": "2026-03-31T12:00:00.000Z", "who": "ann", "action": "drop", "reason": "a test",
        "operation": "op", "events": ["shop/e1"], "detail": {"a": 1},
    }  # fmt: skip
