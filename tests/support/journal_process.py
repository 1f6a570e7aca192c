"""A process with an open SQLite journal that performs the operations of a test, one call at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = """
import json, sys
from datetime import timedelta
from support.events import NOW, event
from webhooks.errors import JournalUnavailable
from webhooks.journal import Settlement, SqliteJournal, State
journal = None
def reply(command, key):
    global journal
    journal = journal or SqliteJournal(sys.argv[1])
    if command == "append":
        return journal.append([event(key)], now=NOW).new
    if command == "claim":
        claims = journal.claim(1000, worker="w", now=NOW, lease=timedelta(minutes=1))
        return len(journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=NOW))
    if command == "keys":
        return [row.event.id for row in journal.rows(limit=100_000)]
    if command == "close":
        return journal.close()
for line in sys.stdin:
    try:
        answer = {"ok": reply(*json.loads(line))}
    except JournalUnavailable as error:
        answer = {"unavailable": error.message}
    print(json.dumps(answer), flush=True)
"""


class JournalProcess:
    """Appends keys; `acked` are those that it reported as stored."""

    def __init__(self, path: Path) -> None:
        self.acked: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()

    def append(self, key: str) -> bool:
        """Return whether it was stored."""
        stored = "ok" in self.call("append", key)
        if stored:
            self.acked.append(key)
        return stored

    def keys(self) -> list[str]:
        """Return the keys of all rows."""
        keys: list[str] = self.call("keys")["ok"]
        return keys

    def call(self, command: str, key: str = "") -> dict[str, Any]:
        """Return `{"ok": result}` or `{"unavailable": message}`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, key]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
