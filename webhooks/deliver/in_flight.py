"""One claimed event on its way: how many of its messages are out, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from webhooks.journal import Claim, Settlement, State
from webhooks.segment import Encoded, Postponed, RefusedMessage, Result, backoff


@dataclass(slots=True)
class InFlightEvent:
    """The messages of one event. It is settled when none is out any more."""

    claim: Claim
    out: int = 0
    refused: list[str] = field(default_factory=list)
    later: list[Postponed] = field(default_factory=list)

    def note(self, message_id: str, result: Result) -> None:
        """Take down what became of one message."""
        if isinstance(result, RefusedMessage):
            self.refused.append(f"{message_id}: {result.reason}")
        elif isinstance(result, Postponed):
            self.later.append(result)

    def settlement(self, now: datetime, chance: Callable[[], float]) -> Settlement:
        """Delivered when every message was accepted; pending while one may be; else dead, naming what was refused.

        A message that is sent again with its event carries the same messageId, so Segment counts it once.
        """
        if self.later:
            counted = any(later.counted for later in self.later)
            asked = [later.delay for later in self.later if later.delay is not None]
            delay = max(asked) if asked else backoff(self.claim.attempts, chance)
            due_at = now + timedelta(seconds=delay)
            return Settlement(
                claim=self.claim, state=State.PENDING, reason=self.later[0].reason, due_at=due_at, attempt=counted
            )
        if self.refused:
            return Settlement(claim=self.claim, state=State.DEAD, reason="; ".join(self.refused))
        return Settlement(claim=self.claim, state=State.DELIVERED)


@dataclass(frozen=True, slots=True)
class InFlightMessage:
    """One message of a parcel."""

    parcel: InFlightEvent
    message: Encoded

    @property
    def body(self) -> bytes:
        """The message's bytes."""
        return self.message.body
