"""The usual silence of a source, learned from its history."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.delivery_bench import Clock
from support.memory_journal import MemoryJournal
from webhooks.monitoring.metrics import Meter, SilenceTracker, Totals
from webhooks.monitoring.silence import FACTOR, FLOOR, LEARNING_FLOOR, ArrivalTimes

HOUR, DAY = 3600.0, 86400.0


class Source:
    """One source, learned through the totals as in production. `live` sends an event after each gap in seconds."""

    def __init__(self):
        self.clock = Clock()
        self.meter, self.journal = Meter(), MemoryJournal()
        self.totals = Totals(self.meter, self.journal)
        self.silence = SilenceTracker(self.journal, clock=self.clock)
        self.send_event()

    def send_event(self):
        self.meter.endpoint("acme").last.set(self.clock().timestamp())
        self.totals.flush()
        self.silence.learn()

    def live(self, *gaps):
        for gap in gaps:
            self.clock.pass_(seconds=gap)
            self.send_event()

    @property
    def limit(self):
        ((_, (_, limit)),) = self.silence.limits().items()
        return limit


@pytest.fixture
def source():
    return Source()


def test_a_new_source_may_be_silent_for_days(source) -> None:
    source.live(*[600] * 100)
    assert source.limit == LEARNING_FLOOR


def test_the_limit_of_a_busy_source_is_the_floor(source) -> None:
    source.live(*[1800] * (10 * 24 * 2))
    assert source.limit == FLOOR


def test_silence_at_nights_and_weekends_is_usual(source) -> None:
    week = [HOUR] * 9 + [15 * HOUR]
    for _ in range(3):
        source.live(*week * 4, *[HOUR] * 9)
        assert source.limit > 63 * HOUR
        source.live(63 * HOUR)
    source.live(*week * 4)
    assert source.limit == FACTOR * 63 * HOUR


def test_an_old_silence_is_forgotten(source) -> None:
    source.live(*[HOUR] * 24 * 10, 40 * HOUR)
    learned = source.limit
    assert learned == FACTOR * FACTOR * HOUR
    source.live(*[HOUR] * 24 * 30)
    assert source.limit == FACTOR * HOUR


def test_one_outage_does_not_hide_the_next_and_a_slower_source_is_learned(source) -> None:
    source.live(*[1800] * 2 * 24 * 10)
    assert source.limit == FLOOR
    source.live(10 * HOUR, *[600] * 6)
    assert source.limit == FACTOR * HOUR
    noticed = 0
    for _ in range(20):
        noticed += source.limit < 10 * HOUR
        source.live(10 * HOUR)
    assert noticed < 7
    assert source.limit >= 10 * HOUR


def test_learned_limits_are_shared_by_all_processes(source) -> None:
    source.live(*[1800] * 2 * 24 * 10)
    assert SilenceTracker(source.journal, clock=source.clock).limits() == source.silence.limits()
    assert SilenceTracker(MemoryJournal()).limits() == {}


def test_without_new_events_nothing_is_stored(source) -> None:
    source.journal.calls.clear()
    source.silence.learn()
    assert "note" not in source.journal.calls


@given(st.lists(st.floats(1, 40 * DAY), min_size=1, max_size=60))
def test_the_limit_is_never_under_the_floor_and_the_history_is_limited(gaps) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    arrivals = ArrivalTimes(first=now, last=now)
    for gap in gaps:
        now += gap
        before = arrivals.limit(now, FLOOR)
        arrivals = arrivals.updated(now, now, FLOOR)
        assert FLOOR <= arrivals.limit(now, FLOOR) <= max(FACTOR * before, LEARNING_FLOOR)
        assert len(arrivals.longest) <= 28
        assert arrivals.updated(now - 1, now, FLOOR) is arrivals
