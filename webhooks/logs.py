"""JSON logs, one object a line on stdout, so that a forged value can never begin a line of its own.

Fields come from `extra={...}`. Bodies, secrets and write keys are never given to a logger.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
"""Characters that a terminal or a viewer acts on instead of showing: controls except tab and newline, other line ends,
bidirectional and zero-width marks, tags; and lone surrogates, which no output can encode."""
_QUOTED: Final = re.compile(r"(Invalid request from [^ ]+ [^:]+):.*", re.DOTALL)
_TOKEN: Final = re.compile(r"(/webhooks/\w+)[/?][^\s'\"]*")


def visible(text: str) -> str:
    """Return text with each invisible character as its JSON escape, so that a terminal shows what is there."""
    return text if text.isprintable() else _INVISIBLE.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


class JsonFormatter(logging.Formatter):
    """`{"at": …, "level": …, "logger": …, "message": …, …fields}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update((name, value) for name, value in record.__dict__.items() if name not in _STANDARD)
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        if record.name.startswith("gunicorn"):  # it quotes request lines and headers, which may hold a token
            entry["message"] = _TOKEN.sub(r"\1/***", _QUOTED.sub(r"\1", entry["message"]))
        try:
            line = _encode(entry).decode()
        except UnicodeEncodeError:  # half a surrogate pair
            line = json.dumps(entry, default=str)
        return visible(line)


def configure(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send every logger of this process to `stream` (stdout) as JSON."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
