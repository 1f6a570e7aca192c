"""Translate one event with today's code: the messages to send, those Segment would refuse, or why there are none."""

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
    """`state` is PENDING if there are messages to send; else it is the event's final state, for `reason`.

    `refused` has the messages that Segment would drop without an error: (messageId, fault). If a whole delivery is read
    again, it also has the events that are not delivered: (event key, reason).
    """

    outcome: Outcome
    state: State
    reason: str = ""
    messages: tuple[Encoded, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


def prepare(event: Event, endpoint: Endpoint, *, namespace: str, replay_generation: int) -> Prepared:
    """Translate an event and encode its messages. Never raise: a fault of one event must not affect another."""
    outcome = translate(event, endpoint, namespace=namespace, replay_generation=replay_generation)
    if not isinstance(outcome, Translated):
        return Prepared(outcome, _STATES[type(outcome)], outcome.reason)
    messages: list[Encoded] = []
    refused = list(outcome.left)
    for message in outcome.messages:
        try:
            encoded = Encoded(message["messageId"], encode(message))
        except Exception:  # noqa: BLE001 - a value that JSON cannot represent
            return Prepared(outcome, State.DEAD, traceback.format_exc())
        if fault := faults(message, encoded.body):
            refused.append((encoded.id, fault))
        else:
            messages.append(encoded)
    if not messages:
        reason = "; ".join(f"{id_}: {fault}" for id_, fault in refused)
        return Prepared(outcome, State.DEAD, reason, refused=tuple(refused))
    return Prepared(outcome, State.PENDING, messages=tuple(messages), refused=tuple(refused))
