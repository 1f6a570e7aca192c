"""Load events from a file of JSON lines: the whole file is checked first, then stored.

with read_export(file) as export:
contents = check(export)
result = run(journal, export, contents, name="all.jsonl", by=by, clock=clock)
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Final, cast

from webhooks.errors import OperationRefused
from webhooks.journal import AuditContext, Row
from webhooks.journal.protocol import EventOperations
from webhooks.operations import jsonl, progress
from webhooks.operations.load import SkippedEvent, load_each
from webhooks.operations.progress import ProgressListener, begin_phase, ignore_progress

GZIP: Final = b"\x1f\x8b"


@dataclass(slots=True)
class FileContents:
    """The contents of a file. `faults` are those of the whole file, `broken` those of its lines, by number."""

    events: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The number of events by source and state."""
    broken: list[tuple[int, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def is_faulty(self) -> bool:
        """Return whether a line is broken, or the file as a whole is not as it was written."""
        return bool(self.broken or self.faults)

    @property
    def sources(self) -> frozenset[str]:
        """Return the sources of the events."""
        return frozenset(source for source, _ in self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """How many events were new or already present, and those that the journal cannot store."""

    new: int = 0
    present: int = 0
    refused: tuple[SkippedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file whose lines can be read repeatedly; `raw` is the file on disk, of `size` bytes."""

    lines: IO[bytes]
    raw: IO[bytes]
    size: int


@contextlib.contextmanager
def read_export(raw: IO[bytes]) -> Iterator[ExportFile]:
    """Read a file that can be rewound, compressed by gzip or not."""
    size = raw.seek(0, 2)
    raw.seek(0)
    compressed = raw.read(2) == GZIP
    raw.seek(0)
    with contextlib.ExitStack() as stack:
        packed = stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb")) if compressed else raw
        yield ExportFile(cast("IO[bytes]", packed), raw, size)


def check(export: ExportFile, *, partial: bool = False, report: ProgressListener = ignore_progress) -> FileContents:
    """Read the whole file and check it; store nothing. A `partial` file has no first and last line."""
    contents = FileContents()
    digest = hashlib.sha256()
    foot: jsonl.Foot | None = None
    first = True
    advance = begin_phase(report, "checking", export.size)
    try:
        for number, raw in _lines(export, advance):
            if raw.startswith(jsonl.HEAD_MARK) and first:
                jsonl.read_head(raw)
            elif raw.startswith(jsonl.FOOT_MARK):
                foot = jsonl.read_foot(raw)
            else:
                if first and not partial:
                    contents.faults.append("it does not begin as an export does")
                digest.update(raw)
                _count(contents, number, raw)
            first = False
    except jsonl.BadLine as error:
        contents.faults.append(str(error))
    except (EOFError, OSError, zlib.error) as error:
        contents.faults.append(f"it is truncated or damaged: {error}")
    if contents.faults or partial:
        return contents
    if foot is None:
        contents.faults.append("it is truncated: its last line, which has the number of events, is missing")
    elif (foot.events, foot.sha256) != (contents.events + len(contents.broken), digest.hexdigest()):
        contents.faults.append(f"it was changed after it was written, with {foot.events} events")
    return contents


def run(
    journal: EventOperations,
    export: ExportFile,
    contents: FileContents,
    *,
    name: str,
    by: AuditContext,
    clock: Callable[[], datetime],
    skip_broken: bool = False,
    report: ProgressListener = ignore_progress,
) -> ImportResult:
    """Store every line that is an event, then a line of the audit log with the file's `name`.

    Raise `OperationRefused` for a faulty file, unless `skip_broken` accepts it. Events that are already present are
    not changed, so the same file can be imported again.
    """
    if contents.is_faulty and not skip_broken:
        raise OperationRefused(
            f"{name} is damaged or incomplete; nothing of it was stored.",
            hint="Export it again, or skip its broken lines.",
        )
    if not contents.events:
        return ImportResult()
    new = present = 0
    refused: list[SkippedEvent] = []
    advance = begin_phase(report, "storing", contents.events)
    rows = _rows(export)
    while batch := list(islice(rows, progress.STEP)):
        stored, skipped = load_each(journal, batch)
        new += stored.new
        present += stored.duplicate
        refused += skipped
        advance(len(batch))
    detail = {"file": name, "events": contents.events, "new": new, "skipped": len(contents.broken)}
    detail |= {"refused": len(refused)} if refused else {}
    journal.audit("import", detail, by=by, now=clock())
    return ImportResult(new=new, present=present, refused=tuple(refused))


def _lines(export: ExportFile, advance: Callable[[int], None] = lambda _: None) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number. Call `advance` with the bytes of the file read since the last call."""
    export.lines.seek(0)
    number = place = 0
    while raw := export.lines.readline(jsonl.LONGEST):
        number += 1
        now = export.raw.tell()
        advance(max(0, now - place))
        place = now
        if raw.strip():
            yield number, raw


def _count(contents: FileContents, number: int, raw: bytes) -> None:
    try:
        row = jsonl.read(raw)
    except jsonl.BadLine as error:
        contents.broken.append((number, str(error)))
    else:
        contents.events += 1
        contents.kinds[row.event.source, row.state.value] += 1


def _rows(export: ExportFile) -> Iterator[Row]:
    with contextlib.suppress(EOFError, OSError, zlib.error):
        for _, raw in _lines(export):
            with contextlib.suppress(jsonl.BadLine):
                yield jsonl.read(raw)
