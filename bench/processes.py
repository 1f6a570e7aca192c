"""Processes of a measurement: started in a session of their own, counted as a tree, and always ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1
TERMINATION = 15.0
"""Seconds from SIGTERM to SIGKILL."""
STRACE = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o")


class CommandError(RuntimeError):
    """A process ended or did what it should not; the text has the end of its output."""


class ProcessTree:
    """A process and its descendants. With `trace`, its fsyncs are counted by strace."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        trace: bool = False,
    ) -> None:
        self.name = Path(command[0]).name
        self._output = Path(tempfile.mkstemp(prefix="output-", dir=folder)[1])
        self._trace = Path(tempfile.mkstemp(prefix="trace-", dir=folder)[1]) if trace else None
        whole = [*STRACE, str(self._trace), *command] if trace else list(command)
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                whole, cwd=folder, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=_end_with_parent,  # noqa: PLW1509 - it only asks the kernel for something
            )  # fmt: skip
        self._root = psutil.Process(self._process.pid)

    @property
    def output(self) -> str:
        """Return what it has written so far."""
        return self._output.read_text(errors="replace")

    @property
    def fsyncs(self) -> int:
        """Return the calls of fsync and fdatasync so far."""
        return len(self._trace.read_bytes().splitlines()) if self._trace else 0

    def cpu_seconds(self) -> float:
        """Return the processor time of the whole tree."""
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def require_running(self) -> None:
        """Raise CommandError if it has ended."""
        if self._process.poll() is not None:
            raise CommandError(f"{self.name} ended with {self._process.returncode}: {self.output[-1500:].strip()}")

    def wait_for_port(self, port: int, seconds: float = 60.0) -> None:
        """Return when something listens on the loopback's port."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.require_running()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise CommandError(f"{self.name} did not listen within {seconds:.0f} s: {self.output[-1500:].strip()}")

    def wait_for_line(self, seconds: float = 60.0) -> str:
        """Return its first line of output."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            line, newline, _ = self.output.partition("\n")
            if newline:
                return line
            self.require_running()
            time.sleep(0.02)
        raise CommandError(f"{self.name} wrote no line within {seconds:.0f} s")

    def wait_for_end(self, seconds: float = 60.0) -> None:
        """Return when it has ended well."""
        if self._process.wait(seconds):
            self.require_running()

    def stop(self) -> None:
        """End the tree: SIGTERM to its first process, and SIGKILL to what is left after `TERMINATION` seconds."""
        tree = self._tree()
        first = tree[1] if self._trace and len(tree) > 1 else self._root  # strace with -o blocks SIGTERM
        with contextlib.suppress(psutil.NoSuchProcess):
            first.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(TERMINATION)
        for process in {*tree, *self._tree()}:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return [self._root]


@contextmanager
def running(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None, trace: bool = False
) -> Iterator[ProcessTree]:
    """Run a command until the block ends."""
    tree = ProcessTree(command, folder=folder, environment=environment, trace=trace)
    try:
        yield tree
    finally:
        with uninterrupted():
            tree.stop()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C: a second one would leave processes behind."""
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def free_port() -> int:
    """Return a port of the loopback that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:  # in the child
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
