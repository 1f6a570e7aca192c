"""One claimed event that is being delivered: how many of its messages are unfinished, and their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from webhooks.journal import Claim, Settlement, State
from webhooks.segment import Encoded, Postponed, RefusedMessage, Result, backoff


@dataclass(slots=True)
class InFlightEvent:
    """The messages of one event. The event is settled when none is unfinished."""

    claim: Claim
    unfinished: int = 0
    refused: list[str] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)

    def record(self, message_id: str, result: Result) -> None:
        """Record the result of one message."""
        if isinstance(result, RefusedMessage):
            self.refused.append(f"{message_id}: {result.reason}")
        elif isinstance(result, Postponed):
            self.postponed.append(result)

    def settlement(self, now: datetime, chance: Callable[[], float]) -> Settlement:
        """Return how to settle the event.

        It is delivered if every message was accepted, pending if one is postponed, else dead with the refusals as the
        reason. A message that is sent again has the same messageId, so Segment counts it once.
        """
        if self.postponed:
            counted = any(result.counted for result in self.postponed)
            delays = [result.delay for result in self.postponed if result.delay is not None]
            delay = max(delays) if delays else backoff(self.claim.attempts, chance)
            due_at = now + timedelta(seconds=delay)
            return Settlement(
                claim=self.claim, state=State.PENDING, reason=self.postponed[0].reason, due_at=due_at, attempt=counted
            )
        if self.refused:
            return Settlement(claim=self.claim, state=State.DEAD, reason="; ".join(self.refused))
        return Settlement(claim=self.claim, state=State.DELIVERED)


@dataclass(frozen=True, slots=True)
class InFlightMessage:
    """One message of an event that is being delivered."""

    in_flight: InFlightEvent
    message: Encoded

    @property
    def body(self) -> bytes:
        """Return the message's bytes."""
        return self.message.body


Batch = list[InFlightMessage]
"""The messages of one request."""
