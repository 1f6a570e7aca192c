"""What a process does now and then beside its work, in a thread of its own that delays nothing."""

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
    """`jobs` by how many seconds lie between two runs of each. `last`, where given, is done once more at the end."""

    def __init__(self, jobs: Mapping[Callable[[], object], float], *, last: Callable[[], object] | None = None) -> None:
        self._jobs = jobs
        self._last = last
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go, name="rounds", daemon=True)

    def start(self) -> Self:
        """Begin; each job is done for the first time after its own pause."""
        self._thread.start()
        return self

    def stop(self, patience: float = 5.0) -> None:
        """End, waiting no longer than `patience` seconds for a job under way."""
        self._end.set()
        self._thread.join(patience)
        if self._last is not None and not self._thread.is_alive():
            _do(self._last)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _go(self) -> None:
        due = {job: time.monotonic() + every for job, every in self._jobs.items()}
        while due and not self._end.wait(max(0.0, min(due.values()) - time.monotonic())):
            for job, every in self._jobs.items():
                if due[job] <= time.monotonic():
                    _do(job)
                    due[job] = time.monotonic() + every


def _do(job: Callable[[], object]) -> None:
    try:
        job()
    except JournalUnavailable as error:
        log.warning("not done: the journal is away", extra={"reason": error.message})
    except Exception:
        log.exception("a job failed")
