"""The goldens of a source: recorded requests and their messages, as readable JSON with exact numbers.

Used by the tests that every source passes (`webhooks.testing`), by `segue catalog` and by `segue new-source`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from translators.kit import Delivery, Event, Source
from webhooks.http.request import HttpRequest, lower_names
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation import translate

NAMESPACE: Final = "golden"
RECEIVED: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
USER_ID_KEYS: Final = ("user_id", "userId")
_BODIES: Final = (".json", ".xml", ".form", ".txt")


@dataclass(frozen=True)
class Golden:
    """One request of a golden, and the file of its expected messages."""

    path: Path
    body: bytes
    request: dict[str, Any]

    @property
    def name(self) -> str:
        """Return the file's name without its ending."""
        return self.path.stem

    @property
    def expected(self) -> Path:
        """Return the file of expected messages."""
        return self.path.with_name(f"{self.path.stem}.messages.json")

    def delivery(self, source: Source, *, received_at: datetime = RECEIVED) -> Delivery:
        """Return the verified request that the source reads."""
        if "received_at" in self.request:
            received_at += datetime.fromisoformat(self.request["received_at"]) - RECEIVED
        headers, query = lower_names(self.request.get("headers", {})), self.request.get("query", {})
        options = source.defaults() | self.request.get("options", {})
        http_request = HttpRequest(body=self.body, headers=headers, query=query)
        return endpoint(source, options).delivery(http_request, received_at=received_at)


def find_goldens(folder: Path) -> list[Golden]:
    """Return every golden of a folder, by name."""
    goldens = []
    for path in sorted(folder.glob("*")):
        if path.suffix in _BODIES and not path.name.endswith((".messages.json", ".request.json")):
            request = path.with_name(f"{path.stem}.request.json")
            goldens.append(Golden(path, path.read_bytes(), json.loads(request.read_text()) if request.exists() else {}))
    return goldens


def endpoint(source: Source, options: Mapping[str, Any]) -> Endpoint:
    """Return an endpoint of the source's own name, as the tests use it."""
    return Endpoint(
        name=source.name,
        source=source,
        scheme=next(iter(source.schemes.values())),
        options=options,
        user_id_keys=USER_ID_KEYS,
    )


def outcomes(source: Source, delivery: Delivery) -> list[tuple[Event, translate.Outcome]]:
    """Return every event of a delivery with its outcome, by the service's own translation."""
    at = endpoint(source, delivery.options)
    return [
        (event, translate.translate(event, at, namespace=NAMESPACE)) for event in SourceRuntime(source).events(delivery)
    ]


def transcript(source: Source, golden: Golden) -> str:
    """Return the outcome of a golden's request, as readable JSON with exact numbers."""
    delivery = golden.delivery(source)
    answer = SourceRuntime(source).handshake(delivery)
    if answer is not None:
        return pretty({"handshake": {"status": answer.status, "body": answer.body.decode()}})
    entries: list[dict[str, Any]] = []
    for event, outcome in outcomes(source, delivery):
        entry: dict[str, Any] = {
            "key": event.id,
            "type": event.type,
            "occurredAt": event.occurred_at,
            "clock": event.clock,
            "outcome": type(outcome).__name__.lower(),
        }
        if isinstance(outcome, translate.Translated):
            entry["messages"] = [without_library(message) for message in outcome.messages]
        else:
            entry["reason"] = outcome.reason
        entries.append(entry)
    return pretty({"events": entries})


def without_library(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without the member that changes with every release."""
    context = {name: value for name, value in message["context"].items() if name != "library"}
    return {**message, "context": context}


def pretty(value: Any) -> str:
    """Return indented JSON with Decimals as exact numbers."""
    encoded = msgspec.json.Encoder(decimal_format="number").encode(value)
    return msgspec.json.format(encoded, indent=2).decode() + "\n"
