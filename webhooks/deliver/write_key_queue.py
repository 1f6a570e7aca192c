"""The queue of one write key: its client, and a few threads that send batches. A slow key delays no other key."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from webhooks.deliver.in_flight import InFlightMessage
from webhooks.segment import Client

log: Final = logging.getLogger("webhooks.deliver")
Batch = list[InFlightMessage]


class WriteKeyQueue:
    """Send up to `width` batches at once; as many again may wait. The threads end with the process or with `close`."""

    def __init__(
        self, client: Client, width: int, send: Callable[[Client, Batch], None], after_batch: Callable[[], None]
    ) -> None:
        self.client = client
        self._width = width
        self._send = send
        self._after_batch = after_batch
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._busy = 0

    @property
    def busy(self) -> int:
        """Return the number of batches that are being sent or wait."""
        return self._busy

    @property
    def has_capacity(self) -> bool:
        """Return whether more batches may be added."""
        return self._busy < 2 * self._width

    def put(self, batch: Batch) -> None:
        """Queue a batch; it is sent as soon as a thread is free."""
        with self._lock:
            self._busy += 1
            if len(self._threads) < min(self._width, self._busy):
                thread = threading.Thread(target=self._work, name=f"segment-{self.client.fingerprint}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._queue.put(batch)

    def close(self) -> None:
        """End the threads when the queue is empty."""
        for _ in self._threads:
            self._queue.put(None)

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                self._send(self.client, batch)
            except Exception:
                log.exception("a batch was not settled", extra={"write_key": self.client.fingerprint})
            with self._lock:
                self._busy -= 1
            self._after_batch()
