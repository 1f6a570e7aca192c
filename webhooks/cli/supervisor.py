"""Keep child processes running until a signal: restart a crashed one, give up on one that cannot start, and stop all
of them in time.
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
"""Seconds after which a running child counts as started."""
TRIES: Final = 3
"""Failed starts of a child before the supervisor gives up."""
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
    """Run children and restart them. Call `log_event(message, fields)` for each change, and `on_tick` about twenty
    times a second. `failed` is the child that could not start, with its last exit code.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        grace: float,
        log_event: Callable[[str, Mapping[str, object]], None],
        on_tick: Callable[[], None] = lambda: None,
        backoff: float = 1.0,
    ) -> None:
        self._children = [_Child(name, command) for name, command in commands.items()]
        self._grace = grace
        self._log_event = log_event
        self._on_tick = on_tick
        self._backoff = backoff
        self._signals = 0
        self.failed: tuple[str, int] | None = None

    def has_started(self, name: str) -> None:
        """Mark the child as started: from now on it is restarted whenever it ends."""
        for child in self._children:
            child.has_started = child.has_started or child.name == name

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until a child cannot start. Return 0 if every child ended within the grace
        period after a signal, else 1.
        """
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not self._signals and self.failed is None:
                for child in self._children:
                    self._check(child)
                self._on_tick()
                time.sleep(TICK)
            return max(self._stop(), 1 if self.failed else 0)
        finally:
            for child in self._children:
                self._kill(child)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1  # must not block: a handler runs between any two steps

    def _check(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                child.process = start(child.command)
                child.started = now
                self._log_event("started", {"child": child.name, "pid": child.process.pid})
            return
        code = child.process.poll()
        if code is None:
            return
        self._kill(child)  # also kill the child's own children
        child.has_started = child.has_started or now - child.started >= STARTED
        child.crashes = 1 if now - child.started >= HEALTHY else child.crashes + 1
        pause = min(self._backoff * 2 ** (child.crashes - 1), LONGEST)
        child.process, child.due = None, now + pause
        if not child.has_started and child.crashes >= TRIES:
            self.failed = (child.name, code)
            self._log_event("cannot start", {"child": child.name, "code": code, "tries": child.crashes})
            return
        self._log_event("ended unexpectedly", {"child": child.name, "code": code, "restart_in": pause})

    def _stop(self) -> int:
        self._log_event("stopping", {"grace": self._grace})
        until = time.monotonic() + self._grace
        running = [child for child in self._children if child.process is not None]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        signals = self._signals
        while any(child.process and child.process.poll() is None for child in running):
            if time.monotonic() >= until or self._signals > signals:
                names = [child.name for child in running if child.process and child.process.poll() is None]
                self._log_event("killed: still running after the grace period", {"children": names})
                return 1
            time.sleep(TICK)
        self._log_event("stopped", {})
        return 0

    def _kill(self, child: _Child) -> None:
        if child.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
