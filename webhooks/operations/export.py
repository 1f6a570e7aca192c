"""Write events as JSON lines, complete and unchanged. `webhooks.operations.jsonl` has the format."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol, cast

from webhooks.errors import JournalUnavailable, OperationRefused
from webhooks.journal import AuditContext, Filter, Row, is_absent
from webhooks.journal.encryption import is_changed
from webhooks.journal.protocol import EventOperations, EventQueries
from webhooks.journal.sqlite.damage import is_damage
from webhooks.operations import jsonl, progress
from webhooks.operations.progress import ProgressListener, begin_phase, ignore_progress
from webhooks.operations.selection import EventSelection, select


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """The events to export. The audit log gets its `name` and the `conditions` as the operator wrote them."""

    name: str
    selection: EventSelection = field(default_factory=EventSelection)
    conditions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """How many events were exported.

    unreadable    numbers of events that could not be read, or were pruned
    audit_error   why the export is not in the audit log; empty if it is
    """

    events: int
    unreadable: tuple[int, ...] = ()
    audit_error: str = ""


class ExportedJournal(EventQueries, EventOperations, Protocol):
    """What `run` uses of the journal."""


def run(
    journal: ExportedJournal,
    request: ExportRequest,
    destination: AbstractContextManager[IO[bytes]],
    *,
    by: AuditContext,
    now: datetime,
    known: Collection[str] = (),
    report: ProgressListener = ignore_progress,
) -> ExportResult:
    """Write the selected events, oldest first, then a line of the audit log.

    If only the audit log cannot be written, the export succeeds: a full disk is a reason to export.
    """
    if absent := is_absent(journal):
        raise absent
    filter = select(journal, request.selection, known=known)
    with destination as out:
        count = _write(out, _pages(journal, filter, report), now)
    detail = {"file": request.name, "events": count, "chosen": request.conditions}
    try:
        journal.audit("export", detail, by=by, now=now)
    except JournalUnavailable as error:
        return ExportResult(events=count, audit_error=error.message)
    return ExportResult(events=count)


def salvage(
    journal: EventQueries,
    destination: AbstractContextManager[IO[bytes]],
    *,
    now: datetime,
    report: ProgressListener = ignore_progress,
) -> ExportResult:
    """Write every event of a damaged SQLite file that can still be read. The file is not changed."""
    if absent := is_absent(journal):
        raise absent
    unreadable: list[int] = []
    with destination as out:
        count = _write(out, _readable(journal, unreadable, report), now)
    return ExportResult(events=count, unreadable=tuple(unreadable))


@contextlib.contextmanager
def whole_file(path: Path, *, replace: bool = False) -> Iterator[IO[bytes]]:
    """Write a whole file or none: a temporary file beside it is synced and renamed. A name in .gz is compressed.

    Only its owner can read it, since bodies contain personal data.
    """
    if path.exists() and not replace:
        raise OperationRefused(f"{path} exists.", hint="Give another name, or --force.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(path)
    except OSError as error:
        raise OperationRefused(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Check the free space and your permissions.",
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _write(out: IO[bytes], pages: Iterator[Sequence[Row]], now: datetime) -> int:
    digest = hashlib.sha256()
    count = 0
    out.write(jsonl.head(now))
    for rows in pages:
        for row in rows:
            if row.locked:
                raise OperationRefused(
                    f"Event {row.seq} ({row.event.source}/{row.event.id}) is {row.locked}.",
                    hint="Add that key to SEGUE_ENCRYPTION_KEY after the first one; nothing was written.",
                )
            line = jsonl.line(row)
            digest.update(line)
            out.write(line)
        count += len(rows)
    out.write(jsonl.foot(count, digest.hexdigest()))
    return count


def _pages(journal: EventQueries, filter: Filter, report: ProgressListener) -> Iterator[Sequence[Row]]:
    after = ""
    advance = begin_phase(report, "exporting", journal.count(filter))
    while rows := journal.rows(filter, after=after, limit=progress.STEP):
        yield rows
        after = rows[-1].cursor
        advance(len(rows))


def _readable(journal: EventQueries, unreadable: list[int], report: ProgressListener) -> Iterator[Sequence[Row]]:
    """Yield each event by its number. Those whose content is damaged are skipped and added to `unreadable`."""
    last = int(journal.end())
    advance = begin_phase(report, "reading", last)
    for seq in range(1, last + 1):
        try:
            row = journal.get(seq)
        except JournalUnavailable as error:
            if error.__cause__ is None or not is_damage(error.__cause__):
                raise
            unreadable.append(seq)
        else:
            if row and is_changed(row.locked):
                unreadable.append(seq)
            elif row:
                yield [row]
        advance(1)
