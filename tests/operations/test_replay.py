"""A replay: its plan, its preview, and the events that become pending at a rate."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from support.changes import NOW, Reports, Ticks, seqs, states
from support.messages import AT, event
from webhooks.errors import EventNotFound, OperationRefused, UnknownName
from webhooks.journal import AuditContext, Filter, Journal, State
from webhooks.operations import progress, replay
from webhooks.operations.replay import ReplayRequest, ReplayResult
from webhooks.operations.selection import EventSelection
from webhooks.sources.endpoints import Endpoint

ALL = ReplayRequest(selection=EventSelection(), everything=True)


def test_a_plan_counts_pending_and_no_longer_deduplicated_events(filled: Journal) -> None:
    plan = replay.plan(filled, ALL, now=NOW)
    assert plan.seqs == seqs(filled, "e1", "e2", "e3", "e4", "e5", "e6")
    assert (plan.events, plan.pending, plan.beyond_deduplication, plan.seconds) == (5, 1, 1, 0.0)
    later = replay.plan(filled, ALL, now=NOW + timedelta(hours=24))
    assert later.beyond_deduplication == 2
    assert states(filled)["e1"] is State.DELIVERED
    assert filled.audits() == []


def test_a_plan_under_new_ids_repeats_nothing_by_mistake(filled: Journal) -> None:
    request = ReplayRequest(selection=EventSelection(states=(State.DELIVERED,)), as_new=True)
    assert replay.plan(filled, request, now=NOW).beyond_deduplication == 0


def test_a_plan_says_how_long_it_lasts_at_its_rate(filled: Journal) -> None:
    request = ReplayRequest(selection=EventSelection(states=(State.DEAD, State.IGNORED, State.PENDING)), rate=0.5)
    assert replay.plan(filled, request, now=NOW).seconds == 4.0


def test_a_plan_with_a_limit_has_the_oldest_events(filled: Journal) -> None:
    request = ReplayRequest(selection=EventSelection(states=(State.DEAD, State.IGNORED)), limit=1)
    assert replay.plan(filled, request, now=NOW).seqs == seqs(filled, "e3")


def test_a_plan_needs_a_selection_that_names_something(filled: Journal) -> None:
    with pytest.raises(OperationRefused, match="No event is selected"):
        replay.plan(filled, ReplayRequest(selection=EventSelection()), now=NOW)
    with pytest.raises(EventNotFound):
        replay.plan(filled, ReplayRequest(selection=EventSelection(ids=("e99",))), now=NOW)
    with pytest.raises(UnknownName):
        replay.plan(filled, ReplayRequest(selection=EventSelection(sources=("strip",))), now=NOW, known={"stripe"})


def test_a_preview_has_todays_outcome_of_each_event(
    filled: Journal, endpoints: Mapping[str, Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STEP", 4)
    plan = replay.plan(filled, ALL, now=NOW)
    outcomes = [
        (row.event.id, outlook.would) for row, outlook in replay.preview(filled, plan, endpoints, namespace="n")
    ]
    assert outcomes == [
        ("e1", "send"), ("e2", "send"), ("e3", "ignore"), ("e4", "unsupported"), ("e5", "dead"), ("e6", "send"),
    ]  # fmt: skip
    assert states(filled)["e1"] is State.DELIVERED


def test_a_preview_under_new_ids_shows_them(filled: Journal, endpoints: Mapping[str, Endpoint]) -> None:
    selection = EventSelection(ids=("e1",))
    ids = []
    for as_new in (False, True):
        plan = replay.plan(filled, ReplayRequest(selection=selection, as_new=as_new), now=NOW)
        ((_, outlook),) = replay.preview(filled, plan, endpoints, namespace="n")
        ids.append(outlook.messages[0]["messageId"])
    assert ids[0] != ids[1]


def test_a_replay_makes_settled_events_pending_and_is_audited(filled: Journal, by: AuditContext) -> None:
    reports = Reports()
    plan = replay.plan(filled, ALL, now=NOW)
    result = replay.run(filled, plan, by=by, clock=Ticks(), report=reports)
    assert result == ReplayResult(replayed=5, skipped=1, operation="op-1")
    assert set(states(filled).values()) == {State.PENDING}
    assert reports.of("replaying") == [(0, 6), (6, 6)]
    (line,) = filled.audits()
    assert (line.actor, line.action, line.reason, line.operation) == ("ann", "replay", by.reason, "op-1")
    assert line.events == ("shop/e1", "shop/e2", "shop/e3", "shop/e4", "shop/e5")
    assert {row.replay_generation for row in filled.rows()} == {0}


def test_a_replay_under_new_ids_increments_the_generation(filled: Journal, by: AuditContext) -> None:
    plan = replay.plan(filled, ReplayRequest(selection=EventSelection(ids=("e1",)), as_new=True), now=NOW)
    replay.run(filled, plan, by=by, clock=Ticks())
    assert [row.replay_generation for row in filled.rows()] == [1, 0, 0, 0, 0, 0]


def test_replayed_events_become_due_at_the_rate(journal: Journal, by: AuditContext) -> None:
    journal.append([event(number, type="x") for number in range(10)], now=AT)
    journal.drop(journal.seqs(), by=by, now=AT)
    for rate, expected in ((2.0, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]), (0.5, list(range(0, 20, 2))), (0.0, [0] * 10)):
        plan = replay.plan(journal, ReplayRequest(selection=EventSelection(types=("x",)), rate=rate), now=NOW)
        replay.run(journal, plan, by=by, clock=lambda: NOW)
        due = [row.due_at for row in journal.rows()]
        assert [(at - NOW).total_seconds() for at in due if at] == expected
        journal.drop(journal.seqs(), by=by, now=NOW)


def test_a_replay_is_a_transaction_for_each_step(
    filled: Journal, by: AuditContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STEP", 2)
    reports = Reports()
    plan = replay.plan(filled, ReplayRequest(selection=EventSelection(), everything=True, rate=100), now=NOW)
    replay.run(filled, plan, by=by, clock=Ticks(), report=reports)
    assert reports.of("replaying") == [(0, 6), (2, 6), (4, 6), (6, 6)]
    assert [line.operation for line in filled.audits()] == ["op-1"] * 3
    moments = [row.history[-1].at for row in filled.rows(Filter(seqs=plan.seqs[:5]))]
    assert [(at - NOW).total_seconds() for at in moments] == [1, 1, 2, 2, 3]


def test_events_that_changed_after_the_plan_are_skipped(filled: Journal, by: AuditContext) -> None:
    plan = replay.plan(filled, ReplayRequest(selection=EventSelection(states=(State.DEAD,))), now=NOW)
    filled.replay(plan.seqs, by=by, now=NOW)
    assert replay.run(filled, plan, by=by, clock=Ticks()).replayed == 0
    assert len(filled.audits()) == 1


def test_a_replay_of_nothing_reports_nothing(filled: Journal, by: AuditContext) -> None:
    plan = replay.plan(filled, ReplayRequest(selection=EventSelection(text="no such text")), now=NOW)
    assert replay.run(filled, plan, by=by, clock=Ticks()) == ReplayResult(replayed=0, skipped=0, operation="op-1")
    assert filled.audits() == []
