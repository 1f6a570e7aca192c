"""`segue reencrypt`: encrypt stored bodies with the current key, after a rotation or a switch on or off."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from webhooks.cli.confirm import progress_bars
from webhooks.cli.output import fail, good, print_columns, print_json, warn

if TYPE_CHECKING:
    from webhooks.operations.reencrypt import ReencryptReport


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
    from webhooks.cli.configuration import current_runtime
    from webhooks.journal.encryption import Encryption
    from webhooks.operations import reencrypt as operation

    runtime = current_runtime()
    settings = runtime.settings
    encryption = Encryption(settings.encryption_key)
    if not settings.encryption_key and not dry_run:
        raise fail(
            "SEGUE_ENCRYPTION_KEY is not set, so there is nothing to encrypt with.",
            "Set it to 32 random bytes, such as `openssl rand -base64 32` prints; do not keep it beside the journal.",
        )
    journal = runtime.open_existing(change=not dry_run)
    request = operation.ReencryptRequest(dry_run=dry_run, from_start=from_start, batch=batch)
    try:
        with progress_bars(_bar) as report:
            result = operation.run(journal, encryption, request, clock=lambda: datetime.now(UTC), report=report)
    finally:
        journal.close()
    if as_json:
        print_json(
            {
                "key": result.key, "by_key": result.by_key, "changed": result.changed, "locked": result.locked,
                "dry_run": dry_run,
            }
        )  # fmt: skip
    else:
        _print(result, encryption.ids, dry_run=dry_run)
    if result.locked:
        raise SystemExit(1)


@contextmanager
def _bar(_: str, length: int) -> Iterator[Callable[[int], None]]:
    """Show a bar, and without a terminal its label."""
    with click.progressbar(length=length, label="Events", file=sys.stderr) as bar:
        yield bar.update


def _print(result: ReencryptReport, ids: frozenset[str], *, dry_run: bool) -> None:
    by_key, changed, locked, key = result.by_key, result.changed, result.locked, result.key
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
