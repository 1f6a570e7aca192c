"""Compute what an event would become with today's code and settings. Nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from translators.kit import parse_json
from webhooks.journal import Row, State
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.prepare import prepare

WORDS: Final[Mapping[State, str]] = {
    State.PENDING: "send", State.IGNORED: "ignore", State.UNSUPPORTED: "unsupported", State.DEAD: "dead",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forecast:
    """`would` is send, ignore, unsupported, dead, or wait (its endpoint or its encryption key is not configured).

    `messages` are those that would be sent, `refused` those that Segment would drop: (messageId, fault).
    """

    would: str
    reason: str = ""
    messages: tuple[Mapping[str, Any], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    def same_as(self, state: State) -> bool:
        """Return whether the event has this outcome already."""
        return WORDS.get(state) == self.would

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "would": self.would,
            "reason": self.reason,
            "messages": self.messages,
            "refused": [{"message_id": id_, "fault": fault} for id_, fault in self.refused],
        }


def forecast(row: Row, endpoints: Mapping[str, Endpoint], *, namespace: str, as_new: bool = False) -> Forecast:
    """Return what a worker would do with an event now; with `as_new`, after a replay with new message ids."""
    if row.locked:
        return Forecast("wait", row.locked)
    endpoint = endpoints.get(row.event.source)
    if endpoint is None:
        return Forecast("wait", f"no endpoint {row.event.source!r} is configured")
    generation = row.replay_generation + as_new
    prepared = prepare(row.event, endpoint, namespace=namespace, replay_generation=generation)
    messages = tuple(parse_json(message.body) for message in prepared.messages)
    return Forecast(WORDS[prepared.state], prepared.reason, messages, prepared.refused)
