"""Compute what an event would become with today's code and settings. Nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from translators.kit import parse_json
from webhooks.cli.output import short

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.journal import Row

WORDS: Final[Mapping[str, str]] = {"pending": "send", "ignored": "ignore", "unsupported": "unsupported", "dead": "dead"}


@dataclass(frozen=True, slots=True)
class Forecast:
    """`would` is send, ignore, unsupported, dead, or wait (its endpoint or its encryption key is not configured).

    `messages` are those that would be sent, `refused` those that Segment would drop: (messageId, fault).
    """

    would: str
    reason: str = ""
    messages: tuple[Mapping[str, Any], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if self.would == "send":
            count = len(self.messages)
            return f"send {count} message{'s'[: count != 1]}" + (", the rest refused" if self.refused else "")
        return f"{self.would}: {short(self.reason)}"

    def as_dict(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {
            "would": self.would,
            "reason": self.reason,
            "messages": self.messages,
            "refused": [{"message_id": id_, "fault": fault} for id_, fault in self.refused],
        }


def forecast(row: Row, config: Configuration, *, as_new: bool = False) -> Forecast:
    """Return what a worker would do with an event now; with `as_new`, after a replay with --as-new."""
    from webhooks.deliver.prepare import prepare

    if row.locked:
        return Forecast("wait", row.locked)
    endpoint = config.endpoints.get(row.event.source)
    if endpoint is None:
        return Forecast("wait", f"no endpoint {row.event.source!r} is configured")
    prepared = prepare(
        row.event, endpoint, namespace=config.settings.namespace, replay_generation=row.replay_generation + as_new
    )
    return Forecast(
        WORDS[prepared.state.value],
        prepared.reason,
        tuple(parse_json(message.body) for message in prepared.messages),
        prepared.refused,
    )
