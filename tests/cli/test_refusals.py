"""`segue status` and `segue alerts` show what was refused, by endpoint and cause, and when."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from webhooks.errors import Rejected
from webhooks.journal import SqliteJournal
from webhooks.monitoring.metrics import Meter, Totals
from webhooks.signatures import Signature
from webhooks.web.refusals import Refusals

NOW = datetime.now(UTC)


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A journal in which `refuse` counts, as a web process does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGUE_DATABASE", f"sqlite:///{tmp_path}/segue.db")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_of_tests_1234567890")

    def refuse(name, error, signature, *, times=1, ago=timedelta(0)):
        journal = SqliteJournal(tmp_path / "segue.db")
        meter = Meter()
        refusals = Refusals(meter)
        for _ in range(times):
            refusals.record(name, Rejected(400, error, "Why.", signature=signature), method="POST", now=NOW - ago)
        Totals(meter, journal).flush()
        journal.close()

    return refuse


def run(*arguments):
    from click.testing import CliRunner

    from webhooks.cli.main import main

    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_status_shows_refusals_lost_ones_first_with_the_last_time(refused) -> None:
    refused("stripe", "body_too_large", Signature.NOT_CHECKED, times=3, ago=timedelta(hours=2))
    refused("stripe", "wrong_secret", Signature.WRONG, times=12)
    refused("stripe", "wrong_url", Signature.RIGHT, times=2, ago=timedelta(days=2))
    lines = [line for line in run("status").output.splitlines() if "refused" in line]
    assert [line.split(":", 1)[1].split(",")[:2] for line in lines] == [
        [" 3 refused", " body_too_large"], [" 2 refused", " wrong_url"], [" 12 refused", " wrong_secret"],
    ]  # fmt: skip
    assert "0 with a valid signature, 3 unchecked" in lines[0]
    assert f"the last at {NOW:%Y-%m-%d %H:%M} UTC" in lines[2]


def test_status_json_has_every_refusal_reason_latest_first(refused) -> None:
    refused("stripe", "wrong_url", Signature.RIGHT, times=2, ago=timedelta(days=2))
    refused("unknown", "unknown_source", "", times=4)
    refusals = json.loads(run("status", "--json").output)["refusals"]
    assert [(row["source"], row["reason"], row["count"]) for row in refusals] == [
        ("unknown", "unknown_source", 4), ("stripe", "wrong_url", 2),
    ]  # fmt: skip
    assert refusals[1]["signed"] == 2
    assert refusals[1]["last_at"] == refusals[1]["last_lost_at"]
    assert datetime.fromisoformat(refusals[1]["last_at"]) - (NOW - timedelta(days=2)) < timedelta(seconds=1)
    assert refusals[0]["last_lost_at"] is None


def test_totals_of_several_processes_and_starts_are_added(refused) -> None:
    for _ in range(3):
        refused("stripe", "bad_encoding", Signature.RIGHT, times=5)
    (row,) = json.loads(run("status", "--json").output)["refusals"]
    assert (row["count"], row["signed"]) == (15, 15)


def test_alerts_show_lost_deliveries_of_the_last_day_and_no_others(refused) -> None:
    refused("stripe", "wrong_secret", Signature.WRONG, times=99)
    refused("stripe", "unsupported_encoding", Signature.RIGHT, ago=timedelta(days=3))
    refused("elsewhere", "unsupported_encoding", Signature.RIGHT)
    assert "refused:" not in run("alerts", "--json").output
    refused("stripe", "method_not_allowed", Signature.RIGHT)
    (alert,) = [
        alert for alert in json.loads(run("alerts", "--json").output)["alerts"] if alert["key"] == "refused:stripe"
    ]
    assert alert["severity"] == "critical"
    assert "method_not_allowed 1" in alert["text"]
    assert "unsupported_encoding" not in alert["text"]


@pytest.mark.parametrize("error", ["refused", "clock"])
def test_refusal_without_signature_is_a_warning(refused, error) -> None:
    refused("stripe", error, Signature.RIGHT)
    (alert,) = json.loads(run("alerts", "--json").output)["alerts"]
    assert alert["severity"] == "warning"


def test_status_shows_ten_refusal_reasons_and_counts_the_others(refused) -> None:
    for number in range(14):
        refused(f"shop{number}", "signature_missing", Signature.MISSING)
    output = run("status").output
    assert output.count("signature_missing") == 10
    assert "and 4 more reasons" in output
