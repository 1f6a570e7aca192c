"""The messages of every source, from its declarations and its goldens: as Markdown, as JSON, as a tracking plan.

A source's goldens are not installed with it, but `catalog.json` in its package is, which `segue catalog --goldens DIR
--update` writes from them. A source without one is listed with its types and no messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from translators.kit import Source
from translators.kit.source import IgnoredType
from translators.kit.vocabulary import VOCABULARY
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import find_goldens, outcomes
from webhooks.translation.translate import Translated

Entry = dict[str, Any]
_NOT_PLANNED: Final = {"alias"}


def learn(source: Source, goldens: Path) -> dict[str, list[Entry]]:
    """Return each event type's messages: kind, name, and the JSON type of every field that a golden shows."""
    seen: dict[str, dict[tuple[str, str], dict[str, set[str]]]] = {}
    for golden in find_goldens(goldens):
        delivery = golden.delivery(source)
        if SourceRuntime(source).handshake(delivery):
            continue
        for event, outcome in outcomes(source, delivery):
            if isinstance(outcome, Translated):
                messages = seen.setdefault(event.type, {})
                for message in outcome.messages:
                    fields = messages.setdefault((message["type"], name_of(message)), {})
                    for name, value in _fields_of(message).items():
                        fields.setdefault(name, set()).add(json_type(value))
    return {
        type_: [
            {"kind": kind, "name": name, "fields": {field: sorted(kinds) for field, kinds in sorted(fields.items())}}
            for (kind, name), fields in messages.items()
        ]
        for type_, messages in sorted(seen.items())
    }


def shipped(source: Source) -> Mapping[str, list[Entry]]:
    """Return the messages by event type that are installed with the source's package or in segue.toml, if any."""
    if source.declared.outline:
        return {type_: [dict(message) for message in messages] for type_, messages in source.declared.outline.items()}
    package = next((handler.__module__.partition(".")[0] for handler in source.declared.handlers.values()), "")
    if not package:
        return {}
    try:
        text = files(package).joinpath("catalog.json").read_text(encoding="utf-8")
    except (FileNotFoundError, ModuleNotFoundError, TypeError):
        return {}
    outline: Mapping[str, list[Entry]] = json.loads(text).get(source.name, {})
    return outline


def describe(source: Source, outline: Mapping[str, list[Entry]]) -> Entry:
    """Return all that the catalog says of one source."""
    schemes = [
        {"name": name, "class": type(scheme).__name__, "strength": scheme.strength}
        for name, scheme in source.schemes.items()
    ]
    return {
        "name": source.name,
        "title": source.title,
        "docs": source.docs,
        "schemes": schemes,
        "registers": source.declared.registration is not None,
        "options": [
            {"name": option.name, "help": option.help, "default": option.default, "choices": list(option.choices)}
            for option in source.options.values()
        ],
        "types": [{"type": type_, "messages": _messages(type_, outline)} for type_ in sorted(source.declared.handlers)],
        "ignored": [{"type": ignored.pattern, "because": ignored.because} for ignored in _ignored(source)],
    }


def markdown(entries: Iterable[Entry]) -> str:
    """Return a table of all sources, then each with its events, messages and properties."""
    sources = list(entries)
    lines = [
        "# Catalog",
        "",
        "Written by `segue catalog` from the code and its goldens; a test compares them.",
        "",
        "**Verified** means that the signature covers what was sent; **authenticated** that the sender is known and",
        "the content is not protected, as `context.webhook.trust` says in each message. If a source has several",
        "schemes, the first is the default and `SEGUE_<SOURCE>_SCHEME` selects another. Registered by *API*:",
        "`segue register` asks the provider; by *hand*: it prints the steps.",
        "",
        "| source | signature | strength | registered by | event types | messages |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| [{entry['title']}](#{entry['name']}) | {_schemes(entry, 'class')} | {_schemes(entry, 'strength')} "
        f"| {'API' if entry['registers'] else 'hand'} | {len(entry['types'])} | {len(_names(entry))} |"
        for entry in sources
    ]
    for entry in sources:
        title = f"{entry['title']}: <{entry['docs']}>" if entry["docs"] else entry["title"]
        lines += ["", f"## {entry['name']}", "", title, ""]
        lines += ["| event type | message | properties or traits |", "|---|---|---|"]
        for type_ in entry["types"]:
            for message in type_["messages"] or [{"name": "(no golden)", "kind": "", "fields": {}}]:
                fields = _joined(f"`{name}`" for name in message["fields"])
                lines.append(f"| `{type_['type']}` | {message['name'] or message['kind']} | {fields} |")
        if entry["ignored"]:
            lines += ["", "| ignored | because |", "|---|---|"]
            lines += [f"| `{ignored['type']}` | {ignored['because']} |" for ignored in entry["ignored"]]
    return "\n".join(lines) + "\n"


