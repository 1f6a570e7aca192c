"""The service with a clock that the testbed moves: `launch.py web` or `launch.py work`.

FAULT_STEP   a file with the seconds by which the clock is wrong at the moment
FAULT_SPEED  how much faster than the sun the worker's clocks run, so that an hour passes in a minute
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_BEGAN = time.time()
_TICKED = time.monotonic()
_SPEED = float(os.environ.get("FAULT_SPEED", "1"))
_STEP = os.environ.get("FAULT_STEP", "")


def clock() -> datetime:
    """Return aware UTC, by the wrong clock."""
    step = float(Path(_STEP).read_text()) if _STEP else 0.0
    return datetime.now(UTC) + timedelta(seconds=step)


def fast_clock() -> datetime:
    """Return the same, running ahead."""
    return clock() + timedelta(seconds=(time.time() - _BEGAN) * (_SPEED - 1))


def tick() -> float:
    """Return monotonic seconds."""
    return _TICKED + (time.monotonic() - _TICKED) * _SPEED


def create_app() -> Any:
    """Return the web application with this clock."""
    from webhooks.cli import gunicorn_conf

    _mislead_postgres()
    return gunicorn_conf.create_app(clock)


def _mislead_postgres() -> None:
    """Give the store the wrong clock too: it compares this machine's clock with the database's."""
    from webhooks.journal.postgres import database

    database.wall = lambda: round(clock().timestamp() * 1e6)


def main() -> None:
    if sys.argv[1] == "web":
        arguments = ["-m", "gunicorn", "--config", "python:webhooks.cli.gunicorn_conf", "launch:create_app()"]
        os.execv(sys.executable, [sys.executable, *arguments])
    from webhooks.cli.main import main as segue
    from webhooks.deliver.housekeeping import Housekeeping
    from webhooks.runtime import Runtime
    from webhooks.segment.client import Client

    _mislead_postgres()
    for function in (Runtime.load, Client.__init__, Housekeeping.__init__):
        defaults = function.__kwdefaults__
        assert defaults is not None
        defaults.update(
            {name: {"clock": fast_clock, "tick": tick}[name] for name in ("clock", "tick") if name in defaults}
        )
    if _SPEED != 1:
        wait = threading.Event.wait
        threading.Event.wait = lambda self, timeout=None: wait(self, timeout and timeout / _SPEED)  # type: ignore[method-assign]
    segue()


if __name__ == "__main__":
    main()
