"""Changing many events by hand: audit context, confirmation and a progress bar."""

from __future__ import annotations

import getpass
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from webhooks.cli.output import fail

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from webhooks.journal import AuditContext
    from webhooks.operations.progress import Progress, ProgressListener

actor_option = click.option(
    "--who", "actor", default="", metavar="NAME", help="For the audit log. Default: this user at this host."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def audit_context(name: str, reason: str) -> AuditContext:
    """Return who acts and why, as one operation of the audit log."""
    from webhooks.operations import progress

    return progress.audit_context(name or _current_user(), reason)


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


@contextmanager
def bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar if stderr is a terminal. Call the yielded function with each step's size."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    progress: ProgressBar[int]
    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True) as progress:
        yield progress.update


@contextmanager
def progress_bars(
    show: Callable[[str, int], AbstractContextManager[Callable[[int], None]]] = bar,
) -> Iterator[ProgressListener]:
    """Show each phase of an operation by `show`. Yield the function that the operation reports to."""
    phase, done = "", 0
    advance: Callable[[int], None]

    with ExitStack() as stack:

        def report(progress: Progress) -> None:
            nonlocal phase, done, advance
            if progress.phase != phase:
                stack.close()
                advance = stack.enter_context(show(progress.phase, progress.total))
                phase, done = progress.phase, 0
            advance(progress.done - done)
            done = progress.done

        yield report


def _current_user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
