"""The queue of one write key: its client, and a few threads that send batches. A slow key delays no other key."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from typing import Final

from webhooks.deliver.in_flight import Batch
from webhooks.deliver.sender import Sender
from webhooks.deliver.signals import WorkerSignals
from webhooks.journal.notes import KeyFailure
from webhooks.segment import Client, Clients

log: Final = logging.getLogger("webhooks.deliver")


class WriteKeyQueue:
    """Send up to `width` batches at once; as many again may wait. The threads end with the process or with `close`."""

    def __init__(self, client: Client, width: int, *, sender: Sender, signals: WorkerSignals) -> None:
        self.client = client
        self._width = width
        self._sender = sender
        self._signals = signals
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

    @property
    def can_send(self) -> bool:
        """Return whether more batches may be added, and their write key may send now."""
        return self.has_capacity and not self.client.breaker.wait()

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
                self._sender.send(self.client, batch)
            except Exception:
                log.exception("a batch was not settled", extra={"write_key": self.client.fingerprint})
            with self._lock:
                self._busy -= 1
            self._signals.batch_finished()


class WriteKeyQueues:
    """The queues of a worker, one for each write key. Only the poller's thread adds to them."""

    def __init__(self, clients: Clients, *, sender: Sender, signals: WorkerSignals) -> None:
        self._clients = clients
        self._sender = sender
        self._signals = signals
        self._queues: dict[str, WriteKeyQueue] = {}

    def of(self, write_key: str) -> WriteKeyQueue:
        """Return the queue of a write key, or of the default write key if it is empty."""
        client = self._clients.of(write_key)
        if client.fingerprint not in self._queues:
            width = self._clients.settings.in_flight
            self._queues[client.fingerprint] = WriteKeyQueue(client, width, sender=self._sender, signals=self._signals)
        return self._queues[client.fingerprint]

    @property
    def busy(self) -> int:
        """Return the number of batches of all write keys that are being sent or wait."""
        return sum(queue.busy for queue in self._queues.values())

    def close(self) -> None:
        """End the threads of every queue."""
        for queue_ in self._queues.values():
            queue_.close()
        self._queues.clear()

    def states(self) -> Mapping[str, str]:
        """Return the state of each write key by its fingerprint."""
        return {name: queue.client.breaker.state.value for name, queue in self._queues.items()}

    def failures(self) -> Mapping[str, KeyFailure]:
        """Return the write keys whose batches fail, by fingerprint."""
        failing = {name: queue.client.breaker.failing_for for name, queue in self._queues.items()}
        return {
            name: KeyFailure(seconds=round(seconds, 1), reason=self._queues[name].client.breaker.last_failure)
            for name, seconds in failing.items()
            if seconds
        }
