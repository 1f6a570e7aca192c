"""`segue import`: load events from a file of JSON lines, all of them or none."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from webhooks.cli import jsonl
from webhooks.cli.confirm import actor_option, audit_context, bar
from webhooks.cli.loading import SkippedEvent, load_each, print_skipped
from webhooks.cli.output import bad, echo, fail, print_columns, print_json
from webhooks.cli.rows import created
from webhooks.logs import printable
from webhooks.operations.progress import STEP

if TYPE_CHECKING:
    from webhooks.journal import Row
    from webhooks.journal.protocol import EventOperations

GZIP: Final = b"\x1f\x8b"
SHOWN: Final = 20
"""Broken lines shown one by one."""


@dataclass(slots=True)
class FileContents:
    """The contents of a file. `faults` are those of the whole file, `broken` those of its lines, by number."""

    events: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: list[tuple[int, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@click.command("import", short_help="Read events from a file of JSON lines that `segue export` wrote.")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Check the file and show what is in it; store nothing.")
@click.option("--skip-broken", is_flag=True, help="Skip broken lines, and accept a truncated file.")
@click.option("--partial", is_flag=True, help="FILE is a part of an export, without its first and last line.")
@click.option("--reason", default="", help="For the audit log.")
@actor_option
@click.option("--json", "as_json", is_flag=True)
def import_(file: str, dry_run: bool, skip_broken: bool, partial: bool, reason: str, actor: str, as_json: bool) -> None:
    """Read FILE (- is stdin; .gz or not) and store its events unchanged: state, times, history, edition.

    An event whose source and key are already in the journal is skipped, so the same file can be imported again, for
    example after a crash. Every line is checked first; if one is broken, nothing is stored. The worker delivers the
    pending events; the others are not sent.

    Exit code 0 if all lines are stored or were present; 1 if a line is broken, also with --skip-broken, or if the
    journal cannot store an event: that event is named, and the others are stored.

    \b
    Examples:
      segue import all.jsonl.gz --dry-run
      segue import all.jsonl.gz
      zgrep '"source":"stripe"' all.jsonl.gz | segue import - --partial
    """  # noqa: D301
    from webhooks.cli.configuration import configuration

    config = configuration()
    with _readable(file) as source:
        contents = _check(source, partial=partial)
        wrong = bool(contents.broken or contents.faults)
        store = not dry_run and (skip_broken or not wrong)
        new = 0
        refused: list[SkippedEvent] = []
        if store and contents.events:
            with created(config) as journal:
                new, refused = _store(journal, source, contents.events)
                detail = {"file": file, "events": contents.events, "new": new, "skipped": len(contents.broken)}
                detail |= {"refused": len(refused)} if refused else {}
                by = audit_context(actor, reason or "imported by hand")
                journal.audit("import", detail, by=by, now=datetime.now(UTC))
    if as_json:
        print_json(
            {
                "stored": store,
                "events": contents.events,
                "new": new,
                "present": contents.events - new - len(refused) if store else 0,
                "faults": contents.faults,
                "broken": [{"line": number, "fault": fault} for number, fault in contents.broken],
                **({"refused_events": [asdict(event) for event in refused]} if refused else {}),
            }
        )
    else:
        _print(file, contents, new, refused, store=store)
    unknown = sorted({name for name, _ in contents.kinds} - set(config.endpoints))
    if unknown:
        echo(f"No endpoint is configured for {', '.join(unknown)}: its pending events wait for one.", err=True)
    if wrong and not store and not dry_run:
        raise fail(
            f"Nothing of {file} was stored.",
            "Export it again. Use --skip-broken to import the intact lines, or --partial for a part of an export.",
        )
    raise SystemExit(1 if wrong or refused else 0)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file whose lines can be read repeatedly; `raw` is the file on disk, of `size` bytes."""

    lines: IO[bytes]
    raw: IO[bytes]
    size: int


@contextlib.contextmanager
def _readable(file: str) -> Iterator[_Source]:
    with contextlib.ExitStack() as stack:
        if file == "-":
            raw: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(sys.stdin.buffer, raw)
        else:
            raw = stack.enter_context(Path(file).open("rb"))
        size = raw.seek(0, 2)
        raw.seek(0)
        compressed = raw.read(2) == GZIP
        raw.seek(0)
        lines = stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb")) if compressed else raw
        yield _Source(lines, raw, size)  # type: ignore[arg-type]


def _lines(source: _Source, advance: Callable[[int], None] = lambda _: None) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number. Call `advance` with the bytes of the file read since the last call."""
    source.lines.seek(0)
    number = place = 0
    while raw := source.lines.readline(jsonl.LONGEST):
        number += 1
        now = source.raw.tell()
        advance(max(0, now - place))
        place = now
        if raw.strip():
            yield number, raw


def _check(source: _Source, *, partial: bool) -> FileContents:
    """Read the whole file and check it; store nothing."""
    contents = FileContents()
    digest = hashlib.sha256()
    foot: jsonl.Foot | None = None
    first = True
    with bar("checking", source.size) as advance:
        try:
            for number, raw in _lines(source, advance):
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


def _count(contents: FileContents, number: int, raw: bytes) -> None:
    try:
        row = jsonl.read(raw)
    except jsonl.BadLine as error:
        contents.broken.append((number, str(error)))
    else:
        contents.events += 1
        contents.kinds[row.event.source, row.state.value] += 1


def _store(journal: EventOperations, source: _Source, count: int) -> tuple[int, list[SkippedEvent]]:
    """Load every line that is an event. Return how many were new, and those that the journal cannot store."""
    new = 0
    refused: list[SkippedEvent] = []
    with bar("storing", count) as advance:
        rows = _rows(source)
        while batch := list(islice(rows, STEP)):
            stored, skipped = load_each(journal, batch)
            new += stored.new
            refused += skipped
            advance(len(batch))
    return new, refused


def _rows(source: _Source) -> Iterator[Row]:
    with contextlib.suppress(EOFError, OSError, zlib.error):
        for _, raw in _lines(source):
            with contextlib.suppress(jsonl.BadLine):
                yield jsonl.read(raw)


def _print(file: str, contents: FileContents, new: int, refused: Sequence[SkippedEvent], *, store: bool) -> None:
    for fault in contents.faults:
        bad(f"{file}: {printable(fault)}")
    for number, fault in contents.broken[:SHOWN]:
        bad(f"{file} line {number}: {printable(fault)}")
    if len(contents.broken) > SHOWN:
        bad(f"... and {len(contents.broken) - SHOWN} more")
    if contents.kinds:
        rows = [[source, state, str(count)] for (source, state), count in sorted(contents.kinds.items())]
        print_columns(rows, heading=["source", "state", "events"])
    if store:
        echo(f"{new} stored, {contents.events - new - len(refused)} were already present.")
        print_skipped("cannot be stored in this journal", refused)
    else:
        echo(f"{contents.events} events can be stored; nothing was stored.")
