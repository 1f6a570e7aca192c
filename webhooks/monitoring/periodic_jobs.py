"""Run jobs at intervals in a separate thread, so that they do not delay the main work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from webhooks.errors import JournalUnavailable

log: Final = logging.getLogger("webhooks.monitoring.metrics")


class PeriodicJobs:
    """`jobs` maps each job to the seconds between two runs. `last`, if any, runs once at the end."""

    def __init__(self, jobs: Mapping[Callable[[], object], float], *, last: Callable[[], object] | None = None) -> None:
        self._jobs = jobs
        self._last = last
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="periodic-jobs", daemon=True)

    def start(self) -> Self:
        """Start. Each job runs for the first time after its own interval."""
        self._thread.start()
        return self

    def stop(self, timeout: float = 5.0) -> None:
        """Stop, and wait at most `timeout` seconds for a job in progress."""
        self._end.set()
        self._thread.join(timeout)
        if self._last is not None and not self._thread.is_alive():
            _run(self._last)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _loop(self) -> None:
        due = {job: time.monotonic() + interval for job, interval in self._jobs.items()}
        while due and not self._end.wait(max(0.0, min(due.values()) - time.monotonic())):
            for job, interval in self._jobs.items():
                if due[job] <= time.monotonic():
                    _run(job)
                    due[job] = time.monotonic() + interval


def _run(job: Callable[[], object]) -> None:
    try:
        job()
    except JournalUnavailable as error:
        log.warning("a job was not done: the journal is unavailable", extra={"reason": error.message})
    except Exception:
        log.exception("a job failed")
