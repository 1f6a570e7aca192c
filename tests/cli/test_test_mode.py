"""Events of a provider's test mode at a live endpoint: check says at once why nothing is delivered, for every source."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.commands import CommandRunner
from translators.kit import Delivery
from webhooks.journal import Settlement, State, left_out_by, open_journal
from webhooks.settings.lookalikes import live_only
from webhooks.sources import plugins
from webhooks.sources.runtime import SourceRuntime

GOLDEN = Path(__file__).parents[1] / "golden"
SOURCES = plugins.load().sources
SWITCHED = {name: option for name, source in SOURCES.items() if (option := live_only({}, source))}


def test_the_sources_with_a_live_switch_are_found() -> None:
    assert {"stripe", "adyen", "shopify", "revenuecat"} <= set(SWITCHED)


@pytest.mark.parametrize("name", SWITCHED)
def test_every_source_with_a_live_switch_names_the_setting_when_it_leaves_an_event_out(name) -> None:
    reasons = [
        event.get("reason", "")
        for path in (GOLDEN / name).glob("*.messages.json")
        for event in json.loads(path.read_text()).get("events", ())
        if event.get("outcome") == "ignored"
    ]
    named = {left_out_by(State.IGNORED, reason) for reason in reasons} - {""}
    assert named == {f"SEGUE_{name.upper()}_{SWITCHED[name].upper()}=both"}


def test_only_ignored_events_are_left_out_by_a_setting() -> None:
    assert left_out_by(State.DEAD, "set SEGUE_STRIPE_LIVEMODE=both") == ""
    assert left_out_by(State.IGNORED, "a setup-mode session is no order") == ""


def ignore(run, reason, *, ago=timedelta()):
    """A stored Stripe event that the worker has ignored."""
    now = datetime.now(UTC) - ago
    body = b'{"id": "evt_%d", "object": "event", "type": "customer.created", "created": 1767225600, "data": {"object": {}}}'
    journal = open_journal(run.database)
    try:
        delivery = Delivery(source="stripe", body=body % int(ago.total_seconds()), received_at=now)
        journal.append(SourceRuntime(SOURCES["stripe"]).events(delivery), now=now)
        claims = journal.claim(10, worker="w", now=now, lease=timedelta(minutes=1))
        journal.settle([Settlement(claim=claim, state=State.IGNORED, reason=reason) for claim in claims], now=now)
    finally:
        journal.close()


def test_check_says_that_a_live_endpoint_delivers_live_events_only(run: CommandRunner) -> None:
    environ = {"STRIPE_WEBHOOK_SECRET": "whsec_0123456789"}
    output = run("check", **environ).output
    assert "ok    /webhooks/stripe delivers live events only" in output
    assert "SEGUE_STRIPE_LIVEMODE=both" in output
    assert "live events only" not in run("check", **environ, SEGUE_STRIPE_LIVEMODE="both").output


def test_check_warns_of_test_events_that_were_received_and_left_out(run: CommandRunner) -> None:
    environ = {"STRIPE_WEBHOOK_SECRET": "whsec_0123456789"}
    left_out = "warn  /webhooks/stripe has received events of Stripe's test mode since yesterday"
    ignore(run, "a setup-mode session is no order")
    assert left_out not in run("check", **environ).output
    ignore(run, "a test-mode event; set SEGUE_STRIPE_LIVEMODE=both to deliver it too", ago=timedelta(days=3))
    assert left_out not in run("check", **environ).output
    ignore(run, "a test-mode event; set SEGUE_STRIPE_LIVEMODE=both to deliver it too", ago=timedelta(hours=1))
    output = run("check", **environ).output
    assert left_out in output
    assert "(1 of the last 2 ignored events)" in output
    assert "SEGUE_STRIPE_LIVEMODE=both, then `segue replay --source stripe --state ignored --since 1d`" in output
    assert left_out not in run("check", **environ, SEGUE_STRIPE_LIVEMODE="both").output
