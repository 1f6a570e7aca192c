"""A mistyped source name: every command that takes one names the nearest."""

import json
from pathlib import Path

import pytest

from support.commands import CommandRunner, Shop

COMMANDS = [
    ["sources", "{}"], ["catalog", "{}"], ["translate", "{}", "event.json"], ["register", "{}", "--dry-run"],
    ["send", "{}", "event.json", "--to", "http://127.0.0.1:9", "--secret", "s"],
    ["events", "--source", "{}"], ["dead", "--source", "{}"], ["tail", "--no-follow", "--source", "{}"],
    ["replay", "--source", "{}", "--dry-run"], ["drop", "--source", "{}", "--reason", "r"], ["export", "-", "--source", "{}"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("typed", "nearest"),
    [("stirpe", "stripe"), ("Stripe", "stripe"), ("standard-webhooks", "standard_webhooks"), ("acmee", "acme")],
)
def test_mistyped_source_suggests_the_closest(run: CommandRunner, tmp_path: Path, command, typed, nearest) -> None:
    (tmp_path / "event.json").write_text(json.dumps({"id": "e"}))
    run("migrate")
    result = run(*(part.format(typed) for part in command))
    assert result.exit_code == 1
    assert f"is called '{typed}'" in result.stderr
    assert f"Did you mean {nearest}?" in result.stderr


def test_event_id_with_mistyped_source_suggests_the_closest(run: CommandRunner) -> None:
    result = run("show", "stirpe/evt_1")
    assert result.exit_code == 1
    assert "Did you mean stripe/evt_1?" in result.stderr
    assert "Did you mean" not in run("show", "order/evt_1").stderr


def test_name_without_a_close_match_lists_all(run: CommandRunner) -> None:
    result = run("events", "--source", "xqzw")
    assert result.exit_code == 1
    assert "Choose from: acme, adyen, " in result.stderr


def test_a_stored_source_that_is_no_longer_configured_can_be_chosen(
    run: CommandRunner, filled: Shop, tmp_path: Path
) -> None:
    (tmp_path / "segue.toml").write_text("")
    assert run("events", "--source", "acme", ACME_WEBHOOK_SECRET="").exit_code == 0
    assert run("events", "--source", "ac*").exit_code == 0


def test_a_known_source_without_events_is_an_empty_list(run: CommandRunner) -> None:
    assert run("events", "--source", "stripe").exit_code == 0
