"""Check the journal's disk: how long a sync takes, and whether it is a disk at all."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from webhooks.cli.check import damage_finding
from webhooks.cli.findings import Finding
from webhooks.journal import Verification, is_absent
from webhooks.journal.protocol import EventOperations, Store
from webhooks.monitoring.snapshot import folder
from webhooks.settings import Settings

ROUNDS: Final = 20
FAST: Final = 10e-6
"""No disk syncs faster than this, in seconds; below it, something acknowledges early."""
SLOW: Final = 0.05
_IN_MEMORY: Final = {"tmpfs", "ramfs"}
_MOUNTS: Final = Path("/proc/self/mounts")


class VerifiableJournal(EventOperations, Store, Protocol):
    """What `examine` uses of the journal."""


def examine(settings: Settings, journal: VerifiableJournal, timeout: float) -> Iterator[Finding]:
    """Measure the disk and verify the journal."""
    path = folder(settings.database)
    if path is not None:
        yield from _file_system_finding(file_system(path))
        yield from timing_finding("a sync of the journal's disk", sync(path), fast=FAST)
    if is_absent(journal):
        return
    yield Finding("ok", "store", "the journal's schema is the one of this version")  # checked when it was opened
    if path is not None:
        verification = journal.verify(full=True, seconds=timeout)
        yield _verified(settings, verification)
        if verification.problems:
            return
    began = time.perf_counter()
    for _ in range(ROUNDS):
        journal.check()
    yield from timing_finding("a durable commit", (time.perf_counter() - began) / ROUNDS, fast=0.0)


def _verified(settings: Settings, verification: Verification) -> Finding:
    if verification.problems:
        return damage_finding(settings.database_shown, verification.problems)
    if verification.complete:
        return Finding("ok", "store", "the file is not damaged, and its indexes agree with its rows")
    return Finding("ok", "store", "no damage was found; use a longer --timeout to read all of the file")


def sync(path: Path) -> float:
    """Return the median seconds of a small write with fsync."""
    times = []
    with tempfile.TemporaryFile(dir=path) as file:
        for _ in range(ROUNDS):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def timing_finding(what: str, seconds: float, *, fast: float) -> Iterator[Finding]:
    """Report whether a time is implausibly fast, too slow for a webhook, or fine."""
    measured = f"{what} takes {seconds * 1000:.3g} ms"
    if seconds < fast:
        yield Finding(
            "warning", "store",
            f"{measured}, which is faster than any disk: something answers before the data is written, and a power cut "
            "may lose accepted events. Turn off the write cache, or choose a disk that honours fsync",
        )  # fmt: skip
    elif seconds > SLOW:
        yield Finding(
            "warning", "store",
            f"{measured}, which is slow: webhooks wait for it. Choose a local disk instead of a network disk, or a "
            "less busy one",
        )  # fmt: skip
    else:
        yield Finding("ok", "store", measured)


def file_system(path: Path) -> str:
    """Return the type of the file system of a folder, or an empty text if it is unknown."""
    try:
        mounts = [line.split()[1:3] for line in _MOUNTS.read_text().splitlines()]
    except (OSError, ValueError):
        return ""
    path = path.resolve()
    holding = [(len(Path(at).parts), kind) for at, kind in mounts if path.is_relative_to(at)]
    return max(holding)[1] if holding else ""


def _file_system_finding(kind: str) -> Iterator[Finding]:
    if kind in _IN_MEMORY:
        yield Finding(
            "fault", "store",
            f"the journal is on {kind}, in memory: a restart loses events that were not delivered. Set SEGUE_DATABASE "
            "to a file on a disk",
        )  # fmt: skip
    elif kind == "overlay":
        yield Finding(
            "warning", "store",
            "the journal is in the container's own layer, which is deleted with it: mount a volume and set "
            "SEGUE_DATABASE to a file on it",
        )  # fmt: skip
