"""`segue doctor`: check the whole path from the provider to Segment. `segue check` checks the configuration only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from webhooks.cli.findings import Finding, report

if TYPE_CHECKING:
    from webhooks.journal import Journal
    from webhooks.runtime import Runtime

Examination = Callable[[], Iterator[Finding]]
_GRACE: Final = 2.0


@click.command(short_help="Check the whole path: clock, disk, endpoints, public address, Segment, worker.")
@click.option("--send", is_flag=True, help="Send one real message to Segment, to find in its debugger.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option(
    "--timeout", type=click.FloatRange(1, 120), default=10.0, show_default=True, help="Seconds for each step."
)
@click.option("--json", "as_json", is_flag=True)
def doctor(send: bool, strict: bool, timeout: float, as_json: bool) -> None:
    """Check the whole path from the provider's request to Segment, and show how to fix each problem.

    It makes the checks of `segue check`, then measures how long the disk takes to sync, and tests whether the public
    address leads here, whether Segment answers and its clock agrees, and whether a worker runs. No event is changed;
    --send sends one message. Exit code 1 on a fault.

    \b
    Examples:
      segue doctor
      segue doctor --send
      segue doctor --json --timeout 5
    """  # noqa: D301
    raise report(
        _findings(timeout, send=send),
        as_json=as_json,
        strict=strict,
        summary=lambda: "No problem was found from here.",
    )


def _findings(timeout: float, *, send: bool) -> Iterator[Finding]:
    from webhooks.cli import check
    from webhooks.cli.configuration import current_runtime
    from webhooks.errors import SegueError

    stopped = False
    for finding in check.findings(journal=True):
        yield finding
        stopped = stopped or (finding.grade == "fault" and finding.about in {"configuration", "journal"})
    if stopped:
        return
    runtime = current_runtime()
    try:
        journal = runtime.open_existing(change=True)
    except SegueError as error:
        yield Finding("fault", "journal", f"{error.message}. {error.hint}")
        return
    try:
        for name, examination in _examinations(runtime, journal, timeout, send=send).items():
            yield from bounded(name, examination, timeout * 2 + _GRACE)
    finally:
        journal.close()


def _examinations(runtime: Runtime, journal: Journal, timeout: float, *, send: bool) -> dict[str, Examination]:
    from webhooks.cli.doctor import health, public, segment, store

    now = datetime.now(UTC)
    return {
        "store": partial(store.examine, runtime.settings, journal, timeout),
        "public": partial(public.examine, runtime, journal, now, timeout),
        "segment": partial(segment.examine, runtime, timeout, send=send),
        "health": partial(health.examine, runtime, journal, now),
    }


def bounded(name: str, examination: Examination, seconds: float) -> list[Finding]:
    """Run an examination and return its findings. If it raises or times out, that is a finding too."""
    collected: list[Finding] = []

    def run() -> None:
        try:
            collected.extend(examination())
        except Exception as error:  # noqa: BLE001 - the other examinations go on
            collected.append(Finding("fault", name, f"{name} could not be checked: {error!r}. Please report it"))

    thread = threading.Thread(target=run, name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        late = f"{name} was not done within {seconds:.0f} s: a name server or a network that does not answer?"
        return [*collected, Finding("fault", name, late)]
    return collected
