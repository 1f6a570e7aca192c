"""The breaker and the limiter, with a fake clock."""

import pytest

from webhooks.segment import Admission, Breaker, Limiter
from webhooks.segment.breaker import HOLD, PROBING, THRESHOLD, BreakerState


class Ticks:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def tick():
    return Ticks()


@pytest.fixture
def breaker(tick):
    return Breaker(tick=tick, chance=lambda: 1.0)


def open_up(breaker):
    for _ in range(THRESHOLD):
        breaker.fail("502")


def test_a_few_failures_leave_the_breaker_closed(breaker) -> None:
    for _ in range(THRESHOLD - 1):
        breaker.fail("502")
    assert breaker.admit() is Admission.ALL
    breaker.succeed()
    breaker.fail("502")
    assert breaker.admit() is Admission.ALL


def test_the_breaker_opens_probes_once_and_closes(breaker, tick) -> None:
    open_up(breaker)
    states = [breaker.state]
    assert (breaker.admit(), breaker.wait()) == (Admission.NONE, 0.5)
    tick.now += 0.5
    assert breaker.wait() == 0
    assert [breaker.admit(), breaker.admit()] == [Admission.PROBE, Admission.NONE]
    assert breaker.wait() == PROBING
    breaker.succeed()
    states.append(breaker.state)
    assert states == [BreakerState.OPEN, BreakerState.CLOSED]
    assert (breaker.admit(), breaker.wait(), breaker.reason) == (Admission.ALL, 0, "")


def test_each_failed_probe_waits_longer_up_to_a_minute(breaker, tick) -> None:
    open_up(breaker)
    waits = []
    for _ in range(9):
        waits.append(breaker.wait())
        tick.now += waits[-1]
        assert breaker.admit() is Admission.PROBE
        breaker.fail("502")
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_a_released_probe_may_be_sent_by_another_thread(breaker, tick) -> None:
    open_up(breaker)
    tick.now += 1
    assert breaker.admit() is Admission.PROBE
    breaker.release()
    assert breaker.admit() is Admission.PROBE


def test_a_pause_ends_by_itself(breaker, tick) -> None:
    breaker.pause(7, "429")
    assert (breaker.admit(), breaker.wait(), breaker.state) == (Admission.NONE, 7, BreakerState.PAUSED)
    breaker.pause(3, "429")
    assert breaker.wait() == 7
    tick.now += 7
    assert breaker.admit() is Admission.ALL


def test_a_pause_does_not_end_a_hold(breaker, tick) -> None:
    breaker.hold("401")
    breaker.pause(100, "429")
    tick.now += 100
    assert (breaker.held, breaker.admit()) == ("401", Admission.PROBE)


def test_a_hold_probes_every_minute_despite_other_failures(breaker, tick) -> None:
    breaker.hold("401")
    assert (breaker.wait(), breaker.held) == (HOLD, "401")
    tick.now += HOLD
    assert breaker.admit() is Admission.PROBE
    breaker.fail("502")
    assert (breaker.held, breaker.wait()) == ("401", 0.5)
    tick.now += 1
    breaker.admit()
    breaker.succeed()
    assert breaker.held == ""


def test_the_limiter_allows_one_second_of_messages_then_waits(tick) -> None:
    limiter = Limiter(1000, tick=tick)
    assert limiter.reserve(1000) == 0
    assert limiter.reserve(500) == 0.5
    assert limiter.reserve(500) == 1.0
    tick.now += 1
    assert limiter.reserve(0) == 0
    tick.now += 3600
    assert limiter.reserve(1000) == 0
    assert limiter.reserve(1) == 0.001


def test_an_unused_reservation_is_released(tick) -> None:
    limiter = Limiter(10, tick=tick)
    limiter.reserve(20)
    limiter.give_back(20)
    assert limiter.reserve(10) == 0


def test_a_rate_of_0_is_no_limit(tick) -> None:
    assert Limiter(0, tick=tick).reserve(10**9) == 0
