"""`segue import`: events from a file of JSON lines, all of them or none."""

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
from webhooks.cli.confirm import STEP, audit_context, bar, who_option
from webhooks.cli.loading import Left, load_each, print_left
from webhooks.cli.output import bad, echo, fail, print_columns, print_json, printable
from webhooks.cli.rows import created

if TYPE_CHECKING:
    from webhooks.journal import Journal, Row

GZIP: Final = b"\x1f\x8b"
SHOWN: Final = 20
"""Broken lines that are told one by one."""


@dataclass(slots=True)
class Found:
    """What is in a file. `faults` are those of the file as a whole, `broken` those of its lines, by number."""

    events: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: list[tuple[int, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@click.command("import", short_help="Read events from a file of JSON lines that `segue export` wrote.")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Check the file and say what is in it.")
@click.option("--skip-broken", is_flag=True, help="Leave broken lines out, and take a file cut short for what it has.")
@click.option("--partial", is_flag=True, help="FILE is a part of an export, without its first and last line.")
@click.option("--reason", default="", help="For the audit log.")
@who_option
@click.option("--json", "as_json", is_flag=True)
def import_(file: str, dry_run: bool, skip_broken: bool, partial: bool, reason: str, who: str, as_json: bool) -> None:
    """Read FILE (- is stdin; .gz or not) and store its events as they stand: state, times, history, edition.

    An event whose source and key are there already is left as it is, so the same file may be read twice, or again
    after a crash. Every line is checked first: with a broken one nothing is stored. Pending events are delivered by
    the worker; of the others nothing is sent.

    Exit code 0 when all lines are stored or were there, 1 when a line is broken, with --skip-broken too, or when the
    journal cannot hold an event: that one is named, and the others are stored.

    \b
    Examples:
      segue import all.jsonl.gz --dry-run
      segue import all.jsonl.gz
      zgrep '"source":"stripe"' all.jsonl.gz | segue import - --partial
    """  # noqa: D301
    from webhooks.cli.configuration import configuration

    config = configuration()
    with _readable(file) as source:
        found = _check(source, partial=partial)
        wrong = bool(found.broken or found.faults)
        take = not dry_run and (skip_broken or not wrong)
        new = 0
        refused: list[Left] = []
        if take and found.events:
            with created(config) as journal:
                new, refused = _store(journal, source, found.events)
                told = {"file": file, "events": found.events, "new": new, "skipped": len(found.broken)}
                told |= {"refused": len(refused)} if refused else {}
                by = audit_context(who, reason or "imported by hand")
                journal.audit("import", told, by=by, now=datetime.now(UTC))
    if as_json:
        print_json(
            {
                "stored": take,
                "events": found.events,
                "new": new,
                "present": found.events - new - len(refused) if take else 0,
                "faults": found.faults,
                "broken": [{"line": number, "fault": fault} for number, fault in found.broken],
                **({"refused_events": [asdict(one) for one in refused]} if refused else {}),
            }
        )
    else:
        _tell(file, found, new, refused, take=take)
    unknown = sorted({name for name, _ in found.kinds} - set(config.endpoints))
    if unknown:
        echo(f"No endpoint is configured for {', '.join(unknown)}: pending events of it wait for one.", err=True)
    if wrong and not take and not dry_run:
        raise fail(
            f"Nothing of {file} was stored.",
            "Export it anew; or take what is whole with --skip-broken, or a part of an export with --partial.",
        )
    raise SystemExit(1 if wrong or refused else 0)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file's lines, however often; `raw` is what lies on the disk, `size` bytes of it."""

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
        packed = raw.read(2) == GZIP
        raw.seek(0)
        lines = stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb")) if packed else raw
        yield _Source(lines, raw, size)  # type: ignore[arg-type]


def _lines(source: _Source, tell: Callable[[int], None] = lambda _: None) -> Iterator[tuple[int, bytes]]:
    """Each line with its number. `tell` hears how many bytes of the file were read since it heard last."""
    source.lines.seek(0)
    number = place = 0
    while raw := source.lines.readline(jsonl.LONGEST):
        number += 1
        now = source.raw.tell()
        tell(max(0, now - place))
        place = now
        if raw.strip():
            yield number, raw


def _check(source: _Source, *, partial: bool) -> Found:
    """Read it all; nothing is stored meanwhile."""
    found = Found()
    digest = hashlib.sha256()
    foot: jsonl.Foot | None = None
    first = True
    with bar("checking", source.size) as tell:
        try:
            for number, raw in _lines(source, tell):
                if raw.startswith(jsonl.HEAD_MARK) and first:
                    jsonl.read_head(raw)
                elif raw.startswith(jsonl.FOOT_MARK):
                    foot = jsonl.read_foot(raw)
                else:
                    if first and not partial:
                        found.faults.append("it does not begin as an export does")
                    digest.update(raw)
                    _count(found, number, raw)
                first = False
        except jsonl.BadLine as error:
            found.faults.append(str(error))
        except (EOFError, OSError, zlib.error) as error:
            found.faults.append(f"it is cut short or damaged: {error}")
    if found.faults or partial:
        return found
    if foot is None:
        found.faults.append("it is cut short: its last line, which tells how many events there are, is missing")
    elif (foot.events, foot.sha256) != (found.events + len(found.broken), digest.hexdigest()):
        found.faults.append(f"it is not as it was written, with {foot.events} events: lines were changed or taken out")
    return found


def _count(found: Found, number: int, raw: bytes) -> None:
    try:
        row = jsonl.read(raw)
    except jsonl.BadLine as error:
        found.broken.append((number, str(error)))
    else:
        found.events += 1
        found.kinds[row.event.source, row.state.value] += 1


def _store(journal: Journal, source: _Source, count: int) -> tuple[int, list[Left]]:
    """Load every line that is an event; how many were new, and those that the journal cannot hold."""
    new = 0
    refused: list[Left] = []
    with bar("storing", count) as tell:
        rows = _rows(source)
        while some := list(islice(rows, STEP)):
            stored, left = load_each(journal, some)
            new += stored.new
            refused += left
            tell(len(some))
    return new, refused


def _rows(source: _Source) -> Iterator[Row]:
    with contextlib.suppress(EOFError, OSError, zlib.error):
        for _, raw in _lines(source):
            with contextlib.suppress(jsonl.BadLine):
                yield jsonl.read(raw)


def _tell(file: str, found: Found, new: int, refused: Sequence[Left], *, take: bool) -> None:
    for fault in found.faults:
        bad(f"{file}: {printable(fault)}")
    for number, fault in found.broken[:SHOWN]:
        bad(f"{file} line {number}: {printable(fault)}")
    if len(found.broken) > SHOWN:
        bad(f"... and {len(found.broken) - SHOWN} more")
    if found.kinds:
        told = [[source, state, str(count)] for (source, state), count in sorted(found.kinds.items())]
        print_columns(told, heading=["source", "state", "events"])
    if take:
        echo(f"{new} stored, {found.events - new - len(refused)} were there already.")
        print_left("cannot be stored in this journal", refused)
    else:
        echo(f"{found.events} events could be stored; nothing was.")
