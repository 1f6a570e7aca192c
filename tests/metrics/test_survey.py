"""What is to be seen in the journal: taken by one worker for all, and never so often that it costs much."""

from datetime import timedelta

import pytest

from delivery import Clock
from events import event
from webhooks.journal import SqliteJournal
from webhooks.monitoring.metrics import SnapshotTaker
from webhooks.monitoring.snapshot import folder


class Ticks:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def journal(tmp_path):
    opened = SqliteJournal(tmp_path / "j.db")
    yield opened
    opened.close()


@pytest.fixture
def clock():
    return Clock()


def pass_(clock, tick, seconds):
    clock.pass_(seconds=seconds)
    tick.now += seconds


def test_it_tells_states_ages_sizes_and_the_disk(journal, clock, tmp_path):
    received = clock.now - timedelta(minutes=5)
    journal.append([event("a", received_at=received), event("bad", problem="x")], now=clock.now)
    survey = SnapshotTaker(journal, f"sqlite:///{tmp_path}/j.db", keys=["abc"], clock=clock)
    survey.take()
    seen = SnapshotTaker(journal, "sqlite:///elsewhere.db", clock=clock).latest()
    assert seen.states == {"acme": {"pending": 1, "dead": 1}}
    assert seen.oldest == {"acme": received}
    assert seen.size > 0
    assert seen.disk is not None
    assert 0 < seen.disk[0] <= seen.disk[1]
    assert seen.keys == ("abc",)


def test_two_workers_do_not_both_count_everything(journal, clock, monkeypatch):
    counted = []
    census = journal.census
    monkeypatch.setattr(journal, "census", lambda: counted.append(1) or census())
    ticks = [Ticks(), Ticks()]
    surveys = [SnapshotTaker(journal, "sqlite:///j.db", clock=clock, tick=tick) for tick in ticks]
    for _ in range(60):
        for survey in surveys:
            survey.take()
        clock.pass_(seconds=5)
        for tick in ticks:
            tick.now += 5
    assert 300 / 15 * 0.8 <= len(counted) <= 300 / 12


def test_a_census_that_takes_long_is_taken_rarely_and_still_believed(journal, clock, monkeypatch):
    tick = Ticks()
    census = journal.census
    counted = []

    def slow():
        counted.append(1)
        pass_(clock, tick, 4)
        return census()

    monkeypatch.setattr(journal, "census", slow)
    survey = SnapshotTaker(journal, "sqlite:///j.db", clock=clock, tick=tick)
    survey.take()
    pass_(clock, tick, 150)
    survey.take()
    assert survey.latest().pause == 200
    assert len(counted) == 1
    pass_(clock, tick, 60)
    survey.take()
    assert len(counted) == 2


def test_where_no_worker_lives_the_one_who_is_asked_looks_himself(journal, clock):
    tick = Ticks()
    SnapshotTaker(journal, "sqlite:///j.db", keys=["abc"], clock=clock, tick=tick).take()
    web = SnapshotTaker(journal, "sqlite:///j.db", clock=clock, tick=tick)
    assert web.latest().keys == ("abc",)
    pass_(clock, tick, 600)
    journal.append([event("a")], now=clock.now)
    assert web.latest().states == {"acme": {"pending": 1}}
    journal.append([event("b")], now=clock.now)
    assert web.latest().states == {"acme": {"pending": 1}}, "asked again at once, it does not count again"
    pass_(clock, tick, 16)
    assert web.latest().states == {"acme": {"pending": 2}}


def test_only_a_file_has_a_disk(tmp_path):
    assert folder("sqlite:////data/segue.db").as_posix() == "/data"
    assert folder("postgres://u:p@h/db") is None
