"""A measurement in a process of its own: `python -m bench.job MODULE:FUNCTION JSON` prints the function's result."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.processes import CommandError, running

ROOT = Path(__file__).resolve().parent.parent


def job(function: Callable[..., Any], folder: Path, *, gevent: bool = False, **arguments: Any) -> Any:
    """Call a function in a new process, whose folder is `folder`; return its result. gevent patches the whole of it."""
    patch = ["--gevent"] if gevent else []
    words = [sys.executable, "-m", "bench.job", *patch, f"{function.__module__}:{function.__name__}"]
    with running([*words, json.dumps(arguments)], folder=folder, environment={"PYTHONPATH": str(ROOT)}) as tree:
        tree.wait_for_end(900)
        lines = tree.output.strip().splitlines()
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        raise CommandError(f"{function.__name__} returned no figures: {' '.join(lines)[-500:]}") from None


def python(*words: str) -> list[str]:
    """Return a command of this Python."""
    return [sys.executable, *words]


def main(words: list[str]) -> None:
    """Run one job."""
    if words[0] == "--gevent":
        from gevent import monkey

        monkey.patch_all()
        words = words[1:]
    module, _, name = words[0].partition(":")
    logging.disable(logging.WARNING)
    result = getattr(importlib.import_module(module), name)(**json.loads(words[1]))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
