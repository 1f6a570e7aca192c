"""The demo's webhooks: what is sent, what was answered, and what arrived."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from translators.kit import from_iso, from_seconds
from webhooks.cli.configuration import runtime_or_default
from webhooks.cli.demo.stack import Stack
from webhooks.cli.post import PostResult, post
from webhooks.journal import Row, State
from webhooks.journal.protocol import EventQueries
from webhooks.signatures import sign

SOURCE: Final = "stripe"
SETTLE_TIMEOUT: Final = 30.0
_AGO: Final = re.compile(r'"@-(\d+)m"')


@dataclass(slots=True)
class Scene:
    """One webhook. `expect` is the final state in the journal, or the response's word if nothing is stored."""

    title: str
    type: str
    key: str
    occurred_at: datetime
    times: frozenset[datetime]
    sent_at: datetime
    expect: str
    answer: PostResult
    row: Row | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return whether the result is as expected, with the provider's own time on every message."""
        if self.expect not in set(State):
            return self.answer.word == self.expect and self.row is None
        if self.answer.word != "accepted" or self.row is None or self.row.state != self.expect:
            return False
        return bool(self.messages) == (self.expect == State.DELIVERED) and self.times_kept

    @property
    def times_kept(self) -> bool:
        """Return whether every message has a time of the webhook itself (`times`), not ours."""
        return all(from_iso(message["timestamp"]) in self.times for message in self.messages)


def run_scene(stack: Stack) -> list[Scene]:
    """Send every webhook, and wait until none is pending."""
    began = datetime.now(UTC)
    scheme = next(iter(runtime_or_default().registry.sources[SOURCE].schemes.values()))
    scenes: list[Scene] = []
    for entry in events(began):
        now = datetime.now(UTC)
        body = json.dumps(entry["body"], separators=(",", ":")).encode()
        how = entry.get("how")
        signed = sign(scheme, body=body, secret="whsec_forged" if how == "forged" else stack.secret, now=now)
        if how == "reprinted":
            signed = replace(signed, body=json.dumps(entry["body"], indent=2).encode())
        answer = post(f"{stack.url}/webhooks/{SOURCE}", signed)
        scenes.append(
            Scene(
                title=entry["title"], type=entry["body"]["type"], key=entry["body"]["id"],
                occurred_at=from_seconds(entry["body"]["created"]), times=entry["times"], sent_at=now,
                expect=entry["expect"], answer=answer,
            )
        )  # fmt: skip
    journal = stack.journal()
    try:
        _wait_until_settled(scenes, journal)
    finally:
        journal.close()
    received = stack.messages()
    for scene in scenes:
        if scene.row is not None:
            scene.messages = [message for message in received if message["context"]["webhook"]["id"] == scene.key]
    return scenes


def events(now: datetime) -> list[dict[str, Any]]:
    """Return the shipped payloads in order; `"@-34m"` becomes the unix time 34 minutes before `now`."""
    folder = files("webhooks.cli.demo") / "events"
    texts = [path.read_text("utf-8") for path in sorted(folder.iterdir(), key=lambda path: path.name)]
    return [_dated(text, int(now.timestamp())) for text in texts]


def _dated(text: str, now: int) -> dict[str, Any]:
    """Return one payload, with all the times in it."""
    entry: dict[str, Any] = json.loads(_AGO.sub(lambda ago: str(now - 60 * int(ago[1])), text))
    entry["times"] = frozenset(from_seconds(now - 60 * int(ago)) for ago in _AGO.findall(text))
    return entry


def _wait_until_settled(scenes: list[Scene], journal: EventQueries) -> None:
    """Wait until no accepted event is pending, and record each result."""
    accepted = [scene for scene in scenes if scene.answer.word == "accepted"]
    until = time.monotonic() + SETTLE_TIMEOUT
    while True:
        for scene in accepted:
            scene.row = journal.find(SOURCE, scene.key)
        waiting = [scene for scene in accepted if scene.row is None or scene.row.state is State.PENDING]
        if not waiting or time.monotonic() > until:
            return
        time.sleep(0.1)
