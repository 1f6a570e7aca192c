"""`segue demo`: run the whole service on free ports in a temporary folder, without any account."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from webhooks.cli.output import echo, fail, print_json

if TYPE_CHECKING:
    from webhooks.cli.demo.stack import Stack
    from webhooks.cli.demo.story import Scene


@click.command(short_help="See it work: real webhooks in, Segment messages out. No account needed.")
@click.option("--once", is_flag=True, help="Stop after the demo; exit code 1 if something did not arrive.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, and stop.")
def demo(once: bool, as_json: bool) -> None:
    """Start everything on free ports with a local stand-in for Segment, send signed Stripe webhooks to the real web
    server, and show each one beside its messages. Then keep running, for you to try, until Ctrl-C.

    \b
    Examples:
      segue demo
      segue demo --once
      segue demo --json
    """  # noqa: D301
    from webhooks.cli.demo.show import Show, as_data
    from webhooks.cli.demo.stack import Stack
    from webhooks.cli.demo.story import run_scene

    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    show = Show()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="segue-demo-")))
        if not as_json:
            echo("Starting a local stand-in for Segment, the web server and the delivery worker ...")
        stack = cleanup.enter_context(Stack(folder))
        if not as_json:
            show.opening(stack)
        scenes = run_scene(stack)
        if as_json:
            print_json(as_data(scenes))
        else:
            for scene in scenes:
                show.scene(scene)
            show.summary(scenes)
        ok = all(scene.ok for scene in scenes)
        if not (once or as_json):
            show.invitation(stack)
            _keep_serving(stack)
        if not ok:
            raise fail(
                _missing(scenes),
                "Run `segue demo` again; if it fails again, please report it with `segue demo --json`.",
            )


def _keep_serving(stack: Stack) -> None:
    try:
        while stack.is_running:
            time.sleep(0.2)
    except KeyboardInterrupt:
        echo("\nStopping ...")
        return
    raise fail("The service stopped unexpectedly.", f"The end of its log: {stack.last_log_lines()}")


def _missing(scenes: list[Scene]) -> str:
    wrong = [scene.title for scene in scenes if not scene.ok]
    return f"{len(wrong)} of {len(scenes)} webhooks did not have the expected result: {'; '.join(wrong)}."


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the cleanup
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if _number == signal.SIGTERM:
        sys.exit(0)
    raise KeyboardInterrupt
