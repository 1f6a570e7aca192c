"""`segue reencrypt`: encrypt stored bodies with the current key, after a rotation or a switch on or off."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from webhooks.cli.output import fail, good, print_columns, print_json, warn

if TYPE_CHECKING:
    from webhooks.journal import Journal, ReencryptResult
    from webhooks.journal.protocol import EventOperations


@click.command(short_help="Encrypt stored bodies with the current key; switch encryption on or off.")
@click.option("--dry-run", is_flag=True, help="Only count the events by their key.")
@click.option("--from-start", is_flag=True, help="Start over, even if an earlier run was interrupted.")
@click.option(
    "--batch", type=click.IntRange(1, 10_000), default=500, show_default=True, help="Events in a transaction."
)
@click.option("--json", "as_json", is_flag=True)
def reencrypt(dry_run: bool, from_start: bool, batch: int, as_json: bool) -> None:
    """Encrypt every stored body with the first key of SEGUE_ENCRYPTION_KEY. The service may keep running.

    An interrupted run continues from its last position. To rotate keys: put the new key first and the old one after it,
    restart, run this, then remove the old key. To switch encryption off: put the word `plain` first.

    \b
    Examples:
      openssl rand -base64 32                              # a new key
      SEGUE_ENCRYPTION_KEY=new,old segue reencrypt --dry-run
      SEGUE_ENCRYPTION_KEY=new,old segue reencrypt
      SEGUE_ENCRYPTION_KEY=plain,old segue reencrypt       # in clear again
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal.encryption import Encryption
    from webhooks.journal.notes import ENCRYPTION, EncryptionKeys
    from webhooks.journal.open import is_absent, open_existing

    settings = configuration().settings
    encryption = Encryption(settings.encryption_key)
    if not settings.encryption_key and not dry_run:
        raise fail(
            "SEGUE_ENCRYPTION_KEY is not set, so there is nothing to encrypt with.",
            "Set it to 32 random bytes, such as `openssl rand -base64 32` prints; do not keep it beside the journal.",
        )
    journal = open_existing(settings.database, settings.encryption_key, change=not dry_run)
    try:
        if absent := is_absent(journal):
            raise absent
        by_key, changed, locked = _run(journal, encryption.current, batch, dry_run=dry_run, from_start=from_start)
        if not dry_run and not locked:
            keys = EncryptionKeys((encryption.current,) if encryption.on else ())
            ENCRYPTION.write(journal, keys, now=datetime.now(UTC))
    finally:
        journal.close()
    if as_json:
        print_json(
            {"key": encryption.current, "by_key": by_key, "changed": changed, "locked": locked, "dry_run": dry_run}
        )
    else:
        _print(by_key, changed, locked, encryption.current, encryption.ids, dry_run=dry_run)
    if locked:
        raise SystemExit(1)


def _run(journal: Journal, key: str, batch: int, *, dry_run: bool, from_start: bool) -> tuple[Counter[str], int, int]:
    """Return the rows by their previous key, how many were changed, and how many cannot be decrypted."""
    from webhooks.journal.notes import REENCRYPT, ReencryptProgress

    progress = None if from_start or dry_run else REENCRYPT.read(journal.notes())
    after, locked = (progress.after, progress.locked) if progress and progress.key == key else ("", 0)
    by_key: Counter[str] = Counter()
    changed = 0
    total = sum(journal.census().by_state.values())
    with click.progressbar(length=total, label="Events", file=sys.stderr) as bar:
        for step in _steps(journal, after, batch, dry_run=dry_run):
            by_key.update(step.by_key)
            changed += step.changed
            locked += step.locked
            if not dry_run:
                progress = ReencryptProgress(key=key, after=step.after, locked=locked if step.after else 0)
                REENCRYPT.write(journal, progress, now=datetime.now(UTC))
            bar.update(sum(step.by_key.values()))
    return by_key, changed, locked


def _steps(journal: EventOperations, after: str, batch: int, *, dry_run: bool) -> Iterator[ReencryptResult]:
    while True:
        step = journal.reencrypt(after=after, limit=batch, dry_run=dry_run)
        yield step
        after = step.after
        if not after:
            return


def _print(by_key: Counter[str], changed: int, locked: int, key: str, ids: frozenset[str], *, dry_run: bool) -> None:
    known = {"plain": "in clear", **dict.fromkeys(ids, "configured"), key: "in clear" if key == "plain" else "current"}
    if by_key and dry_run:
        rows = [[name, str(count), known.get(name, "NOT CONFIGURED")] for name, count in sorted(by_key.items())]
        print_columns(rows, heading=["key", "events", ""])
    how = "in clear" if key == "plain" else f"encrypted with key {key}"
    good(f"{changed} events {'would be' if dry_run else 'are now'} {how}; the others were already")
    if locked:
        warn(
            f"{locked} events cannot be decrypted with the configured keys and stay unchanged: add their key to "
            "SEGUE_ENCRYPTION_KEY after the first one (`segue reencrypt --dry-run` names it), and run this again"
        )
