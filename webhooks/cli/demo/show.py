"""Output of the demo: each webhook beside its messages; plain text without a terminal."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from translators.kit import from_iso, to_iso
from webhooks.cli.demo.stack import Stack
from webhooks.cli.demo.story import Scene
from webhooks.cli.output import echo
from webhooks.journal import State

MOST_FIELDS: Final = 6
_SKIPPED: Final = {"products", "items", "metadata"}


class Show:
    """Print the demo to stdout."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.plain = not self.console.is_terminal

    def opening(self, stack: Stack) -> None:
        """Print the addresses."""
        echo(f"Endpoint  {stack.url}/webhooks/stripe")
        echo(f"Segment   http://127.0.0.1:{stack.receiver_port} (a local stand-in, as strict as the real one)\n")

    def scene(self, scene: Scene) -> None:
        """Print one webhook beside its result."""
        left, right = _request_lines(scene), _result_lines(scene)
        if self.plain:
            echo(f"== {scene.title}")
            for line in left:
                echo(f"   {line}")
            for line in right:
                echo(f"   -> {line}")
            echo()
            return
        mark = "[green]✓[/]" if scene.ok else "[red]✗[/]"
        table = Table(show_header=False, expand=True, box=None, padding=(0, 1), title_justify="left")
        table.title = Text.from_markup(f"{mark} [bold]{scene.title}[/]")
        table.add_column(ratio=9)
        table.add_column(ratio=11)
        table.add_row(_lines(left, "cyan"), _lines(right, "green" if scene.messages else "yellow"))
        self.console.print(table)
        self.console.print()

    def summary(self, scenes: Sequence[Scene]) -> None:
        """Print totals, and whose timestamps the messages have."""
        words = [scene.answer.word for scene in scenes]
        messages = [message for scene in scenes for message in scene.messages]
        refused = sum(scene.answer.status >= 400 for scene in scenes)
        lag = [scene.sent_at - scene.occurred_at for scene in scenes if scene.messages]
        kept = sum(len(scene.messages) for scene in scenes if scene.times_kept)
        ids = {message["messageId"] for message in messages}
        echo(
            f"{len(scenes)} webhooks: {words.count('accepted')} accepted, {words.count('duplicate')} duplicate, "
            f"{refused} rejected.  {len(messages)} messages delivered, {len(ids)} different ids.",
            bold=True,
        )
        if lag:
            echo(
                f"{kept} of {len(messages)} messages have Stripe's own timestamp, {_span(min(lag))} to "
                f"{_span(max(lag))} before their webhook arrived."
            )
        echo()

    def invitation(self, stack: Stack) -> None:
        """Print commands to try."""
        example = stack.folder / "event.json"
        example.write_text(_EXAMPLE.replace("CREATED", str(int(datetime.now().timestamp()) - 600)))  # noqa: DTZ005 - unix time
        command = shlex.join(
            [*_segue(), "send", "stripe", str(example), "--to", stack.url, "--secret", stack.secret]
        )  # fmt: skip
        echo("It keeps running until Ctrl-C. In another terminal:", bold=True)
        for what, line in (
            ("Send a webhook (again: `duplicate`):", command),
            ("Send one with a changed body:", f"{command} --tamper"),
            ("Look at the endpoint:", f"curl {stack.url}/webhooks/stripe"),
            ("See what Segment received:", f"tail -f {stack.received}"),
        ):
            echo(f"  {what}\n    {line}")
        echo("For real: `segue --help`.")


def as_data(scenes: Sequence[Scene]) -> dict[str, Any]:
    """Return the demo for `--json`."""
    return {
        "ok": all(scene.ok for scene in scenes),
        "webhooks": [
            {
                "title": scene.title, "type": scene.type, "id": scene.key, "occurred_at": to_iso(scene.occurred_at),
                "sent_at": to_iso(scene.sent_at), "answer": {"status": scene.answer.status, **scene.answer.content},
                "state": scene.row.state.value if scene.row else None, "reason": scene.row.reason if scene.row else "",
                "ok": scene.ok, "messages": scene.messages,
            }
            for scene in scenes
        ],
    }  # fmt: skip


def _request_lines(scene: Scene) -> list[str]:
    ago = _span(scene.sent_at - scene.occurred_at)
    lines = [scene.type, scene.key, f"happened {_clock(scene.occurred_at)}, {ago} before it arrived"]
    return [*lines, f"answered {scene.answer.status} {scene.answer.word}"]


def _result_lines(scene: Scene) -> list[str]:
    if scene.row is None:
        reason = scene.answer.content.get("reason")
        return [str(reason), "nothing was stored"] if reason else ["nothing new: Stripe's event id is already stored"]
    if scene.row.state is not State.DELIVERED:
        return [f"{scene.row.state.value}: {scene.row.reason.strip()}", "kept in the journal, no message"]
    return [line for message in scene.messages for line in _message(message)]


def _message(message: dict[str, Any]) -> list[str]:
    person = (
        f"userId {message['userId']}" if "userId" in message else f"anonymousId {message.get('anonymousId', '')[:13]}…"
    )
    fields = message.get("properties") or message.get("traits") or {}
    shown = [
        f"{name} {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in fields.items()
        if name not in _SKIPPED and not isinstance(value, dict | list)
    ]
    lines = [
        f"{message['type']} {message.get('event', '')}".strip() + f"  ({person})",
        f"  timestamp {_clock(from_iso(message['timestamp']))}",
    ]
    more = [f"and {len(shown) - MOST_FIELDS} more"] if len(shown) > MOST_FIELDS else []
    return lines + ([f"  {', '.join(shown[:MOST_FIELDS] + more)}"] if shown else [])


def _lines(lines: Sequence[str], colour: str) -> Text:
    text = Text()
    for number, line in enumerate(lines):
        heading = not line.startswith(" ") and (number == 0 or colour == "green")
        text.append(line + ("\n" if number < len(lines) - 1 else ""), style=colour if heading else "")
    return text


def _clock(time: datetime) -> str:
    return f"{time:%H:%M:%S} UTC"


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    return f"{minutes} min" if minutes else f"{seconds} s"


def _segue() -> list[str]:
    """Return the command that runs this program."""
    return [sys.executable, "-m", "segue"] if sys.argv[0].endswith(".py") else [sys.argv[0]]


_EXAMPLE: Final = """{
  "id": "evt_demo_yours", "object": "event", "type": "customer.created", "created": CREATED, "livemode": true,
  "data": {"object": {"id": "cus_demo_yours", "object": "customer", "created": CREATED, "email": "you@example.com",
                      "name": "You", "metadata": {"user_id": "user_you"}}}
}
"""
