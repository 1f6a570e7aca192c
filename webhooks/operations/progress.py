"""The progress of an operation on many events, and the transactions that it consists of."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from webhooks.journal import AuditContext

T = TypeVar("T")
STEP: Final = 500
"""Events changed in one transaction; appends wait for it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase of an operation is, such as `replaying`. `done` and `total` are events; for a file, bytes."""

    phase: str
    done: int
    total: int


ProgressListener = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """Do nothing: for callers that show no progress."""


def begin_phase(report: ProgressListener, phase: str, total: int) -> Callable[[int], None]:
    """Report that a phase begins. Return the function to call with the size of each step."""
    done = 0
    report(Progress(phase, done, total))

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report(Progress(phase, done, total))

    return advance


def steps(items: Sequence[T], size: int = 0) -> Iterator[Sequence[T]]:
    """Yield the items in chunks of `size`, by default `STEP`."""
    size = size or STEP
    for start in range(0, len(items), size):
        yield items[start : start + size]


def audit_context(actor: str, reason: str) -> AuditContext:
    """Return who acts and why, as a new operation of the audit log."""
    return AuditContext(actor=actor, reason=reason, operation=uuid.uuid4().hex[:12])
