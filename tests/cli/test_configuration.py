"""The runtime of a command: settings and plugins are loaded once, however many parts ask for them."""

import pytest

import webhooks.runtime
from support.commands import CommandRunner
from webhooks.settings import load_with_origins


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch):
    counted = []
    load = load_with_origins

    def count(**arguments):
        counted.append(sorted(arguments))
        return load(**arguments)

    monkeypatch.setattr(webhooks.runtime, "load_with_origins", count)
    return counted


@pytest.mark.parametrize(
    "command", [["check", "--no-journal"], ["doctor", "--timeout", "1"], ["events", "--source", "stripe"], ["settings"]]
)
def test_a_command_loads_the_settings_once(run: CommandRunner, loads, command) -> None:
    done = run(*command)
    assert "Traceback" not in done.output
    assert len(loads) == 1


def test_the_next_command_loads_them_again(run: CommandRunner, loads) -> None:
    run("check", "--no-journal")
    assert "PORT is 'none'" in run("check", "--no-journal", PORT="none").output
    assert len(loads) >= 2
