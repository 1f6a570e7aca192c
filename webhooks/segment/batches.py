"""Encode each message once, and group the bytes into batches under Segment's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import msgspec

from translators.kit import to_iso
from webhooks.segment.spec import BATCH_BYTES, BATCH_MESSAGES

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_ENVELOPE: Final = len(b'{"batch":[],"sentAt":"2026-03-31T12:00:00.000000Z"}')


@dataclass(frozen=True, slots=True)
class Encoded:
    """The JSON of one message as it is sent; `id` is its messageId."""

    id: str
    body: bytes


class Sized(Protocol):
    """An object that has a message's bytes."""

    @property
    def body(self) -> bytes:
        """Return the message's JSON."""
        ...


Item = TypeVar("Item", bound=Sized)


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the message as JSON in UTF-8. A Decimal becomes the number it prints; escape only as JSON requires."""
    return _encode(message)


def cut(items: Iterable[Item], *, most_bytes: int = BATCH_BYTES, most: int = BATCH_MESSAGES) -> Iterator[list[Item]]:
    """Yield batches in order. The body of each, envelope included, is at most `most_bytes` long.

    A message that is longer by itself gets its own batch. The spec's checks reject such a message before this.
    """
    batch: list[Item] = []
    size = _ENVELOPE
    for item in items:
        if batch and (len(batch) >= most or size + len(item.body) + 1 > most_bytes):
            yield batch
            batch, size = [], _ENVELOPE
        batch.append(item)
        size += len(item.body) + 1
    if batch:
        yield batch


def assemble(batch: Sequence[Sized], *, sent_at: datetime | None = None) -> bytes:
    """Return the body of one request. `sentAt` is optional, is at the root, and is the time of this attempt."""
    timestamp = b"" if sent_at is None else b',"sentAt":"' + to_iso(sent_at).encode() + b'"'
    return b'{"batch":[' + b",".join([item.body for item in batch]) + b"]" + timestamp + b"}"
