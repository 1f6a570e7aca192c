"""The worker: claim, translate, deliver, settle. An event is pending until it is settled, whatever happens.

    poller ── claims ──▶ dispatcher ── batches ──▶ queues ──▶ sender
       │                      │                                  │
       └──────── LeaseTracker: claim, settle, release ◀──────────┘

Data goes one way; `WorkerSignals` tells the poller when there is capacity again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from webhooks.deliver.context import DeliveryContext
from webhooks.deliver.dispatcher import Dispatcher
from webhooks.deliver.housekeeping import Housekeeping
from webhooks.deliver.leases import LeaseTracker
from webhooks.deliver.poller import Poller
from webhooks.deliver.sender import Sender
from webhooks.deliver.signals import WorkerSignals
from webhooks.deliver.write_key_queue import WriteKeyQueues
from webhooks.settings import RetentionSettings, WorkerSettings

log: Final = logging.getLogger("webhooks.deliver")


class Worker:
    """One worker; several may share a journal."""

    def __init__(
        self, context: DeliveryContext, settings: WorkerSettings, retention: RetentionSettings | None = None
    ) -> None:
        self.name: Final = context.worker
        self.signals: Final = WorkerSignals()
        self.leases: Final = LeaseTracker(context, lease=settings.lease)
        self.sender: Final = Sender(context, self.leases, stop=self.signals.stop)
        self.queues: Final = WriteKeyQueues(context.clients, sender=self.sender, signals=self.signals)
        self.dispatcher: Final = Dispatcher(context, self.leases, self.queues)
        self.housekeeping: Final = Housekeeping(
            context, retention or RetentionSettings(), leases=self.leases, queues=self.queues
        )
        self.poller: Final = Poller(
            context=context,
            settings=settings,
            signals=self.signals,
            leases=self.leases,
            queues=self.queues,
            dispatcher=self.dispatcher,
            housekeeping=self.housekeeping,
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the events by outcome since the worker started."""
        return dict(self.leases.counts)

    def run(self) -> None:
        """Deliver until `stop` is called. Then finish open batches within the grace period, and release the rest."""
        log.info("worker started", extra={"worker": self.name})
        self.poller.run()
        log.info("worker stopped", extra={"worker": self.name, **self.counts})

    def run_once(self) -> int:
        """Claim once, deliver and settle. Return the number of events claimed. Errors of the journal are raised."""
        return self.poller.run_once()

    def stop(self) -> None:
        """End `run`. Safe to call from another thread."""
        self.signals.stop.set()
        self.signals.wake()

    def wake(self) -> None:
        """Poll the journal now: an event was appended."""
        self.signals.wake()

    def close(self) -> None:
        """End the sending threads."""
        self.queues.close()
