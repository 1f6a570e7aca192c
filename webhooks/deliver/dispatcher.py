"""Turn claims into settlements and batches. An event with nothing to send now is settled at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from webhooks.deliver.context import DeliveryContext
from webhooks.deliver.in_flight import InFlightEvent, InFlightMessage
from webhooks.deliver.leases import LeaseTracker
from webhooks.deliver.write_key_queue import WriteKeyQueue, WriteKeyQueues
from webhooks.journal import Claim, Settlement, State
from webhooks.segment import RefusedMessage, RetryReason, cut
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.prepare import prepare

log: Final = logging.getLogger("webhooks.deliver")
NO_ENDPOINT: Final = timedelta(minutes=5)
LOCKED: Final = timedelta(minutes=5)
CROWDED: Final = timedelta(seconds=1)


class Dispatcher:
    """Only the poller's thread uses it."""

    def __init__(self, context: DeliveryContext, leases: LeaseTracker, queues: WriteKeyQueues) -> None:
        self._context = context
        self._leases = leases
        self._queues = queues
        self._warned: set[str] = set()

    @property
    def can_send(self) -> bool:
        """Return whether at least one write key can send now."""
        keys = {endpoint.write_key for endpoint in self._context.endpoints.values()} or {""}
        return any(self._queues.of(key).can_send for key in keys)

    def dispatch(self, claims: Sequence[Claim]) -> None:
        """Settle the events that cannot or need not be sent, and put the messages of the others into the queues."""
        settled: list[Settlement] = []
        outgoing: dict[WriteKeyQueue, list[InFlightMessage]] = {}
        for claim in claims:
            if claim.locked:
                settled.append(self._without_key(claim))
                continue
            endpoint = self._context.endpoints.get(claim.event.source)
            if endpoint is None:
                settled.append(self._without_endpoint(claim))
                continue
            queue = self._queues.of(endpoint.write_key)
            settlement = self._blocked(claim, queue) or self._prepare(claim, endpoint, outgoing.setdefault(queue, []))
            if settlement:
                settled.append(settlement)
        self._leases.settle(settled)
        for queue, messages in outgoing.items():
            for batch in cut(messages):
                queue.put(batch)

    def _without_key(self, claim: Claim) -> Settlement:
        if claim.locked not in self._warned:
            self._warned.add(claim.locked)
            log.error(
                "events wait for their encryption key", extra={"endpoint": claim.event.source, "reason": claim.locked}
            )
        return self._postpone(claim, claim.locked, LOCKED, RetryReason.LOCKED)

    def _without_endpoint(self, claim: Claim) -> Settlement:
        name = claim.event.source
        if name not in self._warned:
            self._warned.add(name)
            log.warning("events wait for an endpoint that is not configured", extra={"endpoint": name})
        reason = f"no endpoint {name!r} is configured: configure it again to deliver the event"
        return self._postpone(claim, reason, NO_ENDPOINT, RetryReason.NO_ENDPOINT)

    def _blocked(self, claim: Claim, queue: WriteKeyQueue) -> Settlement | None:
        breaker = queue.client.breaker
        if wait := breaker.wait():
            reason = breaker.reason or "Segment could not be reached a moment ago"  # a sender has succeeded since
            return self._postpone(claim, reason, timedelta(seconds=wait), breaker.retry_reason)
        if queue.has_capacity:
            return None
        return self._postpone(claim, "the most batches allowed are already in progress", CROWDED, RetryReason.CROWDED)

    def _postpone(self, claim: Claim, reason: str, delay: timedelta, retry_reason: RetryReason) -> Settlement:
        self._context.count_retry(claim, retry_reason)
        due_at = self._context.clock() + delay
        return Settlement(claim=claim, state=State.PENDING, reason=reason, due_at=due_at, attempt=False)

    def _prepare(self, claim: Claim, endpoint: Endpoint, messages: list[InFlightMessage]) -> Settlement | None:
        """Translate an event and add its messages to `messages`. Return the settlement if there is nothing to send."""
        with self._context.tracer.translate(claim.event) as span:
            prepared = prepare(
                claim.event,
                endpoint,
                namespace=self._context.namespace,
                replay_generation=claim.replay_generation,
            )
            outcome = type(prepared.outcome).__name__.lower()
            span.set_attributes({"segue.outcome": outcome, "segue.messages": len(prepared.messages)})
            if prepared.state is State.DEAD:
                span.fail(outcome)
        self._context.meter.translated.labels(claim.event.source, outcome).inc()
        if prepared.state is not State.PENDING:
            return Settlement(claim=claim, state=prepared.state, reason=prepared.reason)
        in_flight = InFlightEvent(claim, unfinished=len(prepared.messages))
        for message_id, fault in prepared.refused:
            in_flight.record(message_id, RefusedMessage(fault))
        messages.extend(InFlightMessage(in_flight, message) for message in prepared.messages)
        return None
