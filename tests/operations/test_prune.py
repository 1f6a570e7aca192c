"""A prune: old settled events are deleted, pending ones and those of the last 72 hours never."""

from datetime import timedelta

import pytest

from support.changes import Reports, states
from support.messages import AT
from webhooks.errors import OperationRefused
from webhooks.journal import AuditContext, Journal, State
from webhooks.operations import prune
from webhooks.operations.prune import PruneRequest
from webhooks.settings import RetentionSettings

DAY = timedelta(days=1)
RETENTION = RetentionSettings()


def test_a_plan_counts_events_beyond_the_retention_of_their_state(filled: Journal) -> None:
    plan = prune.plan(filled, PruneRequest(), RETENTION, now=AT + 8 * DAY)
    assert plan.ages == {
        State.DELIVERED: 7 * DAY, State.IGNORED: 7 * DAY, State.UNSUPPORTED: 30 * DAY, State.DEAD: 90 * DAY,
        State.DROPPED: 30 * DAY,
    }  # fmt: skip
    assert plan.counts == {
        State.DELIVERED: 1, State.IGNORED: 0, State.UNSUPPORTED: 0, State.DEAD: 0, State.DROPPED: 0,
    }  # fmt: skip
    assert plan.events == 1
    assert prune.plan(filled, PruneRequest(), RETENTION, now=AT + 100 * DAY).events == 5


def test_a_plan_takes_one_age_for_the_chosen_states(filled: Journal) -> None:
    request = PruneRequest(states=(State.DEAD, State.DELIVERED), older_than=timedelta(hours=72))
    plan = prune.plan(filled, request, RETENTION, now=AT + timedelta(hours=80))
    assert plan.counts == {State.DEAD: 0, State.DELIVERED: 1}
    assert set(plan.ages.values()) == {timedelta(hours=72)}


def test_pending_and_recent_events_are_never_pruned(filled: Journal) -> None:
    with pytest.raises(OperationRefused, match="Pending events are never deleted") as caught:
        prune.plan(filled, PruneRequest(states=(State.PENDING,)), RETENTION, now=AT)
    assert "Drop them first" in caught.value.hint
    with pytest.raises(OperationRefused, match="within 72 hours are never deleted") as caught:
        prune.plan(filled, PruneRequest(older_than=timedelta(hours=71)), RETENTION, now=AT)
    assert "retry for three days" in caught.value.hint


def test_a_prune_deletes_the_planned_events_and_is_audited_once(
    filled: Journal, by: AuditContext, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "PAGE", 2)
    reports = Reports()
    now = AT + 100 * DAY
    deleted = prune.run(filled, prune.plan(filled, PruneRequest(), RETENTION, now=now), by=by, report=reports)
    (line,) = filled.audits()
    assert (line.actor, line.action, line.at, line.detail["events"]) == ("ann", "prune", now, 5)
    assert line.detail["older_than_seconds"]["dead"] == 90 * 86400
    if url.startswith("postgres"):  # their partition is the open one
        assert deleted == 0
        assert len(states(filled)) == 6
        assert reports.of("pruning") == [(0, 5)]
    else:
        assert deleted == 5
        assert states(filled) == {"e6": State.PENDING}
        assert reports.of("pruning") == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_a_prune_of_nothing_is_not_audited(filled: Journal, by: AuditContext) -> None:
    assert prune.run(filled, prune.plan(filled, PruneRequest(), RETENTION, now=AT + DAY), by=by) == 0
    assert filled.audits() == []
