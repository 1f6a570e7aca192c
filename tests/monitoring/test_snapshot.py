"""Snapshots of the journal: taken by one worker for all, and rarely if they take long."""

from datetime import timedelta
from pathlib import Path

import pytest

from support.delivery_bench import Clock
from support.events import event
from webhooks.journal import SqliteJournal
from webhooks.monitoring.metrics import SnapshotTaker
from webhooks.monitoring.snapshot import folder


class Ticks:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def journal(tmp_path: Path):
    opened = SqliteJournal(tmp_path / "j.db")
    yield opened
    opened.close()


@pytest.fixture
def clock():
    return Clock()


def pass_(clock, tick, seconds):
    clock.pass_(seconds=seconds)
    tick.now += seconds


def test_a_snapshot_has_states_ages_sizes_and_the_disk(journal: SqliteJournal, clock, tmp_path: Path) -> None:
    received = clock.now - timedelta(minutes=5)
    journal.append([event("a", received_at=received), event("bad", problem="x")], now=clock.now)
    taker = SnapshotTaker(journal, f"sqlite:///{tmp_path}/j.db", keys=["abc"], clock=clock)
    taker.take()
    snapshot = SnapshotTaker(journal, "sqlite:///elsewhere.db", clock=clock).latest()
    assert snapshot.states == {"acme": {"pending": 1, "dead": 1}}
    assert snapshot.oldest == {"acme": received}
    assert snapshot.size > 0
    assert snapshot.disk is not None
    assert 0 < snapshot.disk[0] <= snapshot.disk[1]
    assert snapshot.keys == ("abc",)


def test_two_workers_do_not_both_take_snapshots(journal: SqliteJournal, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    census = journal.census

    def counted_census():
        counted.append(1)
        return census()

    monkeypatch.setattr(journal, "census", counted_census)
    ticks = [Ticks(), Ticks()]
    takers = [SnapshotTaker(journal, "sqlite:///j.db", clock=clock, tick=tick) for tick in ticks]
    for _ in range(60):
        for taker in takers:
            taker.take()
        clock.pass_(seconds=5)
        for tick in ticks:
            tick.now += 5
    assert 300 / 15 * 0.8 <= len(counted) <= 300 / 12


def test_a_slow_census_is_taken_rarely_and_stays_fresh(
    journal: SqliteJournal, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick = Ticks()
    census = journal.census
    counted = []

    def slow():
        counted.append(1)
        pass_(clock, tick, 4)
        return census()

    monkeypatch.setattr(journal, "census", slow)
    taker = SnapshotTaker(journal, "sqlite:///j.db", clock=clock, tick=tick)
    taker.take()
    pass_(clock, tick, 150)
    taker.take()
    assert taker.latest().pause == 200
    assert len(counted) == 1
    pass_(clock, tick, 60)
    taker.take()
    assert len(counted) == 2


def test_without_a_worker_the_process_takes_its_own_snapshot(journal: SqliteJournal, clock) -> None:
    tick = Ticks()
    SnapshotTaker(journal, "sqlite:///j.db", keys=["abc"], clock=clock, tick=tick).take()
    web = SnapshotTaker(journal, "sqlite:///j.db", clock=clock, tick=tick)
    assert web.latest().keys == ("abc",)
    pass_(clock, tick, 600)
    journal.append([event("a")], now=clock.now)
    assert web.latest().states == {"acme": {"pending": 1}}
    journal.append([event("b")], now=clock.now)
    assert web.latest().states == {"acme": {"pending": 1}}, "a second call at once takes no new census"
    pass_(clock, tick, 16)
    assert web.latest().states == {"acme": {"pending": 2}}


def test_only_a_file_journal_has_a_folder(tmp_path: Path) -> None:
    assert folder("sqlite:////data/segue.db") == Path("/data")
    assert folder("postgres://u:p@h/db") is None
