"""Logs on stdout: JSON, one object a line, or readable text on a terminal.

Both escape every value, so a forged value can never begin a new line.

Fields come from `extra={...}`. Bodies, secrets and write keys are never passed to a logger.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

events: Final = logging.getLogger("webhooks.events")
"""One record for each step of an event, with its source, type and key."""
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
"""Characters that a terminal or viewer interprets instead of showing: controls except tab and newline, other line ends,
bidirectional and zero-width marks, tags; and lone surrogates, which no output can encode."""
_QUOTED: Final = re.compile(r"(Invalid request from [^ ]+ [^:]+):.*", re.DOTALL)
_TOKEN: Final = re.compile(r"(/webhooks/\w+)[/?][^\s'\"]*")


def visible(text: str) -> str:
    """Return text with each invisible character as its JSON escape, so that a terminal shows what is there."""
    return text if text.isprintable() else _INVISIBLE.sub(lambda match: _escape(match[0]), text)


def printable(text: str) -> str:
    """Return text on one line, without what would move a terminal's cursor: senders choose keys and types."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record's message and its `extra` fields."""
    message = record.getMessage()
    if record.name.startswith("gunicorn"):  # gunicorn quotes request lines and headers, which may hold a token
        message = _TOKEN.sub(r"\1/***", _QUOTED.sub(r"\1", message))
    return {"message": message} | {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


class JsonFormatter(logging.Formatter):
    """Format a record as `{"at": …, "level": …, "logger": …, "message": …, …fields}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as one line."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **fields(record),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        try:
            line = _encode(entry).decode()
        except UnicodeEncodeError:  # half a surrogate pair
            line = json.dumps(entry, default=str)
        return visible(line)


class TextFormatter(logging.Formatter):
    """Format a record as one readable line: `12:00:01  delivered     stripe  invoice.paid  evt_1PqX  2 messages`.

    `source`, `type`, `key` and `detail` are written without their names; other fields as `name=value`.
    """

    COLOURS: Final = {"WARNING": "33", "ERROR": "31", "CRITICAL": "31"}
    """ANSI colours by level: yellow, red, red."""
    PLAIN: Final = ("message", "source", "type", "key", "detail")

    def __init__(self, *, colour: bool = False) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as one line; a traceback follows, indented."""
        shown = {name: str(value) for name, value in fields(record).items() if value not in {"", None}}
        shown["message"] = shown["message"].ljust(11)
        parts = [shown.pop(name) for name in self.PLAIN if name in shown]
        line = _one_line("  ".join([*parts, *(f"{name}={value}" for name, value in shown.items())]).rstrip())
        if record.levelno != logging.INFO:
            line = f"{record.levelname.lower()}: {line}"
        if self._colour and record.levelname in self.COLOURS:
            line = f"\x1b[{self.COLOURS[record.levelname]}m{line}\x1b[0m"
        text = f"{datetime.fromtimestamp(record.created):%H:%M:%S}  {line}"  # noqa: DTZ006 - local time, for a person
        if record.exc_info:
            text += "".join(f"\n    {visible(part)}" for part in self.formatException(record.exc_info).splitlines())
        return text


def _one_line(text: str) -> str:
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def formatter(style: str = "auto", stream: TextIO | None = None) -> logging.Formatter:
    """Return the formatter of a style: `json`, `text`, or `auto` (text on a terminal, JSON elsewhere)."""
    is_terminal = (stream or sys.stdout).isatty()
    if style == "text" or (style == "auto" and is_terminal):
        return TextFormatter(colour=is_terminal)
    return JsonFormatter()


def configure(level: str = "info", *, style: str = "auto", stream: TextIO | None = None) -> None:
    """Send every logger of this process to `stream` (stdout), in the style of `formatter`.

    In text, each event has log lines (received, delivered, ignored and why); in JSON, only at level `debug`.
    """
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(formatter(style, stream))
    event_levels = ("debug", "info") if isinstance(handler.formatter, TextFormatter) else ("debug",)
    events.setLevel(logging.INFO if level in event_levels else logging.WARNING)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


@contextmanager
def progress(name: str, stream: TextIO | None = None) -> Iterator[None]:
    """Show one logger's lines on stderr while a command runs that does not log."""
    logger, handler = logging.getLogger(name), logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(TextFormatter())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
