"""The entry point: `python3 dev.py bench`; `--help` says more."""

from __future__ import annotations

import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import install, machine, plots, report
from bench.context import Context
from bench.measure import Results, Suite
from bench.options import Options, parse
from bench.runner import run, say, select


def main(words: Sequence[str] | None = None) -> int:
    """Install, measure, print and write. Return 1 if a row failed, 130 if the run was interrupted."""
    words = sys.argv[1:] if words is None else words
    options = parse(words)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="segue-bench-") as folder, ExitStack() as stack:
            return _measure(options, Path(folder), stack, shlex.join(["python3", "dev.py", "bench", *words]))
    except KeyboardInterrupt:
        say("interrupted; every process of the benchmark has ended, and nothing was written")
        return 130


def _measure(options: Options, folder: Path, stack: ExitStack, command: str) -> int:
    if options.install:
        install.install(say)
    missing = install.missing()
    for name, hint in missing.items():
        say(f"missing: {name} ({hint})")
    if (kind := machine.file_system(folder)) in {"tmpfs", "ramfs"}:
        say(f"the journals are on {kind}, where an fsync costs nothing: set TMPDIR to a folder on a disk")
    context = Context(options, folder, stack, missing)
    suites = [select(suite(name, context), options.rows) for name in options.suites]
    for table in suites:
        for row, reason in table.unavailable.items():
            say(f"left out of {table.name}: {row} ({reason})")
    start = time.monotonic()
    every = run([table for table in suites if table.cases], options.rounds, say)
    say(f"measured in {(time.monotonic() - start) / 60:.0f} min")
    used = "postgres" in vars(context)
    facts = machine.facts(command, folder, _release(context.postgres[0]) if used else "")
    sections = {"machine": report.machine(facts)}
    for results in every:
        images = draw(results, options.out, missing)
        sections[results.suite.name] = report.section(results, images)
    for name, text in sections.items():
        print(f"\n## {name}\n\n{text}")
    if options.out:
        say(f"written: {report.write(options.out, sections)}")
    failed = [(results.suite.name, *row, reason) for results in every for row, reason in results.failed.items()]
    for parts in failed:
        say("failed: " + ": ".join(part for part in parts if part))
    return 1 if failed else 0


def suite(name: str, context: Context) -> Suite:
    """Return the suite of a module of `bench.suites`."""
    made: Suite = import_module(f"bench.suites.{name}").suite(context)
    return made


def draw(results: Results, out: Path | None, missing: dict[str, str]) -> list[str]:
    """Draw the plots beside the page, if there is one and matplotlib is there; return their links."""
    if out is None or "matplotlib" in missing:
        return []
    return [f"img/{name}" for name in plots.draw(results, out / "img")]


def _release(url: str) -> str:
    import psycopg

    with psycopg.connect(url) as db:
        version = db.execute("SHOW server_version").fetchone()
    return str(version[0]).split()[0] if version else ""


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
