"""Terminal output: control characters are escaped, lines fit the width, and no pattern is slow."""

import ast
import importlib
import json
import pkgutil
import re
import sys
from pathlib import Path

import click
import pytest

import translators
import webhooks
from support.commands import CommandRunner
from support.processes import SECRET
from webhooks.cli import output
from webhooks.cli.output import cut, fitted, short
from webhooks.logs import visible
from webhooks.operations.reasons import MESSAGE_ID, reason_pattern
from webhooks.sources.runtime import SourceRuntime

ROOT = Path(webhooks.__file__).parent
HOSTILE = "x\x1b]0;pwn\x07\x1b[2J\u202e\u200f\x9b\U000e0041\n\ty"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def test_every_command_prints_through_one_function_that_escapes() -> None:
    for path in sorted((ROOT / "cli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            allowed = {"click.echo", "click.style"} if path.name == "output.py" else set()
            assert name not in {"print", "click.echo", "click.secho", "click.style"} - allowed, (path.name, node.lineno)


@pytest.fixture
def hostile(run: CommandRunner, tmp_path: Path):
    """A journal with an event whose id and type move a terminal's cursor."""
    event = {"id": f"evt_{HOSTILE}", "type": HOSTILE, "created": 1767229200, "data": {"object": {}}}
    file = tmp_path / "hostile.json"
    file.write_text(json.dumps(event | {"object": "event", "livemode": True}))
    shop = importlib.import_module("webhooks.journal").open_journal(run.database)
    source = importlib.import_module("translators.stripe").stripe
    from datetime import UTC, datetime

    from translators.kit import Delivery

    now = datetime(2026, 1, 1, tzinfo=UTC)
    delivery = Delivery(source="stripe", body=file.read_bytes(), received_at=now, options=source.defaults())
    shop.append(SourceRuntime(source).events(delivery), now=now)
    shop.close()
    return file


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",), ("events",), ("events", "--json"), ("show", "1"), ("show", "1", "--json"), ("dead",),
        ("tail", "--from", "start", "--no-follow"), ("tail", "--from", "start", "--no-follow", "--json", "--body"),
        ("replay", "--all", "--dry-run"), ("drop", "--all", "--dry-run"), ("export", "-"), ("audit",), ("alerts",),
        ("show", HOSTILE.replace("\x00", "")), ("translate", "stripe", "{file}"), ("translate", "stripe", "{file}", "--json"),
    ],
    ids=lambda arguments: "-".join(arguments)[:40].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_no_command_prints_control_or_bidi_characters_raw(run: CommandRunner, hostile, arguments) -> None:
    result = run(*(part.format(file=hostile) for part in arguments), STRIPE_WEBHOOK_SECRET=SECRET)
    raw = RAW.search(result.output)
    assert raw is None, f"{raw[0]!r} in {result.output!r}"


def test_json_output_holds_the_very_characters(run: CommandRunner, hostile) -> None:
    events = json.loads(run("events", "--json").stdout)["events"]
    assert events[0]["type"] == HOSTILE


def test_invisible_characters_become_json_escapes() -> None:
    assert json.loads(f'"{visible(HOSTILE)}"', strict=False) == HOSTILE


def test_plain_text_is_printed_without_a_colour_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    output.echo("plain")
    assert capsys.readouterr().out == "plain\n"


# columns


def test_widest_columns_are_cut_to_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    output.print_columns([["1", "k" * 100, "reason " * 30]], heading=["#", "key", "reason"])
    lines = click.unstyle(capsys.readouterr().out).splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert lines[1].startswith("1  kkkkkk")
    assert lines[1].count("…") == 2


@pytest.mark.parametrize(
    ("widths", "total", "expected"),
    [([3, 5], 80, [3, 5]), ([3, 50], 30, [3, 25]), ([40, 40], 42, [20, 20]), ([40, 40, 2], 45, [20, 19, 2])],
)
def test_widths_fit_the_terminal_exactly(widths, total, expected) -> None:
    assert fitted(widths, total) == expected


def test_without_a_terminal_long_cells_are_bounded_and_short_ones_whole(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_columns([["k" * 150, "x" * 900_000]])
    line = capsys.readouterr().out.rstrip("\n")
    assert line.startswith("k" * 150 + "  ")
    assert len(line) < 400


# patterns


def patterns():
    """Every compiled pattern that a module of the project holds: its name, itself, and the methods it is used by."""
    for package in (webhooks, translators):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if info.name.endswith(("__main__", "gunicorn_conf", "webhooks.testing")):
                continue
            module = importlib.import_module(info.name)
            assert module.__file__ is not None
            source = Path(module.__file__).read_text()
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    used = {"search", "match", "fullmatch"} & set(re.findall(rf"\b{name}\.(\w+)", source))
                    every = re.search(rf"\b{name}\.(sub|split|findall|finditer)\b", source) or not used
                    yield f"{info.name}.{name}", value, sorted(used | ({"search"} if every else set()))


PUMPS = (
    "a",
    "A",
    "0",
    " ",
    "-",
    ".",
    "a-",
    "a.",
    "<",
    "/",
    "{",
    "[1",
    "[",
    "%",
    "a=",
    "&",
    "\\",
    "é",
    "\n",
    "_",
    "a b",
)


@pytest.mark.timeout(120)  # milliseconds for each pattern; a quadratic one takes minutes, and its name is printed last
def test_no_pattern_is_quadratic() -> None:
    for name, pattern, methods in patterns():
        print(name, methods)
        for pump in PUMPS:
            text = pump * (100_000 // len(pump))
            for hostile in (text, f"{text}!", f"<{text}", f"[{text}"):
                searched = hostile.encode() if isinstance(pattern.pattern, bytes) else hostile
                for method in methods:
                    getattr(pattern, method)(searched)


@pytest.mark.timeout(20)
def test_a_type_of_900_kb_is_listed_at_once() -> None:
    reason = "Stripe event type '" + "t" * 900_000 + "' has no translation"
    assert len(short(reason)) == 60
    reason_pattern(reason)


def test_a_message_id_is_left_out_of_a_short_reason() -> None:
    reason = f"stripe-order-completed-{'0' * 40}: neither userId nor anonymousId"
    assert MESSAGE_ID.match(reason)
    assert short(reason) == "neither userId nor anonymousId"
    assert cut("abc", 3) == "abc"
