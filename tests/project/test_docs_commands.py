"""Commands, options and files that the documentation names are there."""

import re
from pathlib import Path

import click
import pytest

from webhooks.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
SEGUE = re.compile(r"(?:`|^\s*\$? ?|&& |/bin/)segue ([a-z][a-z-]+)((?: [^`|#&;\n]*)?)", re.MULTILINE)
DEV = re.compile(r"(?:python3? )dev\.py ([a-z]+)")
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(page):
    return [(name, rest) for name, rest in SEGUE.findall(page.read_text())]


def options(name):
    """Every option of a command and of its subcommands."""
    context = click.Context(main)
    names, waiting = {"--help", "-h"}, [main.get_command(context, name)]
    for command in waiting:
        assert command is not None
        names |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        if isinstance(command, click.Group):
            waiting += [command.get_command(context, option) for option in command.list_commands(context)]
    return names


@EVERY_PAGE
def test_commands_named_on_a_page_exist(page) -> None:
    assert sorted({name for name, _ in commands(page)} - set(COMMANDS)) == []


@EVERY_PAGE
def test_options_named_with_a_command_exist(page) -> None:
    for name, rest in commands(page):
        named = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", rest))
        assert sorted(named - options(name)) == [], f"segue {name}"


@EVERY_PAGE
def test_dev_commands_named_on_a_page_exist(page) -> None:
    listed = set(re.findall(r"^    python3 dev\.py ([a-z]+)", (ROOT / "dev.py").read_text(), re.MULTILINE))
    assert {"test", "lint", "docs"} <= listed
    assert sorted(set(DEV.findall(page.read_text())) - listed) == []


@EVERY_PAGE
def test_files_of_the_project_named_on_a_page_exist(page) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`((?:tests|webhooks|translators|deploy|bench|docs|tools)/[\w/.-]+\.\w+)`", text))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"segue {name}" not in text] == []


def test_the_pages_are_read_for_commands_and_options() -> None:
    page_commands = [command for page in PAGES for command in commands(page)]
    assert len(page_commands) > 150
    assert len([rest for _, rest in page_commands if "--" in rest]) > 30
