"""The events that a worker's threads wait for."""

from __future__ import annotations

import threading
from typing import Final


class WorkerSignals:
    """Safe to share between threads.

    `stop` is set once, when the worker is to end. `needs_capacity` is true while the poller claims nothing because no
    write key can send; the end of a batch then wakes it.
    """

    def __init__(self) -> None:
        self.stop: Final = threading.Event()
        self.needs_capacity = False
        self._wake = threading.Event()

    def wake(self) -> None:
        """Poll the journal now: an event was appended, or the worker is to end."""
        self._wake.set()

    def batch_finished(self) -> None:
        """Wake the poller if it waits for capacity."""
        if self.needs_capacity:
            self._wake.set()

    def clear(self) -> None:
        """Forget earlier calls of `wake`: the poller is about to look at everything."""
        self._wake.clear()

    def wait(self, seconds: float) -> None:
        """Wait until the next `wake`, or for some seconds. Return at once if it was called since `clear`."""
        self._wake.wait(seconds)
