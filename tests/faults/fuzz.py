"""Fuzz the webhook handler and the SOAP parser: every installed source, by each of its schemes.

    python tests/faults/fuzz.py --seconds 60                 guided by coverage if atheris is installed, else by hypothesis
    python tests/faults/fuzz.py --seconds 60 --engine dice   plain dice: ten times as many cases, and each has a number
    python tests/faults/fuzz.py --case 7-1750                one of them again

For atheris: `pip install atheris` into .venv. What must hold is in tests/support/fuzzing.py: no answer but the declared
ones, never a 5xx, never a 200 without a row, nothing stored on a rejection, no secret in an answer, and no exception
in any translator. The exit code is 1 if one of these did not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
INSTRUMENTED = (
    "webhooks.web.handler",
    "webhooks.web.wsgi",
    "webhooks.signatures",
    "webhooks.translation.translate",
    "translators",
)
FRESH = 3000
"""Cases after which an empty journal is begun, so that not all is a duplicate."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--engine", choices=("auto", "atheris", "hypothesis", "dice"), default="auto")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="of dice and hypothesis; printed (default: the time)"
    )
    parser.add_argument("--case", help="SEED-NUMBER of dice: try one case again, with its traceback")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    engine = arguments.engine if arguments.engine != "auto" else "atheris" if has_atheris() else "hypothesis"
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        if arguments.case:
            return again(Path(folder), arguments.case)
        print(f"{engine}, seed {arguments.seed}, {arguments.seconds:.0f} s")
        return {"atheris": by_atheris, "hypothesis": by_hypothesis, "dice": by_dice}[engine](Path(folder), arguments)


def has_atheris() -> bool:
    with contextlib.suppress(ImportError):
        import atheris  # noqa: F401

        return True
    return False


class Run:
    """Cases tried one after the other; what did not hold is kept once for each kind."""

    def __init__(self, folder: Path, seconds: float) -> None:
        from support.fuzzing import Tally

        self._folder = folder
        self._until = time.monotonic() + seconds
        self._began = time.monotonic()
        self._fuzzed: Any = None
        self.tally = Tally()
        self.soaps = self.soaps_read = 0
        self.slowest = (0.0, "")
        self.failed: dict[str, str] = {}

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._until

    def try_(self, choice: Any, name: str) -> None:
        from support import fuzzing
        from webhooks.journal import SqliteJournal

        if self.tally.cases % FRESH == 0:
            if self._fuzzed:
                self._fuzzed.journal.close()
            self._fuzzed = fuzzing.Fuzzed(SqliteJournal(self._folder / f"{self.tally.cases}.db"))
            self._fuzzed.tally = self.tally
        began = time.perf_counter()
        try:
            if choice.whole(0, 3) == 0:
                self.soaps += 1
                self.soaps_read += fuzzing.parse_soap(fuzzing.soap_body(choice))
            else:
                self._fuzzed.send(fuzzing.make_case(choice))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.failed.setdefault(f"{type(error).__name__} {last.filename}:{last.lineno} {str(error)[:400]}", name)
        took = time.perf_counter() - began
        if took > self.slowest[0]:
            self.slowest = (took, name)

    def report(self) -> int:
        tally, seconds = self.tally, time.monotonic() - self._began
        print(f"{tally.cases} requests and {self.soaps} SOAP bodies in {seconds:.0f} s")
        print("answers  ", ", ".join(f"{status}: {count}" for status, count in sorted(tally.answers.items())))
        print(
            "stored   ", tally.stored, "events:", ", ".join(f"{name} {n}" for name, n in tally.outcomes.most_common())
        )
        print("SOAP     ", self.soaps_read, "read,", self.soaps - self.soaps_read, "refused as malformed")
        print(f"slowest   {self.slowest[0] * 1000:.0f} ms ({self.slowest[1]})")
        for line, name in tally.raised.items():
            print(f"RAISED    the translator of {name}: {line}")
        for line, name in self.failed.items():
            print(f"FAILED    {name}: {line}")
        print(f"{len(self.failed)} failures, {len(tally.raised)} exceptions in translators")
        return int(bool(self.failed or tally.raised))


def again(folder: Path, name: str) -> int:
    from support.fuzzing import Dice

    run = Run(folder, 1)
    run.try_(Dice(name), name)
    return run.report()


def by_dice(folder: Path, arguments: argparse.Namespace) -> int:
    from support.fuzzing import Dice

    run = Run(folder, arguments.seconds)
    number = 0
    while not run.over:
        number += 1
        name = f"{arguments.seed}-{number}"
        run.try_(Dice(name), name)
    return run.report()


def by_hypothesis(folder: Path, arguments: argparse.Namespace) -> int:
    """Run rounds of a hundred examples, each round with a seed of its own."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    run = Run(folder, arguments.seconds)
    number = arguments.seed

    def example(data: Any) -> None:
        run.try_(Drawn(data), f"hypothesis seed {number}")

    bounds = settings(
        max_examples=100, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    while not run.over:
        number += 1
        seed(number)(bounds(given(st.data())(example)))()
    return run.report()


class Drawn:
    """Chance from hypothesis."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def whole(self, low: int, high: int) -> int:
        from hypothesis import strategies as st

        drawn: int = self._data.draw(st.integers(low, high))
        return drawn

    def raw(self, most: int) -> bytes:
        from hypothesis import strategies as st

        drawn: bytes = self._data.draw(st.binary(max_size=most))
        return drawn


def by_atheris(folder: Path, arguments: argparse.Namespace) -> int:
    """Fuzz guided by the coverage of the handler, the verifiers and the translators."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from support import fuzzing, installed_endpoints

        installed_endpoints.all_endpoints()

    class Provided:
        def __init__(self, data: bytes) -> None:
            self._data = atheris.FuzzedDataProvider(data)

        def whole(self, low: int, high: int) -> int:
            whole: int = self._data.ConsumeIntInRange(low, high)
            return whole

        def raw(self, most: int) -> bytes:
            raw: bytes = self._data.ConsumeBytes(self._data.ConsumeIntInRange(0, most))
            return raw

    run = Run(folder, arguments.seconds)

    def one(data: bytes) -> None:
        run.try_(Provided(data), f"atheris input {data.hex()[:2000]}")
        if run.over:  # libFuzzer's own end would take the report with it
            code = run.report()
            sys.stdout.flush()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(code)

    corpus = folder / "corpus"
    corpus.mkdir()
    for number in range(200):
        (corpus / str(number)).write_bytes(fuzzing.Dice(f"corpus-{number}").raw(4000))
    atheris.Setup([sys.argv[0], str(corpus), "-max_len=4096", "-verbosity=0"], one)
    atheris.Fuzz()
    return 1


if __name__ == "__main__":
    sys.exit(main())
