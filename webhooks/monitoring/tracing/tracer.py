"""The interface of a tracer. This implementation does nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from translators.kit import Event


class TraceSpan:
    """An open span."""

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes to the span."""

    def fail(self, error_type: str) -> None:
        """Mark the span as failed, with the kind of error in one word."""


_SPAN: Final = TraceSpan()
_NO_SPAN: Final = nullcontext(_SPAN)


class Tracer:
    """A tracer that records nothing. Every method may be called from any thread."""

    def receive(self, source: str) -> AbstractContextManager[TraceSpan]:
        """Start the span of one webhook request."""
        del source
        return _NO_SPAN

    def journal(self, events: Sequence[Event]) -> AbstractContextManager[tuple[TraceSpan, Sequence[Event]]]:
        """Start the span that stores events. Store the events that it returns, since they may have a trace header."""
        return nullcontext((_SPAN, events))

    def translate(self, event: Event) -> AbstractContextManager[TraceSpan]:
        """Start the span that translates one event, in the trace of its webhook."""
        del event
        return _NO_SPAN

    def deliver(self, events: Iterable[Event]) -> AbstractContextManager[TraceSpan]:
        """Start the span of one batch, in its own trace, linked to those of its events."""
        del events
        return _NO_SPAN

    def settle(self, event: Event, state: str, *, began: int, batch: TraceSpan) -> None:
        """Record the final state of one event, in the trace of its webhook. `began` is in nanoseconds since 1970."""

    def close(self) -> None:
        """Send the remaining spans."""
