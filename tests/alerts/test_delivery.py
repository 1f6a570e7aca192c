"""An unreachable Segment and endpoints that are configured no more, in `segue status` and `segue alerts`."""

from datetime import UTC, datetime, timedelta

from webhooks.monitoring.alerts import failing_keys, unconfigured
from webhooks.monitoring.alerts.conditions import conditions
from webhooks.monitoring.snapshot import JournalSnapshot
from webhooks.settings import AlertSettings

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def heartbeat(seconds, *, ago=5, reason="connection refused"):
    return NOW - timedelta(seconds=ago), {"failing": {"abc": {"seconds": seconds, "reason": reason}}}


def test_a_key_that_has_failed_for_twenty_seconds_is_reported_with_its_reason():
    (key,) = failing_keys({"worker:w": heartbeat(25.0)}, NOW)
    assert (key.fingerprint, key.reason) == ("abc", "connection refused")
    assert key.since == NOW - timedelta(seconds=30)


def test_one_failure_a_moment_ago_is_not_reported():
    assert failing_keys({"worker:w": heartbeat(3.0)}, NOW) == []


def test_the_heartbeat_of_a_worker_that_is_gone_says_nothing_of_now():
    assert failing_keys({"worker:w": heartbeat(500.0, ago=61)}, NOW) == []


def test_of_several_workers_the_earliest_failure_counts():
    (key,) = failing_keys({"worker:a": heartbeat(25.0), "worker:b": heartbeat(600.0), "hold:abc": heartbeat(9.0)}, NOW)
    assert key.since == NOW - timedelta(seconds=605)


def test_waiting_events_of_an_unconfigured_endpoint_are_counted():
    states = {"old": {"pending": 3, "delivered": 9}, "done": {"delivered": 1}, "acme": {"pending": 2}}
    assert unconfigured(states, {"acme"}) == {"old": 3}


def test_both_are_alerts():
    seen = JournalSnapshot(at=NOW, states={"old": {"pending": 3}})
    found = conditions(
        seen=seen, notes={"worker:w": heartbeat(45.0)}, limits={}, settings=AlertSettings(), sources=["acme"], now=NOW
    )
    assert [alert.key for alert in found] == ["failing:abc", "unconfigured:old"]
    assert "connection refused" in found[0].text
