"""Translate one event to one outcome, purely: the same event gives the same messages and ids on a replay.

The service adds what every message needs: the event's own time, a deterministic messageId, identity, context.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from math import isfinite
from typing import Any, Final

import msgspec

from translators.kit import CLEAR, Event, Identity, Malformed, Message, Refused, Skip, to_iso
from translators.kit.placeholders import known
from webhooks.segment.shorten import shorten
from webhooks.segment.spec import YEARS
from webhooks.sources.endpoints import Endpoint
from webhooks.translation import identity

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


def message_id(namespace: str, event: Event, message: Message, replay_generation: int = 0) -> str:
    """Return a readable prefix and a digest, under 100 characters, unique to installation, source, event and message.

    A replay keeps it, unless the operator asked for new messages: then the event's edition goes into it.
    Segment deduplicates on this id alone, over all its customers:
    https://segment.com/docs/guides/duplicate-data/
    """
    parts: list[Any] = [namespace, event.source, event.id, message.kind, message.name, message.key]
    if replay_generation:
        parts.append(replay_generation)
    digest = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:40]
    return f"{_prefix(event.source, message.name or message.kind)}-{digest}"


@lru_cache(maxsize=4096)
def _prefix(source: str, name: str) -> str:
    slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in name[:24].lower())
    return f"{source[:24]}-{slug.strip('-')}"


_AS_IT_IS: Final = frozenset({str, bool})
_WHOLE: Final = 2**53
_TINY: Final = -307
"""The power of ten below which a double has no digits left."""


def plain(value: Any) -> Any:
    """Return a property as JSON: times in ISO, no None, CLEAR as null, Decimals as they are, to be printed exactly.

    A number that no double holds (over 2^53, `1e400`, `1e-400`) is sent as its text: Segment would change its digits.
    """
    kind = type(value)
    if kind is int:
        return value if -_WHOLE <= value <= _WHOLE else str(value)
    if kind in _AS_IT_IS or value is None:
        return value
    if kind is dict:
        return {str(name): plain(member) for name, member in value.items() if member is not None}
    if kind is Decimal:
        if not value.is_finite():
            raise ValueError(f"{value} is no JSON number")
        return value if -_WHOLE <= value <= _WHOLE and (not value or value.adjusted() > _TINY) else str(value)
    if kind is datetime:
        return to_iso(value)
    if value is CLEAR:
        return None
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{value} is no JSON number")
        return value
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return plain(int(value))
    if isinstance(value, Mapping):
        return plain(dict(value))
    if isinstance(value, Iterable):
        return [plain(member) for member in value]
    raise TypeError(f"{kind.__name__} has no place in a message")


def translate(event: Event, endpoint: Endpoint, *, namespace: str, replay_generation: int = 0) -> Outcome:
    """Return the outcome of one event. Never raise: an error of a translator affects its own event only.

    `replay_generation` is that of the claim or row, and goes into the ids.
    """
    event = replace(event, options=endpoint.options)
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
        identity_ = runtime.identity(event) if any(message.identity is None for message in translated) else None
        messages = [
            render(message, event, endpoint, identity_, namespace=namespace, replay_generation=replay_generation)
            for message in translated
            if not _has_placeholder_id(message, identity_, endpoint.user_id_keys)
        ]
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


def _has_placeholder_id(message: Message, identity_: Identity | None, user_id_keys: Sequence[str]) -> bool:
    """Return whether a message is about a placeholder: it would merge all who carry it."""
    if message.kind == "group" and not identity.is_id(message.group_id):
        return True
    if message.kind == "alias" and not identity.is_id(message.previous_id):
        return True
    return identity.names_a_placeholder(message.identity or identity_ or Identity(), user_id_keys)


def _time(message: Message, event: Event) -> datetime:
    """Return the message's own time; the event's if that cannot be one, or lies ahead of the receipt as a plan does."""
    at = message.occurred_at
    if at is None or at.year not in YEARS or max(event.received_at + _AHEAD, event.occurred_at) < at:
        return event.occurred_at
    return at


def render(
    message: Message,
    event: Event,
    endpoint: Endpoint,
    identity_: Identity | None,
    *,
    namespace: str,
    replay_generation: int = 0,
) -> dict[str, Any]:
    """Return one message as Segment takes it. https://segment.com/docs/connections/spec/common/"""
    claims = message.identity or identity_ or Identity()
    externals = identity.external_ids(claims)
    context: dict[str, Any] = {
        "library": LIBRARY,
        "channel": "server",
        "webhook": {"source": event.source, "id": event.id, "type": event.type},
    }
    if event.clock != "event":
        context["webhook"]["clock"] = event.clock
    if event.trust != "verified":
        context["webhook"]["trust"] = event.trust
    context["webhook"].update(plain(endpoint.runtime.context(event)))
    if externals:
        context["externalIds"] = externals
    if claims.group_id and identity.is_id(claims.group_id):
        context["groupId"] = claims.group_id
    fields = plain(message.fields)
    traits = known(plain(claims.traits))
    if message.kind in {"identify", "group"}:
        fields = known(fields)
    if message.kind == "identify":
        fields = {**traits, **fields}
        context["active"] = False
    elif traits:
        context["traits"] = traits
    context.update(plain(message.context))
    if "traits" in message.context:
        context["traits"] = known(context["traits"])
    rendered: dict[str, Any] = {
        "type": message.kind,
        "messageId": message_id(namespace, event, message, replay_generation),
        "timestamp": to_iso(_time(message, event)),
        **identity.resolve(claims, provider=endpoint.source.provider, user_id_keys=endpoint.user_id_keys),
        "context": context,
    }
    if message.kind == "track":
        rendered["event"] = message.name
    elif message.kind in {"page", "screen"}:
        rendered["name"] = message.name
    elif message.kind == "group":
        rendered["groupId"] = message.group_id
    elif message.kind == "alias":
        rendered["previousId"] = message.previous_id
    if message.kind in {"identify", "group"}:
        rendered["traits"] = fields
    elif message.kind != "alias":
        rendered["properties"] = fields
    if message.integrations:
        rendered["integrations"] = plain(message.integrations)
    return rendered
