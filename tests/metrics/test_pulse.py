"""How long a source is usually silent, from its own history."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import Clock
from memory_journal import MemoryJournal
from webhooks.monitoring.metrics import Meter, SilenceTracker, Totals
from webhooks.monitoring.silence import FACTOR, FLOOR, YOUNG, ArrivalTimes

HOUR, DAY = 3600.0, 86400.0


class Source:
    """One source, heard through the totals as in production; `live` lets so many seconds pass with an event each."""

    def __init__(self):
        self.clock = Clock()
        self.meter, self.journal = Meter(), MemoryJournal()
        self.totals = Totals(self.meter, self.journal)
        self.pulse = SilenceTracker(self.journal, clock=self.clock)
        self.hear()

    def hear(self):
        self.meter.door("acme").last.set(self.clock().timestamp())
        self.totals.flush()
        self.pulse.listen()

    def live(self, *gaps):
        for gap in gaps:
            self.clock.pass_(seconds=gap)
            self.hear()

    @property
    def limit(self):
        ((_, (_, limit)),) = self.pulse.limits().items()
        return limit


@pytest.fixture
def source():
    return Source()


def test_a_new_source_may_be_silent_for_days(source):
    source.live(*[600] * 100)
    assert source.limit == YOUNG


def test_a_busy_source_is_missed_within_the_floor(source):
    source.live(*[600] * (10 * 24 * 6))
    assert source.limit == FLOOR


def test_nights_and_weekends_are_usual(source):
    week = [HOUR] * 9 + [15 * HOUR]
    for _ in range(3):
        source.live(*week * 4, *[HOUR] * 9)
        assert source.limit > 63 * HOUR
        source.live(63 * HOUR)
    source.live(*week * 4)
    assert source.limit == FACTOR * 63 * HOUR


def test_a_long_ago_silence_is_forgotten(source):
    source.live(*[HOUR] * 24 * 10, 40 * HOUR)
    learned = source.limit
    assert learned == FACTOR * FACTOR * HOUR
    source.live(*[HOUR] * 24 * 30)
    assert source.limit == FACTOR * HOUR


def test_one_outage_does_not_blunt_the_next_notice_and_a_slow_source_is_believed_after_a_few(source):
    source.live(*[600] * 6 * 24 * 10)
    assert source.limit == FLOOR
    source.live(10 * HOUR, *[600] * 6)
    assert source.limit == FACTOR * HOUR
    noticed = 0
    for _ in range(20):
        noticed += source.limit < 10 * HOUR
        source.live(10 * HOUR)
    assert noticed < 7
    assert source.limit >= 10 * HOUR


def test_what_one_worker_learned_every_process_knows(source):
    source.live(*[600] * 6 * 24 * 10)
    assert SilenceTracker(source.journal, clock=source.clock).limits() == source.pulse.limits()
    assert SilenceTracker(MemoryJournal()).limits() == {}


def test_where_nothing_was_heard_nothing_is_written(source):
    source.journal.calls.clear()
    source.pulse.listen()
    assert "note" not in source.journal.calls


@given(st.lists(st.floats(1, 40 * DAY), min_size=1, max_size=60))
def test_at_random_the_limit_is_never_under_the_floor_and_little_is_remembered(gaps):
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    beats = ArrivalTimes(first=now, last=now)
    for gap in gaps:
        now += gap
        before = beats.limit(now, FLOOR)
        beats = beats.heard(now, now, FLOOR)
        assert FLOOR <= beats.limit(now, FLOOR) <= max(FACTOR * before, YOUNG)
        assert len(beats.longest) <= 28
        assert beats.heard(now - 1, now, FLOOR) is beats
