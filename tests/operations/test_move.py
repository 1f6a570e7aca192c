"""A move: every event is copied and compared; the old journal is marked only if nothing more would be copied."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.changes import NOW, Reports, Ticks
from support.messages import AT, event
from webhooks.errors import JournalAbsent, JournalUnavailable, OperationRefused, SettingsError
from webhooks.journal import AuditContext, Journal, open_existing, open_journal
from webhooks.journal.notes import MOVED, NAMESPACE, WORKERS, Heartbeat, JournalNamespace
from webhooks.operations import move
from webhooks.operations.load import SkippedEvent
from webhooks.operations.move import CopyResult
from webhooks.operations.progress import Progress, ProgressListener, ignore_progress


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path}/target.db")
    yield opened
    opened.close()


def moved(
    origin: Journal, target: Journal, by: AuditContext, *, while_running: bool = False,
    report: ProgressListener = ignore_progress,
) -> CopyResult:  # fmt: skip
    return move.run(
        origin, target, shown="the new one", by=by, clock=Ticks(), while_running=while_running, report=report
    )


def bare(journal: Journal) -> list[object]:
    return [replace(row, seq=0, cursor="") for row in journal.rows()]


def test_a_plan_counts_the_events(filled: Journal) -> None:
    assert move.plan(filled, namespace="") == CopyResult(events=6)


def test_an_absent_journal_is_not_moved(tmp_path: Path) -> None:
    absent = open_existing(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(JournalAbsent):
        move.plan(absent, namespace="")
    absent.close()


def test_a_journal_of_another_namespace_is_not_moved(filled: Journal) -> None:
    NAMESPACE.write(filled, JournalNamespace("shop-eu"), now=AT)
    with pytest.raises(OperationRefused, match="FROM has the namespace 'shop-eu', but 'shop-us'") as caught:
        move.plan(filled, namespace="shop-us")
    assert "SEGUE_NAMESPACE=shop-eu" in caught.value.hint
    assert move.plan(filled, namespace="shop-eu").events == 6


def test_a_move_copies_every_event_and_marks_the_old_journal(
    filled: Journal, target: Journal, by: AuditContext, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move, "PAGE", 4)
    filled.tally({"received": 6.0})
    reports = Reports()
    copied = moved(filled, target, by, report=reports)
    assert copied == CopyResult(events=6, new=6)
    assert copied.is_whole
    assert bare(target) == bare(filled)
    assert target.tallies() == {"received": 6.0}
    assert reports.of("copying") == reports.of("comparing") == [(0, 6), (4, 6), (6, 6)]
    (line,) = target.audits()
    assert (line.action, line.actor, line.detail) == ("move", "ann", {"events": 6, "new": 6, "there": 0, "differ": 0})
    with pytest.raises(SettingsError, match="moved to the new one"):
        open_existing(url)


def test_a_second_move_copies_only_new_events(filled: Journal, target: Journal, by: AuditContext) -> None:
    filled.tally({"received": 6.0})
    moved(filled, target, by)
    filled.append([event(7)], now=AT)
    again = moved(filled, target, by)
    assert (again.events, again.new, again.present) == (7, 1, 6)
    assert target.tallies() == {"received": 6.0}


def test_an_interrupted_move_can_be_repeated(
    filled: Journal, target: Journal, by: AuditContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move, "PAGE", 2)

    def stop(progress: Progress) -> None:
        if progress == Progress("copying", 4, 6):
            raise JournalUnavailable("the server stopped")

    with pytest.raises(JournalUnavailable):
        moved(filled, target, by, report=stop)
    assert MOVED.read(filled.notes()) is None
    again = moved(filled, target, by)
    assert (again.new, again.present) == (2, 4)
    assert bare(target) == bare(filled)


def test_events_that_arrive_during_the_copy_are_missing(filled: Journal, target: Journal, by: AuditContext) -> None:
    def arrive(progress: Progress) -> None:
        if progress.phase == "comparing" and progress.done == 0:
            filled.append([event(7)], now=AT)

    copied = moved(filled, target, by, report=arrive)
    assert (copied.missing, copied.is_whole) == (1, False)
    assert copied.counts()["missing"] == 1
    assert MOVED.read(filled.notes()) is None


def test_events_that_differ_are_listed_and_kept(filled: Journal, target: Journal, by: AuditContext) -> None:
    rows = {row.event.id: row for row in filled.rows()}
    changed = replace(rows["e1"].event, raw=b"other", headers={"x": "1"}, problem="torn")
    target.append([changed, rows["e2"].event], now=AT)
    copied = moved(filled, target, by)
    assert copied.counts() == {"events": 6, "new": 4, "there": 2, "differ": 1}
    assert copied.lists() == {
        "refused_events": [],
        "differing_events": [
            {"seq": rows["e1"].seq, "source": "shop", "key": "e1", "state": "delivered", "why": "other body, headers, problem"},
        ],
    }  # fmt: skip
    assert copied.is_whole
    stored = target.find("shop", "e1")
    assert stored is not None
    assert stored.event.raw == b"other"


def test_events_that_the_target_cannot_store_are_listed(target: Journal, postgres_url: str, by: AuditContext) -> None:
    target.append([event(1), event(2)], now=AT)
    (row, _) = target.rows()
    target.load([replace(row, event=replace(row.event, id="with\0nul"))])
    shared = open_journal(postgres_url)
    copied = moved(target, shared, by)
    assert (copied.new, copied.missing, copied.is_whole) == (2, 0, True)
    assert [event.key for event in copied.refused] == ["with\0nul"]
    assert copied.counts() == {"events": 3, "new": 2, "there": 0, "differ": 0, "refused": 1}
    shared.close()


def test_a_move_that_copies_nothing_of_something_is_not_whole() -> None:
    refused = [SkippedEvent(1, "shop", "k", "dead", "too long")]
    assert not CopyResult(events=1, refused=refused).is_whole
    assert CopyResult().is_whole


def test_a_journal_is_not_moved_into_itself(filled: Journal, url: str, by: AuditContext) -> None:
    same = open_existing(url, change=True)
    with pytest.raises(OperationRefused, match="FROM is the configured journal itself"):
        moved(filled, same, by)
    same.close()


def test_a_journal_with_a_running_worker_is_not_moved_unless_accepted(
    filled: Journal, target: Journal, by: AuditContext
) -> None:
    WORKERS.of("host-1").write(filled, Heartbeat(), now=NOW)
    WORKERS.of("host-2").write(filled, Heartbeat(), now=NOW - timedelta(seconds=30))
    with pytest.raises(OperationRefused, match=r"A worker still runs on FROM: host-1\."):
        moved(filled, target, by)
    assert target.count() == 0
    assert moved(filled, target, by, while_running=True).new == 6
