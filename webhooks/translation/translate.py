"""Translate one event to one outcome, purely: the same event gives the same messages and ids on a replay.

The service adds what every message needs: the event's own time, a deterministic messageId, identity, context.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Final

from translators.kit import Event, Malformed, Refused, Skip
from webhooks.segment.shorten import shorten
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.render import Rendering

SMALL: Final = 4_000
"""Bytes of a body that no message of Segment's limit can come of."""
LIBRARY: Final = {"name": "segue", "version": version("segue")}


@dataclass(frozen=True, slots=True)
class Translated:
    """Segment messages as plain JSON values, ready to be encoded; at least one.

    If a whole delivery is read again, `left` lists its events that are not delivered: (event key, reason).
    """

    messages: list[dict[str, Any]]
    left: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A declared decision, or a handler's own."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """No translator declares this type."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Malformed by the provider, or the translator raised; `reason` is the path or the traceback."""

    reason: str


_AHEAD: Final = timedelta(minutes=5)
"""By how much a provider's clock may be ahead of ours."""
_NO_ID: Final = (
    "it identifies no one: the id is a placeholder, such as null, 0 or {{user.id}}, or longer than 1,000 characters"
)
Outcome = Translated | Ignored | Unsupported | Broken


def translate(event: Event, endpoint: Endpoint, *, namespace: str, replay_generation: int = 0) -> Outcome:
    """Return the outcome of one event. Never raise: an error of a translator affects its own event only.

    `replay_generation` is that of the claim or row, and goes into the ids.
    """
    event = event.with_options(endpoint.options)
    if event.problem:
        return _translate_again(event, endpoint, namespace=namespace, replay_generation=replay_generation)
    source, runtime = endpoint.source, endpoint.runtime
    try:
        declared = runtime.find(event.type)
        if declared is None:
            return Unsupported(f"{source.title} event type {event.type!r} has no translation")
        if not callable(declared):
            return Ignored(declared.because)
        if reason := runtime.skip_reason(event):
            return Ignored(reason)
        translated = list(declared(event))
        render = Rendering(event, endpoint, namespace=namespace, replay_generation=replay_generation)
        messages = [rendered for message in translated if (rendered := render(message)) is not None]
        if translated and not messages:
            return Ignored(_NO_ID)
    except Skip as skip:
        return Ignored(str(skip))
    except Malformed as error:
        return Broken(f"malformed: {error}")
    except Exception:  # noqa: BLE001 - a translator may raise anything
        return Broken(traceback.format_exc())
    if not messages:
        return Ignored("its handler made no message of it")
    ids = [message["messageId"] for message in messages]
    if len(set(ids)) < len(ids):
        return Broken(f"two messages of one event share an id: give them different key= ({', '.join(ids)})")
    if len(event.raw) > SMALL:
        try:
            messages = [shorten(message) for message in messages]
        except Exception:  # noqa: BLE001 - a value that no JSON can hold
            return Broken(traceback.format_exc())
    return Translated(messages)


def _translate_again(event: Event, endpoint: Endpoint, *, namespace: str, replay_generation: int) -> Outcome:
    """Translate an event that could not be read when it came, by today's code.

    If it was kept as a whole delivery, each of its events gives the messages that it would have given then, under the
    same ids. `Translated.left` lists those that are not delivered.
    """
    try:
        members = endpoint.runtime.read_again(event)
    except Malformed as error:
        return Broken(f"malformed: {error}")
    except Refused as error:
        return Broken(f"refused: {error}")
    except Exception:  # noqa: BLE001 - a translator may raise anything
        return Broken(traceback.format_exc())
    outcomes = {
        member.id: _unreadable(member.problem)
        if member.problem
        else translate(member, endpoint, namespace=namespace, replay_generation=replay_generation)
        for member in members
    }
    if len(outcomes) == 1:
        return next(iter(outcomes.values()))
    messages = [
        message for outcome in outcomes.values() if isinstance(outcome, Translated) for message in outcome.messages
    ]
    reasons = {kind: _reasons(outcomes, kind) for kind in (Broken, Unsupported, Ignored)}
    if messages:
        return Translated(messages, (*reasons[Broken], *reasons[Unsupported]))
    for kind, because in reasons.items():
        if because:
            return kind("; ".join(f"{key}: {reason}" for key, reason in because))
    return Ignored("the delivery holds no event")


def _unreadable(problem: str) -> Broken:
    return Broken(problem if "Traceback" in problem else f"malformed: {problem}")


def _reasons(outcomes: Mapping[str, Outcome], kind: type[Broken | Unsupported | Ignored]) -> list[tuple[str, str]]:
    return [(key, outcome.reason) for key, outcome in outcomes.items() if isinstance(outcome, kind)]
