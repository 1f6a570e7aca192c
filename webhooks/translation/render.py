"""Render messages as Segment takes them: with the event's time, a deterministic messageId, identity and context.

https://segment.com/docs/connections/spec/common/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from math import isfinite
from typing import Any, Final

import msgspec

from translators.kit import CLEAR, Event, Identity, Message, to_iso
from translators.kit.placeholders import known
from webhooks.segment.spec import YEARS
from webhooks.sources.endpoints import Endpoint
from webhooks.translation import identity

LIBRARY: Final = {"name": "segue", "version": version("segue")}
_AHEAD: Final = timedelta(minutes=5)
"""By how much a provider's clock may be ahead of ours."""


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
    if kind in _AS_IT_IS or value is None:
        return value
    if kind is dict:
        return {
            name if type(name) is str else str(name): member if type(member) in _AS_IT_IS else plain(member)
            for name, member in value.items()
            if member is not None
        }
    if kind is int:
        return value if -_WHOLE <= value <= _WHOLE else str(value)
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


@dataclass(frozen=True, slots=True)
class Person:
    """What the messages of one person share: the ids, and the traits that are known.

    `ids` is empty if the claims identify no one; `is_placeholder` if that is because an id is a placeholder.
    """

    ids: dict[str, str]
    is_placeholder: bool
    external_ids: list[dict[str, Any]]
    group_id: str
    traits: dict[str, Any]


class Rendering:
    """Render the messages of one event; what they share is made once."""

    def __init__(self, event: Event, endpoint: Endpoint, *, namespace: str, replay_generation: int = 0) -> None:
        self._event = event
        self._endpoint = endpoint
        self._namespace = namespace
        self._replay_generation = replay_generation
        self._people: dict[int, Person] = {}
        self._identity: Identity | None = None
        self._webhook: dict[str, Any] | None = None

    def __call__(self, message: Message) -> dict[str, Any] | None:
        """Return one message; None if it is about a placeholder, since that would merge all who carry it."""
        if message.kind == "group" and not identity.is_id(message.group_id):
            return None
        if message.kind == "alias" and not identity.is_id(message.previous_id):
            return None
        person = self._person(message.identity or self._claims())
        return None if person.is_placeholder else self._rendered(message, person)

    def _claims(self) -> Identity:
        """Return the source's claims of who acted; asked once, and only if a message has none of its own."""
        if self._identity is None:
            self._identity = self._endpoint.runtime.identity(self._event)
        return self._identity

    def _about(self) -> dict[str, Any]:
        """Return `context.webhook`."""
        if self._webhook is not None:
            return self._webhook
        event = self._event
        webhook: dict[str, Any] = {"source": event.source, "id": event.id, "type": event.type}
        if event.clock != "event":
            webhook["clock"] = event.clock
        if event.trust != "verified":
            webhook["trust"] = event.trust
        webhook.update(plain(self._endpoint.runtime.context(event)))
        self._webhook = webhook
        return webhook

    def _person(self, claims: Identity) -> Person:
        person = self._people.get(id(claims))
        if person is None:
            ids = identity.resolve(
                claims, provider=self._endpoint.source.provider, user_id_keys=self._endpoint.user_id_keys
            )
            person = self._people[id(claims)] = Person(
                ids=ids,
                is_placeholder=not ids and identity.has_claims(claims, self._endpoint.user_id_keys),
                external_ids=identity.external_ids(claims),
                group_id=claims.group_id if claims.group_id and identity.is_id(claims.group_id) else "",
                traits=known(plain(claims.traits)),
            )
        return person

    def _rendered(self, message: Message, person: Person) -> dict[str, Any]:
        kind = message.kind
        context: dict[str, Any] = {"library": LIBRARY, "channel": "server", "webhook": self._about()}
        if person.external_ids:
            context["externalIds"] = person.external_ids
        if person.group_id:
            context["groupId"] = person.group_id
        fields = plain(message.fields)
        if kind in {"identify", "group"}:
            fields = known(fields)
        if kind == "identify":
            fields = {**person.traits, **fields}
            context["active"] = False
        elif person.traits:
            context["traits"] = person.traits
        if message.context:
            context.update(plain(message.context))
            if "traits" in message.context:
                context["traits"] = known(context["traits"])
        rendered: dict[str, Any] = {
            "type": kind,
            "messageId": message_id(self._namespace, self._event, message, self._replay_generation),
            "timestamp": to_iso(_time(message, self._event)),
            **person.ids,
            "context": context,
        }
        if kind == "track":
            rendered["event"] = message.name
        elif kind in {"page", "screen"}:
            rendered["name"] = message.name
        elif kind == "group":
            rendered["groupId"] = message.group_id
        elif kind == "alias":
            rendered["previousId"] = message.previous_id
        if kind in {"identify", "group"}:
            rendered["traits"] = fields
        elif kind != "alias":
            rendered["properties"] = fields
        if message.integrations:
            rendered["integrations"] = plain(message.integrations)
        return rendered


def _time(message: Message, event: Event) -> datetime:
    """Return the message's own time; the event's if that cannot be one, or lies ahead of the receipt as a plan does."""
    at = message.occurred_at
    if at is None or at.year not in YEARS or max(event.received_at + _AHEAD, event.occurred_at) < at:
        return event.occurred_at
    return at
