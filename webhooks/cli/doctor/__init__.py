"""`segue doctor`: the whole way, looked at from here. `segue check` looks at the configuration alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from webhooks.cli.findings import Finding, report

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.journal import Journal

Examination = Callable[[], Iterator[Finding]]
_GRACE: Final = 2.0


@click.command(short_help="Look at the whole way: clock, disk, doors, public address, Segment, worker.")
@click.option("--send", is_flag=True, help="Send one real message to Segment, to be looked for in its debugger.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option(
    "--timeout", type=click.FloatRange(1, 120), default=10.0, show_default=True, help="Seconds for each step."
)
@click.option("--json", "as_json", is_flag=True)
def doctor(send: bool, strict: bool, timeout: float, as_json: bool) -> None:
    """Look at the whole way, from the provider's request to Segment, and say the mend for what is wrong.

    It does what `segue check` does, and then measures and asks: how long the disk takes to sync, whether the
    public address leads here, whether Segment answers and what its clock says, whether a
    worker lives. No event is changed; --send sends one message. Exit code 1 on a fault.

    \b
    Examples:
      segue doctor
      segue doctor --send
      segue doctor --json --timeout 5
    """  # noqa: D301
    found = _findings(timeout, send=send)
    raise report(
        found, as_json=as_json, strict=strict, well=lambda: "The way is clear, as far as it can be seen from here."
    )


def _findings(timeout: float, *, send: bool) -> Iterator[Finding]:
    from webhooks.cli import check
    from webhooks.cli.configuration import configuration
    from webhooks.errors import SegueError
    from webhooks.journal import open_existing

    stopped = False
    for finding in check.findings(journal=True):
        yield finding
        stopped = stopped or (finding.grade == "fault" and finding.about in {"configuration", "journal"})
    if stopped:
        return
    config = configuration()
    try:
        journal = open_existing(config.settings.database, config.settings.encryption_key, change=True)
    except SegueError as error:
        yield Finding("fault", "journal", f"{error.message}. {error.hint}")
        return
    try:
        for name, examination in _examinations(config, journal, timeout, send=send).items():
            yield from bounded(name, examination, timeout * 2 + _GRACE)
    finally:
        journal.close()


def _examinations(config: Configuration, journal: Journal, timeout: float, *, send: bool) -> dict[str, Examination]:
    from webhooks.cli.doctor import public, segment, standing, store

    now = datetime.now(UTC)
    return {
        "store": partial(store.examine, config.settings, journal, timeout),
        "public": partial(public.examine, config, journal, now, timeout),
        "segment": partial(segment.examine, config, timeout, send=send),
        "standing": partial(standing.examine, config, journal, now),
    }


def bounded(name: str, examination: Examination, seconds: float) -> list[Finding]:
    """What it found. One that raises or does not end in time is a finding itself, and is left behind."""
    found: list[Finding] = []

    def run() -> None:
        try:
            found.extend(examination())
        except Exception as error:  # noqa: BLE001 - the other examinations go on
            found.append(Finding("fault", name, f"{name} could not be looked at: {error!r}. Please report it"))

    thread = threading.Thread(target=run, name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        late = f"{name} was not done within {seconds:.0f} s: a name server or a network that does not answer?"
        return [*found, Finding("fault", name, late)]
    return found
