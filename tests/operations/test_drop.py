"""A drop: its plan, and the events that are not delivered from then on."""

from dataclasses import replace

import pytest

from support.changes import Reports, Ticks, seqs, states
from webhooks.errors import OperationRefused, UnknownName
from webhooks.journal import AuditContext, Journal, State
from webhooks.operations import drop, progress
from webhooks.operations.drop import DropResult
from webhooks.operations.selection import EventSelection


def test_a_plan_counts_the_events_that_are_not_delivered(filled: Journal) -> None:
    plan = drop.plan(filled, EventSelection(sources=("shop",)))
    assert (len(plan.seqs), plan.events, plan.skipped) == (6, 4, 2)
    assert [row.event.id for row in plan.examples] == ["e3", "e4", "e5", "e6"]
    assert states(filled)["e5"] is State.DEAD
    assert filled.audits() == []


def test_a_plan_needs_a_selection(filled: Journal) -> None:
    with pytest.raises(OperationRefused, match="No event is selected"):
        drop.plan(filled, EventSelection())
    with pytest.raises(UnknownName, match="strip"):
        drop.plan(filled, EventSelection(sources=("strip",)), known={"stripe"})


def test_a_drop_needs_a_reason(filled: Journal, by: AuditContext) -> None:
    plan = drop.plan(filled, EventSelection(ids=("e5",)))
    with pytest.raises(OperationRefused, match="A drop needs a reason") as caught:
        drop.run(filled, plan, by=replace(by, reason=" "), clock=Ticks())
    assert "audit log" in caught.value.hint
    assert states(filled)["e5"] is State.DEAD


def test_a_drop_keeps_its_reason_and_skips_delivered_events(filled: Journal, by: AuditContext) -> None:
    reports = Reports()
    result = drop.run(filled, drop.plan(filled, EventSelection(types=("*",))), by=by, clock=Ticks(), report=reports)
    assert result == DropResult(dropped=4, skipped=2, operation="op-1")
    assert states(filled) == {
        "e1": State.DELIVERED, "e2": State.DELIVERED, **dict.fromkeys(("e3", "e4", "e5", "e6"), State.DROPPED),
    }  # fmt: skip
    row = filled.get(*seqs(filled, "e5"))
    assert row is not None
    assert row.reason == by.reason
    (line,) = filled.audits()
    assert (line.action, line.actor, line.events) == (
        "drop", "ann", ("shop/e3", "shop/e4", "shop/e5", "shop/e6"),
    )  # fmt: skip
    assert reports.of("dropping") == [(0, 6), (6, 6)]


def test_a_drop_is_a_transaction_for_each_step(
    filled: Journal, by: AuditContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STEP", 1)
    drop.run(filled, drop.plan(filled, EventSelection(states=(State.DEAD, State.IGNORED))), by=by, clock=Ticks())
    assert [line.events for line in filled.audits()] == [("shop/e5",), ("shop/e3",)]
