"""`segue export`: write events as JSON lines, complete and unchanged."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import click

from webhooks.cli import jsonl
from webhooks.cli.confirm import actor_option, audit_context, bar
from webhooks.cli.event_filter import EventChoice, event_options
from webhooks.cli.output import echo, fail, print_json, warn
from webhooks.cli.rows import opened
from webhooks.operations.progress import STEP

if TYPE_CHECKING:
    from webhooks.journal import Filter, Row
    from webhooks.journal.protocol import EventQueries


@click.command(short_help="Write events to a file of JSON lines.")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@event_options()
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option("--salvage", is_flag=True, help="Read a damaged SQLite file: export every event that can still be read.")
@click.option("--reason", default="", help="For the audit log.")
@actor_option
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON (on stderr if FILE is -).")
def export(choice: EventChoice, file: str, force: bool, salvage: bool, reason: str, actor: str, as_json: bool) -> None:
    """Write the selected events, or all, to FILE (- is stdout; .gz is compressed), oldest first.

    Each line is an event with its exact body, headers, state, times and history. The first line identifies the file and
    the last one has the number of events, so that a truncated file is noticed. Bodies contain personal data: only you
    can read FILE.

    \b
    Examples:
      segue export all.jsonl.gz
      segue export dead.jsonl --state dead --since 30d
      segue export - --source stripe | wc -l
      SEGUE_DATABASE=sqlite:///damaged/segue.db segue export saved.jsonl --salvage
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.errors import JournalUnavailable
    from webhooks.journal import is_absent

    config = configuration()
    if salvage and (choice or config.settings.on_postgres):
        raise fail("--salvage reads all of a damaged SQLite file.", "Omit the other options, or --salvage.")
    unreadable: list[int] = []
    with opened(config, change=not salvage) as journal:
        if absent := is_absent(journal):
            raise absent
        now = datetime.now(UTC)
        filter = choice.filter(journal, config, now)
        by = audit_context(actor, reason or "exported by hand")
        with _writing(file, force=force) as out:
            pages = _salvaged(journal, unreadable) if salvage else _pages(journal, filter)
            count = _export(pages, out, now)
        try:
            if not salvage:
                journal.audit("export", {"file": file, "events": count, "chosen": choice.as_dict()}, by=by, now=now)
        except JournalUnavailable as error:  # its disk may be full, which is when an export is needed
            warn(f"not recorded in the audit log: {error.message}")
    if unreadable:
        warn(
            f"{len(unreadable)} events cannot be read, or were pruned: the numbers {unreadable[0]} to {unreadable[-1]}",
            err=True,
        )
    if as_json and file == "-":
        echo(f'{{"exported": {count}}}', err=True)
    elif as_json:
        print_json({"exported": count, "file": file})
    else:
        echo(f"{count} events written to {'stdout' if file == '-' else file}.", err=True)


def _export(pages: Iterator[Sequence[Row]], out: IO[bytes], now: datetime) -> int:
    digest = hashlib.sha256()
    count = 0
    out.write(jsonl.head(now))
    for rows in pages:
        for row in rows:
            if row.locked:
                raise fail(
                    f"Event {row.seq} ({row.event.source}/{row.event.key}) is {row.locked}.",
                    "Add that key to SEGUE_ENCRYPTION_KEY after the first one; nothing was written.",
                )
            line = jsonl.line(row)
            digest.update(line)
            out.write(line)
        count += len(rows)
    out.write(jsonl.foot(count, digest.hexdigest()))
    return count


def _pages(journal: EventQueries, filter: Filter) -> Iterator[Sequence[Row]]:
    after = ""
    with bar("exporting", journal.count(filter)) as advance:
        while rows := journal.rows(filter, after=after, limit=STEP):
            yield rows
            after = rows[-1].cursor
            advance(len(rows))


def _salvaged(journal: EventQueries, unreadable: list[int]) -> Iterator[Sequence[Row]]:
    """Yield each event by its number. Those on damaged pages are skipped and added to `unreadable`."""
    from webhooks.errors import JournalUnavailable
    from webhooks.journal.sqlite.damage import is_damage

    last = int(journal.end())
    with bar("reading", last) as advance:
        for seq in range(1, last + 1):
            try:
                row = journal.get(seq)
            except JournalUnavailable as error:
                if error.__cause__ is None or not is_damage(error.__cause__):
                    raise
                unreadable.append(seq)
            else:
                yield [row] if row else []
            advance(1)


@contextlib.contextmanager
def _writing(file: str, *, force: bool) -> Iterator[IO[bytes]]:
    """Write the whole file or none: a temporary file beside it is synced and renamed."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    if path.exists() and not force:
        raise fail(f"{file} exists.", "Give another name, or --force.")
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
        raise fail(
            f"{file} cannot be written: {error.strerror or error}.", "Check the free space and your permissions."
        ) from None
    finally:
        partial.unlink(missing_ok=True)
