"""The arguments of `python3 dev.py bench`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import database

SUITES = ("ingest", "delivery", "latency", "wake", "backlog", "translate", "disk", "journal", "steps")
SHORTEST = 5_000
"""Events of a backlog: three claims of 1,000 are taken from it."""
ROOT = Path(__file__).resolve().parent.parent
QUICK = ("bare Flask", "bare Flask, Segue's settings", "Segue", "segment-analytics-python, defaults", "no journal")
"""The rows of the short form: those that need no other server and no package beyond the development ones."""
DESCRIPTION = """Measure Segue beside its peers on this machine, interleaved, and write the tables and plots.

    python3 dev.py bench                                    everything; writes docs/performance.md and docs/img
    python3 dev.py bench --only ingest --rows Express       the rows of a table whose name contains a text
    python3 dev.py bench --only ingest,delivery --out /tmp/bench
    python3 dev.py bench --quick                            a minute, one round, few rows, nothing is installed

Every process runs on this machine's loopback and is ended with the command, also by Ctrl-C. Suites:
ingest (requests a second), delivery (messages a second), latency (received to delivered), wake (an idle worker),
backlog (draining and receiving beside a long backlog), translate (processor time an event), disk (bytes written),
journal (appends), steps (processor time an event, step by step).
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, how often and how long, and where the page goes."""

    suites: tuple[str, ...] = SUITES
    rows: str = ""
    rounds: int = 5
    seconds: float = 3.0
    connections: tuple[int, ...] = (8, 32, 128)
    events: int = 20_000
    backlog: tuple[int, int] = (10_000, 1_000_000)
    postgres: str = database.OWN
    out: Path | None = None
    quick: bool = False
    install: bool = True
    processes: int = 2


def parse(arguments: Sequence[str]) -> Options:
    """Return the options, or end with argparse's message."""
    parser = argparse.ArgumentParser(
        prog="python3 dev.py bench", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=_suites, default=SUITES, metavar="SUITES", help="by commas, of those above")
    parser.add_argument("--rows", default="", metavar="TEXT", help="only rows whose name contains it, and their base")
    parser.add_argument("--rounds", type=_positive, default=5, help="measurements of each row (default 5)")
    parser.add_argument("--seconds", type=_seconds, default=3.0, help="of load for a measurement (default 3)")
    parser.add_argument("--connections", type=_numbers, default=(8, 32, 128), help="by commas (default 8,32,128)")
    parser.add_argument("--events", type=_positive, default=20_000, help="to deliver for a figure (default 20000)")
    parser.add_argument(
        "--backlog", type=_two, default=(10_000, 1_000_000), metavar="SHORT,LONG", help="default 10000,1000000"
    )
    parser.add_argument("--postgres", default=database.OWN, metavar="URL", help=database.HELP)
    parser.add_argument("--out", type=Path, help="folder of the page and of img (default docs; with --rows none)")
    parser.add_argument("--print", action="store_true", help="print the tables and write nothing")
    parser.add_argument("--quick", action="store_true", help="a minute, one round, few rows; prints, installs nothing")
    parser.add_argument("--no-install", action="store_true", help="leave out what is not there")
    args = parser.parse_args(list(arguments))
    if args.quick:
        return Options(
            rounds=1, seconds=min(args.seconds, 1.0), connections=(32,), events=2_000, backlog=(5_000, 20_000),
            suites=args.only, rows=args.rows, postgres="", out=None, quick=True, install=False,
        )  # fmt: skip
    out = None if args.print else args.out or (None if args.rows else ROOT / "docs")
    return Options(
        suites=args.only, rows=args.rows, rounds=args.rounds, seconds=args.seconds, connections=args.connections,
        events=args.events, backlog=args.backlog, postgres=args.postgres, out=out,
        install=not args.no_install,
    )  # fmt: skip


def _suites(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(set(names) - set(SUITES))
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'} is not one of {', '.join(SUITES)}")
    return tuple(name for name in SUITES if name in names)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number <= 600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 600")
    return number


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))


def _two(text: str) -> tuple[int, int]:
    numbers = _numbers(text)
    if len(numbers) != 2 or not SHORTEST <= numbers[0] < numbers[1]:
        raise argparse.ArgumentTypeError(f"{text} is not two rising numbers from {SHORTEST:,}")
    return numbers[0], numbers[1]
