"""Changing many events by hand: who does it, whether it is meant, in steps, with a bar."""

from __future__ import annotations

import getpass
import socket
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import click

from webhooks.cli.output import fail

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from webhooks.journal import AuditContext

T = TypeVar("T")
STEP: Final = 500
"""Events changed in one transaction; those who append wait for it."""

who_option = click.option(
    "--who", default="", metavar="NAME", help="For the audit log. Default: this user at this host."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def audit_context(name: str, reason: str) -> AuditContext:
    """Who acts, and why; one operation for the audit log."""
    from webhooks.journal import AuditContext

    return AuditContext(actor=name or _somebody(), reason=reason, operation=uuid.uuid4().hex[:12])


def confirm(question: str, *, ask: bool) -> None:
    """Go on only when a person says so; without a terminal, a failure that names --yes."""
    if not ask:
        return
    if not terminal():
        raise fail(f"{question} Nobody is there to ask.", "Give --yes when it is meant, or --dry-run to see first.")
    click.confirm(question, abort=True, err=True)


def terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def steps(items: Sequence[T], size: int = 0) -> Iterator[Sequence[T]]:
    """The items, some at a time."""
    size = size or STEP
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Where stderr is a terminal, a progress bar on it; what it gives is told of each step's size."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    progress: ProgressBar[int]
    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True) as progress:
        yield progress.update


def _somebody() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
