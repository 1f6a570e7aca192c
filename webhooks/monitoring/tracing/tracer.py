"""What is told to a tracer. This one listens and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from translators.kit import Event


class TraceSpan:
    """A stretch of the way, open."""

    def tell(self, attributes: Mapping[str, Any]) -> None:
        """Facts about it."""

    def fail(self, why: str) -> None:
        """It went wrong, for a reason in one word."""


_NOTHING: Final = nullcontext(TraceSpan())


class Tracer:
    """See each method; every one may be called from any thread."""

    def receive(self, source: str) -> AbstractContextManager[TraceSpan]:
        """One webhook at the door."""
        del source
        return _NOTHING

    def journal(self, events: Sequence[Event]) -> AbstractContextManager[tuple[TraceSpan, Sequence[Event]]]:
        """Storing its events: give the journal those that come back, for they may carry their trace."""
        return nullcontext((TraceSpan(), events))

    def translate(self, event: Event) -> AbstractContextManager[TraceSpan]:
        """One event, in the trace of its receipt."""
        del event
        return _NOTHING

    def deliver(self, events: Iterable[Event]) -> AbstractContextManager[TraceSpan]:
        """One batch, in a trace of its own that is linked to those of its events."""
        del events
        return _NOTHING

    def settle(self, event: Event, state: str, *, began: int, batch: TraceSpan) -> None:
        """What became of one event, in the trace of its receipt. `began` is in nanoseconds since 1970."""

    def close(self) -> None:
        """Send what is left."""
