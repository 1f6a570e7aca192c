"""Failing write keys and unconfigured endpoints, as in `segue status` and `segue alerts`."""

from datetime import UTC, datetime, timedelta

from webhooks.monitoring.alerts import failing_keys, unconfigured
from webhooks.monitoring.alerts.conditions import conditions
from webhooks.monitoring.snapshot import JournalSnapshot
from webhooks.settings import AlertSettings

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def heartbeat(seconds, *, ago=5, reason="connection refused"):
    return NOW - timedelta(seconds=ago), {"failing": {"abc": {"seconds": seconds, "reason": reason}}}


def test_a_write_key_that_fails_for_twenty_seconds_is_reported() -> None:
    (key,) = failing_keys({"worker:w": heartbeat(25.0)}, NOW)
    assert (key.fingerprint, key.reason) == ("abc", "connection refused")
    assert key.since == NOW - timedelta(seconds=30)


def test_a_recent_single_failure_is_not_reported() -> None:
    assert failing_keys({"worker:w": heartbeat(3.0)}, NOW) == []


def test_an_old_heartbeat_is_ignored() -> None:
    assert failing_keys({"worker:w": heartbeat(500.0, ago=61)}, NOW) == []


def test_of_several_workers_the_earliest_failure_counts() -> None:
    (key,) = failing_keys({"worker:a": heartbeat(25.0), "worker:b": heartbeat(600.0), "hold:abc": heartbeat(9.0)}, NOW)
    assert key.since == NOW - timedelta(seconds=605)


def test_waiting_events_of_an_unconfigured_endpoint_are_counted() -> None:
    states = {"old": {"pending": 3, "delivered": 9}, "done": {"delivered": 1}, "acme": {"pending": 2}}
    assert unconfigured(states, {"acme"}) == {"old": 3}


def test_failing_keys_and_unconfigured_endpoints_are_alerts() -> None:
    snapshot = JournalSnapshot(at=NOW, states={"old": {"pending": 3}})
    alerts = conditions(
        snapshot=snapshot,
        notes={"worker:w": heartbeat(45.0)},
        limits={},
        settings=AlertSettings(),
        sources=["acme"],
        now=NOW,
    )
    assert [alert.key for alert in alerts] == ["failing:abc", "unconfigured:old"]
    assert "connection refused" in alerts[0].text