def tracking_plan(entries: Iterable[Entry]) -> Entry:
    """Return rules for Segment's Protocols, in the shape of its Public API.

    https://docs.segmentapis.com/tag/Tracking-Plans#operation/replaceRulesInTrackingPlan
    """
    merged: dict[tuple[str, str], dict[str, set[str]]] = {}
    for entry in entries:
        for message in (message for type_ in entry["types"] for message in type_["messages"]):
            if message["kind"] not in _NOT_PLANNED:
                key = message["name"] if message["kind"] == "track" else ""
                fields = merged.setdefault((message["kind"], key), {})
                for name, kinds in message["fields"].items():
                    fields.setdefault(name, set()).update(kinds)
    return {"rules": [_rule(kind, name, fields) for (kind, name), fields in sorted(merged.items())]}


def _rule(kind: str, name: str, fields: Mapping[str, set[str]]) -> Entry:
    where = "traits" if kind in {"identify", "group"} else "properties"
    fields_schema = {field: {"type": sorted(kinds)} if kinds else {} for field, kinds in sorted(fields.items())}
    rule: Entry = {
        "type": kind.upper(),
        "version": 1,
        "jsonSchema": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "description": VOCABULARY.get(name, ""),
            "properties": {where: {"type": "object", "properties": fields_schema}},
        },
    }
    return rule | ({"key": name} if name else {})


def name_of(message: Mapping[str, Any]) -> str:
    """Return a track's event, a page's or screen's name, an empty text for the others."""
    name: str = message.get("event") or message.get("name") or ""
    return name


def _fields_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = message.get("properties") or message.get("traits") or {}
    return fields


def json_type(value: Any) -> str:
    """Return the JSON Schema type of a value."""
    for kind, name in ((bool, "boolean"), (int, "integer"), (Decimal, "number"), (str, "string"), (datetime, "string")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "array" if isinstance(value, list) else "object"


def _messages(type_: str, outline: Mapping[str, list[Entry]]) -> list[Entry]:
    """Return the messages of a type; of a pattern, those of the types that it matches."""
    if "*" not in type_:
        return outline.get(type_, [])
    from fnmatch import fnmatchcase

    matches: dict[tuple[str, str], Entry] = {}
    for other_type, messages in outline.items():
        if fnmatchcase(other_type, type_):
            for message in messages:
                matches.setdefault((message["kind"], message["name"]), message)
    return list(matches.values())


def _ignored(source: Source) -> list[IgnoredType]:
    return sorted(source.declared.ignored.values(), key=lambda ignored: ignored.pattern)


def _names(entry: Entry) -> set[str]:
    return {message["name"] or message["kind"] for type_ in entry["types"] for message in type_["messages"]}


def _schemes(entry: Entry, member: str) -> str:
    """Return the value that all schemes have in common, or each value with the names of its schemes."""
    names: dict[str, list[str]] = {}
    for scheme in entry["schemes"]:
        names.setdefault(scheme[member], []).append(scheme["name"])
    return _joined(names) if len(names) == 1 else _joined(f"{value} ({_joined(of)})" for value, of in names.items())


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(parts))
