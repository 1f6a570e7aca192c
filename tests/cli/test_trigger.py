"""`segue trigger`: every shipped sample is a new event each time, and a running service accepts it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.commands import CommandRunner
from support.processes import free_port, get, output, segue, until
from webhooks.sources import plugins
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.samples import from_goldens, shipped, to_json, with_new_ids

ROOT = Path(__file__).parent.parent.parent
SOURCES = plugins.load().sources
NOW = datetime(2026, 11, 28, tzinfo=UTC)
SECRET = "whsec_of_tests_0123456789"


def test_shipped_samples_match_the_goldens() -> None:
    fresh = to_json({name: from_goldens(source, ROOT / "tests" / "golden" / name) for name, source in SOURCES.items()})
    assert (ROOT / "translators" / "samples.json").read_text() == fresh, (
        "run: segue catalog --goldens tests/golden --samples translators/samples.json"
    )


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_ships_a_sample_of_each_type_without_a_pattern(name) -> None:
    source = SOURCES[name]
    without = {type_ for type_ in source.declared.handlers if "*" not in type_} - shipped(source).keys()
    assert not {type_ for type_ in without if not _needs_options(name, type_)}


def _needs_options(name, type_):
    """Whether each golden of the type is read under options of its own."""
    from webhooks.translation.goldens import find_goldens, outcomes

    goldens = [
        golden
        for golden in find_goldens(ROOT / "tests" / "golden" / name)
        for event, _ in outcomes(SOURCES[name], golden.delivery(SOURCES[name]))
        if event.type == type_
    ]
    return all(golden.request.keys() - {"headers", "query"} or golden.path.suffix == ".txt" for golden in goldens)


@pytest.mark.parametrize("name", SOURCES)
def test_triggered_sample_is_a_new_event_each_time(name) -> None:
    source = SOURCES[name]
    for type_, sample in shipped(source).items():
        first, second = (heads(with_new_ids(sample, source, now=NOW), source) for _ in range(2))
        assert type_ in {type_ for _, type_ in first}
        assert not {key for key, _ in first} & {key for key, _ in second}, (type_, first)


def heads(sample, source):
    events = SourceRuntime(source).events(sample.delivery(source, received_at=NOW))
    assert not any(event.problem for event in events)
    return [(event.id, event.type) for event in events]


def test_a_running_service_accepts_a_triggered_event_and_knows_its_repeat(
    tmp_path: Path, run: CommandRunner, receiver
) -> None:
    environ, got = receiver
    port = free_port()
    secret = {"STRIPE_WEBHOOK_SECRET": SECRET, "SHOPIFY_WEBHOOK_SECRET": SECRET}
    with segue(tmp_path, "serve", PORT=str(port), **secret, **environ):
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        for words in (("stripe", "invoice.paid"), ("shopify", "orders/paid"), ("stripe", "invoice.paid")):
            result = run("trigger", *words, "--json", PORT=str(port), **secret)
            assert result.exit_code == 0, result.output
            assert json.loads(result.output)["answer"]["status"] == "accepted"
        statuses = [
            json.loads(run("trigger", "stripe", "invoice.paid", "--same", "--json", PORT=str(port), **secret).output)
            for _ in range(2)
        ]
        assert [status["answer"]["status"] for status in statuses] == ["accepted", "duplicate"]
        expected = ["Invoice Paid", "Invoice Paid", "Invoice Paid", "Order Completed"]
        until(lambda: sorted(message["event"] for message in got()) == expected, lambda: str(got()))


def test_without_a_type_the_types_are_listed(run: CommandRunner) -> None:
    assert "invoice.paid" in run("trigger", "stripe").output.splitlines()
    assert "invoice.paid" in json.loads(run("trigger", "stripe", "--json").output)


def test_an_unknown_type_names_the_nearest(run: CommandRunner) -> None:
    result = run("trigger", "stripe", "invoice.payed", STRIPE_WEBHOOK_SECRET=SECRET)
    assert result.exit_code == 1
    assert "Did you mean invoice.paid" in result.output


def test_a_source_without_samples_says_what_to_do(run: CommandRunner) -> None:
    result = run("trigger", "acme", "order.paid")
    assert result.exit_code == 1
    assert "has no samples" in result.output
    assert "segue send acme FILE" in result.output


def test_trigger_without_a_server_is_a_failure(run: CommandRunner) -> None:
    result = run("trigger", "stripe", "invoice.paid", "--to", f"127.0.0.1:{free_port()}", STRIPE_WEBHOOK_SECRET=SECRET)
    assert result.exit_code == 1
    assert "did not answer" in result.output
