"""What a client needs of its transport. The transport itself loads `requests`, so it is imported where it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SegmentResponse:
    """The response. `headers` ignores case; `text` is limited in length."""

    status: int
    headers: Mapping[str, str]
    text: str


class Post(Protocol):
    """The part of a transport that a client uses."""

    def post(self, write_key: str, body: bytes, *, retries: int = 0) -> SegmentResponse:
        """Send one batch. Raise `Unreachable` if no complete response arrives."""
        ...
