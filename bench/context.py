"""What all measurements share: the options, a scratch folder, signed requests, PostgreSQL, and what is missing."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

import psutil

from bench import database, install
from bench.options import Options
from bench.payloads import write_requests
from bench.processes import running

REQUESTS_A_SECOND = 15_000
FRESH = 120.0
"""Seconds that requests are used: Stripe's signatures are valid for 300."""


class Context:
    """`missing` maps what is not installed to a hint. Everything that was started ends with `stack`."""

    def __init__(self, options: Options, folder: Path, stack: ExitStack, missing: Mapping[str, str]) -> None:
        self.options = options
        self.folder = folder
        self.missing = missing
        self._stack = stack
        self._requests: dict[str, tuple[float, Path]] = {}
        self._numbers = iter(range(10**9))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give an empty folder that is deleted at the end."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)

    def requests(self, count: int, purpose: str = "load") -> Path:
        """Return a file of so many signed requests, made again before their signatures are too old."""
        name = f"{purpose}-{count}"
        made, path = self._requests.get(name, (0.0, self.folder / name))
        if time.monotonic() - made > FRESH or not made:
            write_requests(path, f"r{next(self._numbers)}", count)
            self._requests[name] = (time.monotonic(), path)
        return path

    def renew_requests(self) -> None:
        """Make every request again when it is needed: a journal that is kept would know them as duplicates."""
        self._requests.clear()

    @cached_property
    def postgres(self) -> tuple[str, psutil.Process | None]:
        """Return the URL of PostgreSQL and its first process, if it is one of this machine that was started here."""
        url, pid = self._stack.enter_context(database.server(self.options.postgres))
        return url, psutil.Process(pid) if pid else None

    @cached_property
    def slow_fsync(self) -> Path:
        """Return the library that delays each fsync."""
        return install.slow_fsync(self.folder)

    def reason_without(self, needs: tuple[str, ...]) -> str:
        """Return why a row with these needs is left out, or an empty text."""
        if "postgresql" in needs and not self.options.postgres:
            return "without PostgreSQL"
        return "; ".join(f"{name} is missing: {self.missing[name]}" for name in needs if name in self.missing)

    @contextmanager
    def receiver(self, latency: float = 0.0) -> Iterator[str]:
        """Run a local Segment (`webhooks.segment.fake`) in a process of its own; give its URL."""
        words = [sys.executable, "-m", "webhooks.segment.fake", "--port", "0", "--keep", "0"]
        with self.scratch() as folder, running([*words, "--latency", str(latency)], folder=folder) as tree:
            yield tree.wait_for_line().split()[-1]
