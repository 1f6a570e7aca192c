"""What each event type of a configured source becomes: `[sources.<name>.events]` and `[sources.<name>.ignore]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from translators.kit.configured.fields import Read, kind_of, read_of
from translators.kit.configured.heads import body_of
from translators.kit.configured.tables import Table
from translators.kit.errors import Declaration, Skip
from translators.kit.event import Event
from translators.kit.message import Message, group, identify, track
from translators.kit.payload import Payload
from translators.kit.source import Source

_KINDS = ("track", "identify", "group")


@dataclass(frozen=True)
class _Entry:
    """One message: which, made of what, and what must hold for it."""

    kind: str
    target: str  # a track's name, a group's path
    reads: Mapping[str, Read]
    when: Mapping[str, tuple[Any, ...]]
    outline: Mapping[str, Any]

    def fits(self, body: Payload) -> bool:
        return all(body.get(path) in values for path, values in self.when.items())

    def message(self, body: Payload, key: str) -> Message:
        fields = {name: read(body) for name, read in self.reads.items()}
        if self.kind == "track":
            return track(self.target, fields, key=key)
        return identify(fields, key=key) if self.kind == "identify" else group(body.id(self.target), fields, key=key)


def declare(source: Source, table: Table, *, form: bool) -> None:
    """Register a handler for each type, and the types that are ignored."""
    events = table.table("events")
    outline: dict[str, list[Mapping[str, Any]]] = {}
    for type_, message in events.items():
        entries = _entries(events, type_, message)
        source.on(type_)(_handler(entries, events.path(type_), form=form))
        outline[type_] = [entry.outline for entry in entries]
    source.declared.outline = outline
    ignored = table.table("ignore")
    for pattern, because in ignored.items():
        try:
            source.ignore(pattern, because=because if isinstance(because, str) else "")
        except Declaration as error:
            ignored.fault(pattern, f"cannot be: {error}")
    if not source.declared.handlers and not source.declared.ignored:
        table.fault("events", 'is missing: say what a type becomes, such as "order.paid" = "Order Completed"')


def _entries(events: Table, type_: str, message: Any) -> list[_Entry]:
    """Return the messages of a type: of a name alone, a table, or a list of tables."""
    if isinstance(message, str):
        message = {"track": message}
    several = message if isinstance(message, list) else [message]
    where = events.path(type_)
    named = [(f"{where}[{number}]" if len(several) > 1 else where, entry) for number, entry in enumerate(several, 1)]
    return [_entry(Table(path, entry, events.faults)) for path, entry in named]


def _entry(table: Table) -> _Entry:
    table.only(*_KINDS, "fields", "when")
    kinds = [kind for kind in _KINDS if kind in table]
    if len(kinds) != 1:
        table.faults.append(f"{table.where} needs one of track = name, identify = true, group = path")
    kind = kinds[0] if kinds else "track"
    target = table.text(kind) if kind != "identify" else ""
    if kind == "identify" and not table.flag("identify"):
        table.fault("identify", "is false: write true, or leave the table out")
    elif kind != "identify" and kinds and not target:
        table.fault(kind, "is empty")
    fields = table.table("fields")
    reads = {name: read_of(fields, name, value) for name, value in fields.items()}
    when = {path: tuple(value) if isinstance(value, list) else (value,) for path, value in table.table("when").items()}
    kinds_of = {name: [kind_of(value)] if kind_of(value) else [] for name, value in sorted(fields.items())}
    outline = {"kind": kind, "name": target if kind == "track" else "", "fields": kinds_of}
    return _Entry(kind, target, reads, when, outline)


def _handler(entries: list[_Entry], where: str, *, form: bool) -> Callable[[Event], Iterator[Message]]:
    def handler(event: Event) -> Iterator[Message]:
        body = body_of(event, form=form)
        fitting = [entry for entry in entries if entry.fits(body)]
        if not fitting:
            raise Skip(f"no condition of {where} holds")
        seen: list[tuple[str, str]] = []
        for entry in fitting:
            name = (entry.kind, entry.target if entry.kind == "track" else "")
            again = seen.count(name)
            seen.append(name)
            yield entry.message(body, str(again + 1) if again else "")

    return handler
