"""`segue export`: events as JSON lines, whole and as they stand."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import click

from webhooks.cli import jsonl
from webhooks.cli.acting import STEP, act, bar, by_whom
from webhooks.cli.choose import Choice, choosing
from webhooks.cli.output import echo, fail, print_json, warn
from webhooks.cli.rows import opened

if TYPE_CHECKING:
    from webhooks.journal import Filter, Journal


@click.command(short_help="Write events to a file of JSON lines.")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@choosing()
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@click.option("--reason", default="", help="For the audit log.")
@by_whom
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON (on stderr where FILE is -).")
def export(choice: Choice, file: str, force: bool, reason: str, who: str, as_json: bool) -> None:
    """Write the events that the options choose, or all, to FILE (- is stdout; .gz is compressed), oldest first.

    Each line is an event with its exact body, headers, state, times and history; the first line says what the file is
    and the last how many there are, so that a file cut short is noticed. Bodies hold personal data: FILE is readable by
    you alone.

    \b
    Examples:
      segue export all.jsonl.gz
      segue export dead.jsonl --state dead --since 30d
      segue export - --source stripe | wc -l
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.errors import JournalUnavailable
    from webhooks.journal import is_absent

    config = configuration()
    with opened(config, change=True) as journal:
        if absent := is_absent(journal):
            raise absent
        now = datetime.now(UTC)
        filter = choice.filter(journal, now)
        by = act(who, reason or "exported by hand")
        with _writing(file, force=force) as out:
            count = _export(journal, filter, out, now)
        try:
            journal.audit("export", {"file": file, "events": count, "chosen": choice.told()}, by=by, now=now)
        except JournalUnavailable as error:  # its disk may be full: that is when an export is needed
            warn(f"not noted in the audit log: {error.message}")
    if as_json and file == "-":
        echo(f'{{"exported": {count}}}', err=True)
    elif as_json:
        print_json({"exported": count, "file": file})
    else:
        echo(f"{count} events written to {'stdout' if file == '-' else file}.", err=True)


def _export(journal: Journal, filter: Filter, out: IO[bytes], now: datetime) -> int:
    digest = hashlib.sha256()
    count, after = 0, ""
    out.write(jsonl.head(now))
    with bar("exporting", journal.count(filter)) as tell:
        while rows := journal.rows(filter, after=after, limit=STEP):
            for row in rows:
                if row.locked:
                    raise fail(
                        f"Event {row.seq} ({row.event.source}/{row.event.key}) is {row.locked}.",
                        "Add that key to SEGUE_ENCRYPTION_KEY, behind the first; nothing was written.",
                    )
                line = jsonl.line(row)
                digest.update(line)
                out.write(line)
            count += len(rows)
            after = rows[-1].cursor
            tell(len(rows))
    out.write(jsonl.foot(count, digest.hexdigest()))
    return count


@contextlib.contextmanager
def _writing(file: str, *, force: bool) -> Iterator[IO[bytes]]:
    """The whole file or none: written beside it, synced, and put in its place."""
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
            f"{file} cannot be written: {error.strerror or error}.", "Is there room, and may you write?"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
