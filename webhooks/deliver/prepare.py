"""What an event comes to with today's code: what would be sent, what Segment would not take, or why nothing is."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Final

from translators.kit import Event
from webhooks.journal import State
from webhooks.segment import Encoded, encode, faults
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.translate import Broken, Ignored, Outcome, Translated, Unsupported, translate

_STATES: Final = {Ignored: State.IGNORED, Unsupported: State.UNSUPPORTED, Broken: State.DEAD}


@dataclass(frozen=True, slots=True)
class Prepared:
    """`state` is PENDING where there is something to send; else the event ends in it at once, for the reason.

    `refused` are messages that Segment would drop without a word: (messageId, fault). Of a delivery that is read again
    as a whole, they are also the events that are not delivered: (event key, reason).
    """

    outcome: Outcome
    state: State
    reason: str = ""
    messages: tuple[Encoded, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


def prepare(event: Event, endpoint: Endpoint, *, namespace: str, edition: int) -> Prepared:
    """Translate an event and encode its messages; never raises, for one event's fault is its own."""
    outcome = translate(event, endpoint, namespace=namespace, edition=edition)
    if not isinstance(outcome, Translated):
        return Prepared(outcome, _STATES[type(outcome)], outcome.reason)
    messages: list[Encoded] = []
    refused = list(outcome.left)
    for message in outcome.messages:
        try:
            encoded = Encoded(message["messageId"], encode(message))
        except Exception:  # noqa: BLE001 - a value that no JSON can hold
            return Prepared(outcome, State.DEAD, traceback.format_exc())
        if fault := faults(message, encoded.body):
            refused.append((encoded.id, fault))
        else:
            messages.append(encoded)
    if not messages:
        reason = "; ".join(f"{id_}: {fault}" for id_, fault in refused)
        return Prepared(outcome, State.DEAD, reason, refused=tuple(refused))
    return Prepared(outcome, State.PENDING, messages=tuple(messages), refused=tuple(refused))
