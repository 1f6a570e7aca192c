"""The options by which commands select events, and the lookup of event IDs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from difflib import get_close_matches
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.complete import endpoint_names, event_types
from webhooks.cli.output import fail, printable
from webhooks.cli.time_args import parse_time

if TYPE_CHECKING:
    from webhooks.journal import Filter, Row
    from webhooks.journal.protocol import EventQueries

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

    def filter(self, journal: EventQueries, now: datetime) -> Filter:
        """Return the journal's filter. Raise a failure if an ID matches no event or several."""
        from webhooks.journal import Filter, State

        _check_sources(journal, self.sources)
        times: dict[str, Any] = {}
        for part in _SPANS:
            for end in ("since", "until"):
                option = end if part == "received" else f"{part}_{end}"
                if text := getattr(self, option):
                    times[f"{part}_{end}"] = parse_time(text, now, option=f"--{option.replace('_', '-')}")
        return Filter(
            seqs=tuple(find_event(journal, id_, self.sources).seq for id_ in self.ids) if self.ids else None,
            sources=self.sources,
            types=self.types,
            states=tuple(State(state) for state in self.states),
            text=self.text,
            **times,
        )

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


def _check_sources(journal: EventQueries, names: Sequence[str]) -> None:
    """Raise a failure for a name that is neither configured nor stored: it is probably a typing error."""
    from webhooks.cli.configuration import configuration_or_default, unknown
    from webhooks.journal import Filter

    for name in names:
        if "*" not in name and not list(journal.rows(Filter(sources=(name,)), limit=1)):
            config = configuration_or_default()
            known = {*config.sources, *config.endpoints, *(plugin.name for plugin in config.registry.broken)}
            if name not in known:
                raise unknown(name, known, what="source or endpoint")


def _suggestion(id_: str) -> str:
    """Return the hint for SOURCE/KEY with a mistyped source, or an empty text if no source is close."""
    from webhooks.cli.configuration import configuration_or_default

    config = configuration_or_default()
    source, slash, key = id_.partition("/")
    known = {*config.sources, *config.endpoints}
    close = get_close_matches(source, known, n=1) if slash and source not in known else []
    return f"Did you mean {close[0]}/{printable(key)}? `segue sources` lists the sources." if close else ""


def find_event(journal: EventQueries, id_: str, sources: Sequence[str] = ()) -> Row:
    """Return the one event with this ID (number, key, or SOURCE/KEY); raise a failure otherwise."""
    from webhooks.journal import Filter

    matches: dict[int, Row] = {}
    if id_.isascii() and id_.isdigit() and len(id_) < 19 and not sources and (row := journal.get(int(id_))):
        matches[row.seq] = row
    for row in journal.rows(Filter(keys=(id_,), sources=tuple(sources))):
        matches[row.seq] = row
    source, slash, key = id_.partition("/")
    if slash and (row := journal.find(source, key)):
        matches[row.seq] = row
    if not matches:
        within = f" of {', '.join(sources)}" if sources else ""
        raise fail(
            f"No event{within} has the number or key {printable(id_)!r}.",
            _suggestion(id_) or "It may be pruned, or in another journal. `segue events --text ...` searches bodies.",
        )
    if len(matches) > 1:
        names = ", ".join(f"{row.event.source}/{row.event.key} (#{seq})" for seq, row in sorted(matches.items()))
        raise fail(
            f"{printable(id_)!r} matches {len(matches)} events: {printable(names)}.",
            "Write SOURCE/KEY, or add --source.",
        )
    return next(iter(matches.values()))
