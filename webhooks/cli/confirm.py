"""Changing many events by hand: audit context, confirmation, steps and a progress bar."""

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
"""Events changed in one transaction; appends wait for it."""

actor_option = click.option(
    "--who", "actor", default="", metavar="NAME", help="For the audit log. Default: this user at this host."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def audit_context(name: str, reason: str) -> AuditContext:
    """Return who acts and why, as one operation of the audit log."""
    from webhooks.journal import AuditContext

    return AuditContext(actor=name or _current_user(), reason=reason, operation=uuid.uuid4().hex[:12])


def confirm(question: str, *, ask: bool) -> None:
    """Continue only if the user confirms. Without a terminal, raise a failure that names --yes."""
    if not ask:
        return
    if not terminal():
        raise fail(
            f"{question} Without a terminal there is no one to ask.",
            "Give --yes to confirm, or --dry-run to look first.",
        )
    click.confirm(question, abort=True, err=True)


def terminal() -> bool:
    """Return whether the user can be asked."""
    return sys.stdin.isatty()


def steps(items: Sequence[T], size: int = 0) -> Iterator[Sequence[T]]:
    """Yield the items in chunks of `size`."""
    size = size or STEP
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar if stderr is a terminal. Call the yielded function with each step's size."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    progress: ProgressBar[int]
    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True) as progress:
        yield progress.update


def _current_user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
