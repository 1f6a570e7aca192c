"""`scheme = { class = "HmacBody", header = "X-Acme-Signature" }`: any of the eight classes, by its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from translators.kit import schemes
from translators.kit.configured.tables import Table

_CLASSES: Final[Mapping[str, type[schemes.Scheme]]] = {kind.__name__: kind for kind in get_args(schemes.Scheme)}
_AT: Final = " - at `$."
_WORD: Final = re.compile(r"\w+")


def scheme_of(source: Table) -> schemes.Scheme | None:
    """Return the scheme of a source's table; None, with a note, if it is faulty."""
    if "scheme" not in source:
        source.fault("scheme", 'is missing: say how the provider signs, such as { class = "HmacBody", header = "..." }')
        return None
    table = source.table("scheme")
    kind = _CLASSES.get(str(table.value.get("class")))
    if kind is None:
        table.fault("class", f"is {table.value.get('class', 'missing')!r}: choose {' or '.join(sorted(_CLASSES))}")
        return None
    known = {parameter.name: parameter for parameter in fields(kind) if parameter.name != "strength"}
    before = len(table.faults)
    table.only("class", *known)
    for parameter in known.values():
        if parameter.default is MISSING and parameter.default_factory is MISSING and parameter.name not in table:
            table.fault(parameter.name, f"is missing: {kind.__name__} needs it")
    if len(table.faults) > before:
        return None
    try:
        return msgspec.convert({key: value for key, value in table.items() if key != "class"}, kind)
    except msgspec.ValidationError as error:
        _note(table, kind, str(error))
        return None


def _note(table: Table, kind: type[Any], message: str) -> None:
    """Note msgspec's message, with our key and the words to choose from."""
    what, _, where = message.rpartition(_AT)
    name = _WORD.findall(where)[0]
    hint = get_type_hints(kind)[name]
    choices = [word for part in (hint, *get_args(hint)) if get_origin(part) is Literal for word in get_args(part)]
    more = f": choose {' or '.join(map(str, choices))}" if choices else ""
    table.fault(name, f"does not fit ({what[0].lower()}{what[1:]}){more}")
