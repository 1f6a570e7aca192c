"""The log's two styles: JSON for machines, a readable line for a person at a terminal."""

import io
import json
import logging

import pytest

from webhooks import logs


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def restored():
    root, before, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    yield
    root.handlers[:], root.level = before, level
    logs.events.setLevel(logging.NOTSET)


def written(stream, style="auto", level="info", *, log="webhooks.events", at=logging.INFO, **extra):
    logs.configure(level, style=style, stream=stream)
    logging.getLogger(log).log(at, "delivered", extra=extra)
    return stream.getvalue()


EVENT = {"source": "stripe", "type": "invoice.paid", "key": "evt_1", "detail": ""}


def test_a_terminal_shows_one_readable_line_an_event() -> None:
    line = written(Terminal(), **EVENT)
    assert line[8:] == "  delivered    stripe  invoice.paid  evt_1\n"


def test_elsewhere_the_log_is_json_and_events_are_left_out() -> None:
    assert written(io.StringIO(), **EVENT) == ""
    entry = json.loads(written(io.StringIO(), log="webhooks.deliver", **EVENT))
    assert (entry["message"], entry["type"]) == ("delivered", "invoice.paid")


def test_debug_shows_events_in_json_too() -> None:
    assert json.loads(written(io.StringIO(), level="debug", **EVENT))["key"] == "evt_1"


def test_a_level_above_info_hides_events_on_a_terminal() -> None:
    assert written(Terminal(), level="warning", **EVENT) == ""


def test_the_style_can_be_chosen() -> None:
    assert json.loads(written(Terminal(), style="json", log="x"))["message"] == "delivered"
    assert written(io.StringIO(), style="text", **EVENT).endswith("evt_1\n")


def test_a_forged_value_cannot_begin_a_line_or_colour_it() -> None:
    line = written(Terminal(), **{**EVENT, "type": "x\n12:00:00  delivered\x1b[31m\u202e\ty"})
    assert line.count("\n") == 1
    assert line[:-1].isprintable()


def test_a_warning_names_its_level_in_colour_and_its_fields() -> None:
    line = written(Terminal(), log="webhooks.web.handler", at=logging.WARNING, reason="wrong secret", empty="")
    assert "\x1b[33mwarning: delivered    reason=wrong secret\x1b[0m\n" in line


def test_a_traceback_is_indented_below_its_line() -> None:
    stream = Terminal()
    logs.configure(style="text", stream=stream)
    try:
        int("x")
    except ValueError:
        logging.getLogger("x").exception("failed")
    first, *rest = stream.getvalue().splitlines()
    assert "error: failed" in first
    assert all(line.startswith("    ") for line in rest)
    assert "ValueError" in rest[-1]
