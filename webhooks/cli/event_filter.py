"""The options by which commands select events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.complete import endpoint_names, event_types
from webhooks.cli.time_args import parse_time

if TYPE_CHECKING:
    from webhooks.journal import Filter
    from webhooks.journal.protocol import EventQueries
    from webhooks.operations.selection import EventSelection
    from webhooks.runtime import Runtime

STATES: Final = ("pending", "delivered", "ignored", "unsupported", "dead", "dropped")
_SPANS: Final = ("received", "occurred", "settled")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventChoice:
    """The values of the options."""

    ids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    occurred_since: str | None = None
    occurred_until: str | None = None
    settled_since: str | None = None
    settled_until: str | None = None
    text: str = ""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def selection(self, now: datetime) -> EventSelection:
        """Return the selection. Raise a failure for a text that is not a time."""
        from webhooks.journal import State
        from webhooks.operations.selection import EventSelection

        times: dict[str, Any] = {}
        for part in _SPANS:
            for end in ("since", "until"):
                option = end if part == "received" else f"{part}_{end}"
                if text := getattr(self, option):
                    times[f"{part}_{end}"] = parse_time(text, now, option=f"--{option.replace('_', '-')}")
        return EventSelection(
            ids=self.ids,
            sources=self.sources,
            types=self.types,
            states=tuple(State(state) for state in self.states),
            text=self.text,
            **times,
        )

    def filter(self, journal: EventQueries, runtime: Runtime, now: datetime) -> Filter:
        """Return the journal's filter. Raise a failure if an ID matches no event or several."""
        from webhooks.operations.selection import select

        return select(journal, self.selection(now), known=runtime.names)

    def as_dict(self) -> dict[str, Any]:
        """Return the options that were given, for the audit log."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}


def event_options(*, states: bool = True, ids: str = "option", times: bool = True) -> Callable[[Any], Any]:
    """Add the options that select events to a command, as its `choice`. `ids` is option, argument or none."""
    options: list[Callable[[Any], Any]] = []
    if ids == "argument":
        options.append(click.argument("ids", nargs=-1, metavar="[ID]..."))
    elif ids == "option":
        options.append(click.option("--id", "ids", multiple=True, help="Its number, its key, or SOURCE/KEY."))
    options += [
        click.option(
            "--source",
            "sources",
            multiple=True,
            metavar="NAME",
            shell_complete=endpoint_names,
            help="Only events of this source; * matches any text.",
        ),
        click.option(
            "--type",
            "types",
            multiple=True,
            metavar="TYPE",
            shell_complete=event_types,
            help="Only events of this type, such as 'invoice.*'.",
        ),
    ]
    if states:
        options.append(click.option("--state", "states", multiple=True, type=click.Choice(STATES)))
    if times:
        options += [
            click.option("--since", metavar="TIME", help="Received at this time (2h, 3d ago, or ISO 8601) or later."),
            click.option("--until", metavar="TIME", help="Received before."),
            click.option("--occurred-since", metavar="TIME", help="The same by the provider's clock."),
            click.option("--occurred-until", metavar="TIME"),
            click.option("--settled-since", metavar="TIME", help="Delivered, ignored, dead ... at this time or later."),
            click.option("--settled-until", metavar="TIME"),
        ]
    options.append(
        click.option("--text", default="", help="Only events with this text in the body, the key or the reason; slow.")
    )

    def decorate(command: Any) -> Any:
        @wraps(command)
        def wrapped(**params: Any) -> Any:
            values = {field.name: params.pop(field.name) for field in fields(EventChoice) if field.name in params}
            return command(choice=EventChoice(**values), **params)

        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    return decorate
