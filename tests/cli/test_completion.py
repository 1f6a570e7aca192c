"""Completion in bash, zsh and fish: commands, sources, endpoints, event types, states."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from support.commands import CommandRunner
from support.plugin_files import text
from webhooks.cli.main import COMMANDS, main
from webhooks.settings.schema import TABLES

BIN = Path(sys.executable).parent
TYPES = set(json.loads((Path(__file__).parents[2] / "translators" / "samples.json").read_text())["stripe"])


@pytest.fixture
def complete(run: CommandRunner, monkeypatch: pytest.MonkeyPatch):
    """What click completes at the end of a line of arguments."""
    for name, value in run.environ.items():
        monkeypatch.setenv(name, value)
    return lambda *line: {
        item.value
        for item in ShellComplete(main, {}, "segue", "_SEGUE_COMPLETE").get_completions(list(line[:-1]), line[-1])
    }


def test_commands(complete) -> None:
    assert complete("") == set(COMMANDS)
    assert complete("re") == {"replay", "reencrypt", "register"}


@pytest.mark.parametrize("command", ["trigger", "translate", "send", "register", "sources", "catalog"])
def test_sources_of_the_installation_and_of_segue_toml(complete, command) -> None:
    assert complete(command, "str") == {"stripe"}
    assert "acme" in complete(command, "a")


def test_endpoints_of_segue_toml(complete, tmp_path: Path) -> None:
    with (tmp_path / "segue.toml").open("a") as file:
        file.write('\n[endpoints.stripe_test]\nsource = "stripe"\n')
    assert complete("trigger", "stripe") == {"stripe", "stripe_test"}
    assert complete("events", "--source", "stripe_") == {"stripe_test"}
    assert "customer.created" in complete("trigger", "stripe_test", "customer.")
    assert complete("sources", "stripe") == {"stripe"}


def test_sources_and_types_of_files_that_are_not_installed(
    complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "filed.py").write_text(text())
    assert complete("translate", "--plugin", "filed.py", "fil") == {"filed"}
    assert complete("events", "--plugin", "filed.py", "--source", "filed", "--type", "") == {"file.read"}
    assert complete("translate", "fil") == set()
    monkeypatch.setenv("SEGUE_PLUGINS", "filed.py")
    assert complete("sources", "fil") == {"filed"}
    (tmp_path / "filed.py").write_text("1 / 0")
    assert complete("sources", "") == set()


def test_event_types_that_trigger_has(complete) -> None:
    assert complete("trigger", "stripe", "") == TYPES
    assert complete("trigger", "stripe", "invoice.") == {type_ for type_ in TYPES if type_.startswith("invoice.")}


def test_event_types_of_the_source_that_an_option_gives(complete) -> None:
    assert "customer.created" in complete("events", "--source", "stripe", "--type", "customer.")
    assert complete("events", "--type", "") == {"order.paid", "test.*"}, "of the open endpoints without --source"


def test_states(complete) -> None:
    assert complete("events", "--state", "d") == {"delivered", "dead", "dropped"}
    assert "dead" in complete("prune", "--state", "")


def test_settings(complete) -> None:
    assert {f"web.{key}" for key in TABLES["web"].fields} <= complete("settings", "web.")
    assert "web.port" not in complete("settings", "web.port", "web.p")


def test_settings_of_the_endpoints_in_segue_toml(complete, tmp_path: Path) -> None:
    with (tmp_path / "segue.toml").open("a") as file:
        file.write('\n[endpoints.stripe_test]\nsource = "stripe"\n')
    assert complete("settings", "endpoints.stripe_test.s") == {
        f"endpoints.stripe_test.{key}" for key in ("source", "secrets", "secret_env", "scheme")
    }


@pytest.mark.parametrize("line", [("trigger", "nothing_of_this_name", ""), ("events", "--type", "x")])
def test_invalid_command_line_completes_nothing(complete, line) -> None:
    assert complete(*line) == set()


def test_unknown_command_completes_without_traceback(complete) -> None:
    assert complete("no-such-command", "stat") == {"status"}


def test_broken_configuration_still_completes_sources(
    complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "segue.toml").write_text("not toml [")
    monkeypatch.setenv("SEGMENT_REGION", "uk")
    assert complete("trigger", "str") == {"stripe"}
    assert "customer.created" in complete("trigger", "stripe", "customer.c")


def shell(name, script, environ):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    environ = {**environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.run(
        [path, "-c", script], env=environ, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_bash_completes_a_source_and_a_type(run: CommandRunner, tmp_path: Path) -> None:
    script = """
        eval "$(_SEGUE_COMPLETE=bash_source segue)"
        answer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _segue_completion segue "${!#}" ""; echo "${COMPREPLY[@]}"; }
        answer segue trigger str
        answer segue trigger stripe customer.subscription.c
        answer segue events --state dea
    """
    lines = shell("bash", script, run.environ).splitlines()
    expected = " ".join(sorted(type_ for type_ in TYPES if type_.startswith("customer.subscription.c")))
    assert lines == ["stripe", expected, "dead"]


def test_fish_completes_a_source(run: CommandRunner) -> None:
    script = '_SEGUE_COMPLETE=fish_source segue | source; complete -C "segue trigger str"'
    assert shell("fish", script, run.environ).split() == ["stripe"]


def test_zsh_reads_its_script_and_gets_the_source(run: CommandRunner) -> None:
    assert "compdef _segue_completion segue" in shell("zsh", "_SEGUE_COMPLETE=zsh_source segue", run.environ)
    shell(
        "zsh",
        'autoload -Uz compinit; compinit -u -d "$HOME/.dump"; eval "$(_SEGUE_COMPLETE=zsh_source segue)"; whence -w _segue_completion',
        run.environ,
    )
    script = 'COMP_WORDS="segue trigger str" COMP_CWORD=2 _SEGUE_COMPLETE=zsh_complete segue'
    assert "stripe" in shell("zsh", script, run.environ).splitlines()
