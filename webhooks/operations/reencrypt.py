"""Encrypt stored bodies with the current key, after a rotation or a switch on or off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from webhooks.journal import ReencryptResult, is_absent
from webhooks.journal.encryption import Encryption
from webhooks.journal.notes import ENCRYPTION, REENCRYPT, EncryptionKeys, ReencryptProgress
from webhooks.journal.protocol import EventOperations, EventQueries, Notes
from webhooks.operations.progress import ProgressListener, begin_phase, ignore_progress

BATCH: Final = 500
"""Events in a transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReencryptRequest:
    """`from_start` ignores the position of an interrupted run; `dry_run` only counts the events by their key."""

    dry_run: bool = False
    from_start: bool = False
    batch: int = BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class ReencryptReport:
    """The events by their previous key, how many were changed, and how many cannot be decrypted (`locked`)."""

    key: str
    by_key: Mapping[str, int]
    changed: int
    locked: int


class ReencryptedJournal(EventQueries, EventOperations, Notes, Protocol):
    """What `run` uses of the journal."""


def run(
    journal: ReencryptedJournal,
    encryption: Encryption,
    request: ReencryptRequest,
    *,
    clock: Callable[[], datetime],
    report: ProgressListener = ignore_progress,
) -> ReencryptReport:
    """Encrypt every event with the first key; if that is `plain`, decrypt it. The service may keep running.

    An interrupted run continues from its last position. At the end the journal's note of its keys names only the
    current one, unless an event could not be decrypted.
    """
    if absent := is_absent(journal):
        raise absent
    key = encryption.current
    progress = None if request.from_start or request.dry_run else REENCRYPT.read(journal.notes())
    after, locked = (progress.after, progress.locked) if progress and progress.key == key else ("", 0)
    by_key: Counter[str] = Counter()
    changed = 0
    advance = begin_phase(report, "encrypting", sum(journal.census().by_state.values()))
    for step in _steps(journal, after, request):
        by_key.update(step.by_key)
        changed += step.changed
        locked += step.locked
        if not request.dry_run:
            position = ReencryptProgress(key=key, after=step.after, locked=locked if step.after else 0)
            REENCRYPT.write(journal, position, now=clock())
        advance(sum(step.by_key.values()))
    if not request.dry_run and not locked:
        ENCRYPTION.write(journal, EncryptionKeys((key,) if encryption.on else ()), now=clock())
    return ReencryptReport(key=key, by_key=by_key, changed=changed, locked=locked)


def _steps(journal: EventOperations, after: str, request: ReencryptRequest) -> Iterator[ReencryptResult]:
    while True:
        step = journal.reencrypt(after=after, limit=request.batch, dry_run=request.dry_run)
        yield step
        after = step.after
        if not after:
            return
