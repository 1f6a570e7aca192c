"""Messages to bytes, once each, and the bytes to batches under Segment's limits."""

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
    """One message as it will be sent; `id` is its messageId."""

    id: str
    body: bytes


class Sized(Protocol):
    """Anything that carries a message's bytes."""

    @property
    def body(self) -> bytes:
        """The bytes."""
        ...


Item = TypeVar("Item", bound=Sized)


def encode(message: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8: a Decimal as the number it prints, nothing escaped that need not be."""
    return _encode(message)


def cut(items: Iterable[Item], *, most_bytes: int = BATCH_BYTES, most: int = BATCH_MESSAGES) -> Iterator[list[Item]]:
    """Batches in order. The body of each, envelope and all, is at most `most_bytes` long.

    A message that alone is longer gets a batch of its own; the spec's checks keep it from ever coming here.
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
    """The body of one request. `sentAt`, where wanted, stands at the root and is of this attempt."""
    stamp = b"" if sent_at is None else b',"sentAt":"' + to_iso(sent_at).encode() + b'"'
    return b'{"batch":[' + b",".join([item.body for item in batch]) + b"]" + stamp + b"}"
