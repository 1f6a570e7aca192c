"""Keeps child processes running until a signal: starts a crashed one again, gives up on one that cannot start, and ends
them all in time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final

from webhooks.cli.children import start

HEALTHY: Final = 60.0
"""Seconds after which a child's earlier crashes are forgotten."""
LONGEST: Final = 30.0
STARTED: Final = 20.0
"""Seconds after which a child that nobody reported as started has started."""
TRIES: Final = 3
"""Starts of a child that never got so far; then its fault is not a passing one."""
TICK: Final = 0.05


@dataclass(slots=True)
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    has_started: bool = False
    crashes: int = 0
    started: float = 0.0
    due: float = 0.0


class Supervisor:
    """`say(message, fields)` receives what happens. `tend` is called about twenty times a second. `failed` is the child
    that could not start, with its last exit code, after `run` has given up on it.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        grace: float,
        say: Callable[[str, Mapping[str, object]], None],
        tend: Callable[[], None] = lambda: None,
        backoff: float = 1.0,
    ) -> None:
        self._children = [_Child(name, command) for name, command in commands.items()]
        self._grace = grace
        self._say = say
        self._tend = tend
        self._backoff = backoff
        self._signals = 0
        self.failed: tuple[str, int] | None = None

    def has_started(self, name: str) -> None:
        """From now on the child is started again however often it ends."""
        for child in self._children:
            child.has_started = child.has_started or child.name == name

    def run(self) -> int:
        """Until SIGTERM or SIGINT, or until a child cannot start. 0 if every child ended by itself within the grace
        after a signal, else 1.
        """
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not self._signals and self.failed is None:
                for child in self._children:
                    self._look_after(child)
                self._tend()
                time.sleep(TICK)
            return max(self._stop(), 1 if self.failed else 0)
        finally:
            for child in self._children:
                self._kill(child)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1  # nothing that could block: a handler runs between any two steps

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                child.process = start(child.command)
                child.started = now
                self._say("started", {"child": child.name, "pid": child.process.pid})
            return
        code = child.process.poll()
        if code is None:
            return
        self._kill(child)  # what it may have left behind of its own children
        child.has_started = child.has_started or now - child.started >= STARTED
        child.crashes = 1 if now - child.started >= HEALTHY else child.crashes + 1
        pause = min(self._backoff * 2 ** (child.crashes - 1), LONGEST)
        child.process, child.due = None, now + pause
        if not child.has_started and child.crashes >= TRIES:
            self.failed = (child.name, code)
            self._say("cannot start", {"child": child.name, "code": code, "tries": child.crashes})
            return
        self._say("ended unexpectedly", {"child": child.name, "code": code, "restart_in": pause})

    def _stop(self) -> int:
        self._say("stopping", {"grace": self._grace})
        until = time.monotonic() + self._grace
        running = [child for child in self._children if child.process is not None]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        asked = self._signals
        while any(child.process and child.process.poll() is None for child in running):
            if time.monotonic() >= until or self._signals > asked:
                names = [child.name for child in running if child.process and child.process.poll() is None]
                self._say("killed: not done within the grace", {"children": names})
                return 1
            time.sleep(TICK)
        self._say("stopped", {})
        return 0

    def _kill(self, child: _Child) -> None:
        if child.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
