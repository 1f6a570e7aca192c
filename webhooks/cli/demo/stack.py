"""The demo's processes: the stand-in for Segment and `segue serve`."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from webhooks.cli.children import start
from webhooks.cli.output import fail
from webhooks.errors import SegueError
from webhooks.http.client import request
from webhooks.http.outgoing import Unreachable
from webhooks.journal import Journal
from webhooks.runtime import Runtime
from webhooks.settings import Settings, variables
from webhooks.sources.plugins import Registry

START_TIMEOUT: Final = 45.0
GRACE: Final = 27.0


class Stack:
    """Start the processes on entry; stop them on exit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = f"whsec_demo_{secrets.token_hex(12)}"
        self.port, self.receiver_port = free_ports(2)
        self.received = folder / "received.jsonl"
        self.database = f"sqlite:///{folder}/segue.db"
        self._log = folder / "serve.log"
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """Return the web server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Return whether both processes run."""
        return all(process.poll() is None for process in self._processes)

    def __enter__(self) -> Self:
        try:
            self._start("webhooks.segment.fake", "--port", str(self.receiver_port), "--log", str(self.received))
            self._wait(f"http://127.0.0.1:{self.receiver_port}/")
            self._start("webhooks.cli", "serve")
            self._wait(f"{self.url}/readyz")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def journal(self) -> Journal:
        """Open the demo's journal; the caller closes it."""
        return Runtime(Settings(database=self.database), Registry()).open_journal()

    def messages(self) -> list[dict[str, Any]]:
        """Return every message that the stand-in for Segment has accepted."""
        if not self.received.exists():
            return []
        return [json.loads(line) for line in self.received.read_text().splitlines()]

    def last_log_lines(self) -> str:
        """Return the end of the service's log."""
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
        return "\n".join(lines[-5:]) or "none"

    def _start(self, module: str, *arguments: str) -> None:
        environment = variables(
            SEGMENT_WRITE_KEY="demo_write_key",
            SEGMENT_URL=f"http://127.0.0.1:{self.receiver_port}",
            STRIPE_WEBHOOK_SECRET=self.secret,
            SEGUE_DATABASE=self.database,
            SEGUE_ALLOW_SQLITE_ON_DYNO="true",
            SEGUE_HOST="127.0.0.1",
            PORT=str(self.port),
            WEB_CONCURRENCY="1",
            NO_PROXY="127.0.0.1",
            no_proxy="127.0.0.1",
        )
        with self._log.open("ab") as log:
            command = [sys.executable, "-P", "-m", module, *arguments]
            self._processes.append(start(command, cwd=self.folder, env=environment, output=log))

    def _wait(self, url: str) -> None:
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until and self.is_running:
            with suppress(Unreachable):
                if request("GET", url, timeout=2).status == HTTPStatus.OK:
                    return
            time.sleep(0.05)
        raise fail("The demo's service did not start.", f"The end of its log:\n{self.last_log_lines()}")


def free_ports(count: int) -> list[int]:
    """Return free ports of the loopback interface."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    except OSError as error:
        raise SegueError(f"no free port: {error}", hint="Stop some programs that listen, and try again.") from None
    finally:
        for probe in probes:
            probe.close()
