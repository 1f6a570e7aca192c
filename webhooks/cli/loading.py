"""Events that `segue import` and `segue move` could not store, as a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from webhooks.cli.output import bad, echo, identifier, print_columns, short

if TYPE_CHECKING:
    from webhooks.operations.load import SkippedEvent

SHOWN: Final = 20
"""Events shown on the terminal, of each list."""


def print_skipped(what: str, skipped: Sequence[SkippedEvent]) -> None:
    """Print a list of events, at most 20."""
    if not skipped:
        return
    bad(f"{len(skipped)} events {what}:")
    rows = [[str(one.seq), one.source, identifier(one.key), one.state, short(one.why)] for one in skipped[:SHOWN]]
    print_columns(rows, heading=["#", "source", "key", "state", "why"])
    if len(skipped) > SHOWN:
        echo(f"... and {len(skipped) - SHOWN} more; --json has them all.")
