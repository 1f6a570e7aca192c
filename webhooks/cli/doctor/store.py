"""The journal's disk: how long a sync really takes, and whether it is a disk at all."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from webhooks.cli.check import damage_finding
from webhooks.cli.findings import Finding
from webhooks.journal import Journal, Verification, is_absent
from webhooks.monitoring.snapshot import folder
from webhooks.settings import Settings

ROUNDS: Final = 20
FAST: Final = 10e-6
"""No disk syncs in this: something before it says that it did."""
SLOW: Final = 0.05
_IN_MEMORY: Final = {"tmpfs", "ramfs"}
_MOUNTS: Final = Path("/proc/self/mounts")


def examine(settings: Settings, journal: Journal, timeout: float) -> Iterator[Finding]:
    """Measured, not believed."""
    where = folder(settings.database)
    if where is not None:
        yield from _kept(file_system(where))
        yield from judge("a sync of the journal's disk", sync(where), fast=FAST)
    if is_absent(journal):
        return
    yield Finding("ok", "store", "the journal's schema is the one of this version")  # else it would not have opened
    if where is not None:
        found = journal.verify(full=True, seconds=timeout)
        yield _verified(settings, found)
        if found.problems:
            return
    began = time.perf_counter()
    for _ in range(ROUNDS):
        journal.check()
    yield from judge("a durable commit", (time.perf_counter() - began) / ROUNDS, fast=0.0)


def _verified(settings: Settings, found: Verification) -> Finding:
    if found.problems:
        return damage_finding(settings.database_shown, found.problems)
    if found.complete:
        return Finding("ok", "store", "the file is not damaged, and its indexes agree with its rows")
    return Finding("ok", "store", "no damage was found; to read all of the file takes a longer --timeout")


def sync(where: Path) -> float:
    """Seconds that a small write and its fsync take, the median of some."""
    times = []
    with tempfile.TemporaryFile(dir=where) as file:
        for _ in range(ROUNDS):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def judge(what: str, seconds: float, *, fast: float) -> Iterator[Finding]:
    """Too good to be true, too slow for a webhook, or well."""
    told = f"{what} takes {seconds * 1000:.3g} ms"
    if seconds < fast:
        yield Finding(
            "warning", "store",
            f"{told}, which is faster than disks are: something answers before it is written, and a power cut may lose "
            "what was accepted. Turn off the write cache that is in between, or choose a disk that honours fsync",
        )  # fmt: skip
    elif seconds > SLOW:
        yield Finding(
            "warning", "store",
            f"{told}, which is slow: webhooks wait for it, though many share one. Choose a local disk rather than a "
            "network's, or one that is less busy",
        )  # fmt: skip
    else:
        yield Finding("ok", "store", told)


def file_system(where: Path) -> str:
    """The kind of file system that holds a folder; empty where that cannot be told."""
    try:
        mounts = [line.split()[1:3] for line in _MOUNTS.read_text().splitlines()]
    except (OSError, ValueError):
        return ""
    path = where.resolve()
    holding = [(len(Path(at).parts), kind) for at, kind in mounts if path.is_relative_to(at)]
    return max(holding)[1] if holding else ""


def _kept(kind: str) -> Iterator[Finding]:
    if kind in _IN_MEMORY:
        yield Finding(
            "fault", "store",
            f"the journal is on {kind}, in memory: a restart loses what was not delivered. Set SEGUE_DATABASE to a "
            "file on a disk",
        )  # fmt: skip
    elif kind == "overlay":
        yield Finding(
            "warning", "store",
            "the journal is in a container's own layer, which goes with the container: mount a volume and set "
            "SEGUE_DATABASE to a file on it",
        )  # fmt: skip
