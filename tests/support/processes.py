"""Run real processes of the command line in a temporary folder, with a source from segue.toml."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TOML = """
[sources.acme]
scheme = { class = "HmacBody", header = "X-Acme-Signature" }
id = "id"
type = "type"
time = "at"
identity = { user_id = "user", metadata = "meta" }
events."order.paid" = { track = "Order Completed", fields = { order_id = "order" } }
ignore."test.*" = "a test"
"""
SECRET = "acme_secret_of_tests"
EVENT = b'{"id": "evt_1", "type": "order.paid", "at": "2026-03-31T12:00:00Z", "user": "u1", "order": "o1"}'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    (folder / "segue.toml").write_text(TOML)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ACME_WEBHOOK_SECRET": SECRET,
        "SEGUE_DATABASE": f"sqlite:///{folder}/segue.db",
        "SEGUE_HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
        **more,
    }


@contextlib.contextmanager
def segue(folder: Path, *arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command; at the end kill its session if it is still running."""
    with (folder / "output.txt").open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webhooks.cli", *arguments],
            cwd=folder, env=environment(folder, **environ), stdout=output, stderr=output, text=True,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def standin(*arguments: str) -> Iterator[str]:
    """Run a local stand-in for Segment in its own process, and yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "webhooks.segment.fake", "--port", str(port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until(lambda: get(port, "/") == 200, "the receiver")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def output(folder: Path) -> str:
    return (folder / "output.txt").read_text()


def get(port: int, path: str) -> int:
    """Return the status of a GET, or 0 if nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def until(condition: Callable[[], bool], what: Callable[[], str] | str = "it", *, timeout: float = 40.0) -> None:
    """Wait until a condition is true; the error names it."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.05)
