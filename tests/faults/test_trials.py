"""Short runs of every trial; `make faults` runs them at length."""

import pytest

from faults import store_trials, trials
from faults.testbed import Report

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def held(report: Report) -> Report:
    assert report.ok, str(report)
    assert report.acked > 0
    return report


def test_a_receiver_that_hangs_resets_or_loses_replies_costs_no_event() -> None:
    assert held(trials.bad_receiver(0.5)).copies > 0, "no reply was lost"


def test_an_hour_of_503_costs_no_event_and_is_not_hammered() -> None:
    report = held(trials.hour_of_5xx(5.0))
    assert report.requests < 3600, "more than a request a second all through the hour"


def test_a_clock_that_is_an_hour_wrong_costs_no_event() -> None:
    held(trials.clock_steps(3, seed=7))


def test_a_worker_stopped_beyond_its_lease_costs_no_event() -> None:
    held(trials.expired_leases(2, seed=7))


def test_a_poison_event_in_each_batch_is_dead_alone() -> None:
    assert held(trials.poison(15, seed=7)).dead == 15


def test_a_backlog_drains_at_the_limit_and_not_faster() -> None:
    report = held(trials.backlog(1500))
    assert report.requests > 0


def test_a_full_disk_is_answered_503_and_costs_no_event() -> None:
    held(trials.full_disk(1, seed=7))


def test_a_removed_or_replaced_journal_file_is_503_and_costs_no_event() -> None:
    held(trials.removed_files(4, seed=7))


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_keys_that_no_store_holds_cost_no_good_event(store: str, request: pytest.FixtureRequest) -> None:
    held(store_trials.poison_keys(80, seed=7, database=url_of(store, request)))


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_second_installation_is_refused_and_delivers_nothing(store: str, request: pytest.FixtureRequest) -> None:
    held(store_trials.two_installations(3, seed=7, database=url_of(store, request)))


def url_of(store: str, request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own; empty for a SQLite file."""
    return str(request.getfixturevalue("postgres_url")) if store == "postgres" else ""
