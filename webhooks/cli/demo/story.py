"""The demo's webhooks: what is sent, what was answered, and what arrived at the other end."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from translators.kit import from_iso, from_seconds
from webhooks.cli.demo.stack import Stack
from webhooks.cli.post import PostResult, post
from webhooks.journal import Journal, Row, State
from webhooks.signatures import Signed, sign
from webhooks.sources.plugins import load

SOURCE: Final = "stripe"
PATIENCE: Final = 30.0
_AGO: Final = re.compile(r'"@-(\d+)m"')


@dataclass(slots=True)
class Scene:
    """One webhook. `expect` is the journal's state in the end, or the answer's word where nothing is stored."""

    title: str
    type: str
    key: str
    occurred_at: datetime
    told: frozenset[datetime]
    sent_at: datetime
    expect: str
    answer: PostResult
    row: Row | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether it ended as it should, with the provider's own time on every message."""
        if self.expect not in set(State):
            return self.answer.word == self.expect and self.row is None
        if self.answer.word != "accepted" or self.row is None or self.row.state != self.expect:
            return False
        return bool(self.messages) == (self.expect == State.DELIVERED) and self.times_kept

    @property
    def times_kept(self) -> bool:
        """Every message carries a time that the webhook itself tells (`told`), and so not ours."""
        return all(from_iso(message["timestamp"]) in self.told for message in self.messages)


def run_scene(stack: Stack) -> list[Scene]:
    """Send every webhook, and wait until each has come to rest."""
    began = datetime.now(UTC)
    scheme = next(iter(load().sources[SOURCE].schemes.values()))
    scenes: list[Scene] = []
    for entry in events(began):
        now = datetime.now(UTC)
        body = json.dumps(entry["body"], separators=(",", ":")).encode()
        how = entry.get("how")
        signed = sign(scheme, body=body, secret="whsec_forged" if how == "forged" else stack.secret, now=now)
        if how == "reprinted":
            signed = Signed(json.dumps(entry["body"], indent=2).encode(), signed.headers)
        answer = post(f"{stack.url}/webhooks/{SOURCE}", signed)
        scenes.append(
            Scene(
                title=entry["title"], type=entry["body"]["type"], key=entry["body"]["id"],
                occurred_at=from_seconds(entry["body"]["created"]), told=entry["told"], sent_at=now,
                expect=entry["expect"], answer=answer,
            )
        )  # fmt: skip
    journal = stack.journal()
    try:
        _settle(scenes, journal)
    finally:
        journal.close()
    received = stack.messages()
    for scene in scenes:
        if scene.row is not None:
            scene.messages = [each for each in received if each["context"]["webhook"]["id"] == scene.key]
    return scenes


def events(now: datetime) -> list[dict[str, Any]]:
    """The shipped payloads in their order; `"@-34m"` becomes the unix time 34 minutes before `now`."""
    folder = files("webhooks.cli.demo") / "events"
    texts = [path.read_text("utf-8") for path in sorted(folder.iterdir(), key=lambda path: path.name)]
    return [_dated(text, int(now.timestamp())) for text in texts]


def _dated(text: str, now: int) -> dict[str, Any]:
    """One payload, with all the times that it tells."""
    entry: dict[str, Any] = json.loads(_AGO.sub(lambda ago: str(now - 60 * int(ago[1])), text))
    entry["told"] = frozenset(from_seconds(now - 60 * int(ago)) for ago in _AGO.findall(text))
    return entry


def _settle(scenes: list[Scene], journal: Journal) -> None:
    """Wait until no event that was taken is pending any more, and note how each ended."""
    taken = [scene for scene in scenes if scene.answer.word == "accepted"]
    until = time.monotonic() + PATIENCE
    while True:
        for scene in taken:
            scene.row = journal.find(SOURCE, scene.key)
        waiting = [scene for scene in taken if scene.row is None or scene.row.state is State.PENDING]
        if not waiting or time.monotonic() > until:
            return
        time.sleep(0.1)
