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
_UNSEEN: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What JSON leaves as it is, and a terminal or a viewer acts on: C1 controls, other line ends, bidi overrides."""
_QUOTED: Final = re.compile(r"(Invalid request from [^ ]+ [^:]+):.*", re.DOTALL)
_TOKEN: Final = re.compile(r"(/webhooks/\w+)[/?][^\s'\"]*")


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
        return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def configure(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send every logger of this process to `stream` (stdout) as JSON."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
