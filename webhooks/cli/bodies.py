"""A stored body for reading: indented, and without the secrets that some providers put into bodies."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.dom.minidom import Element, Text  # types; defusedxml parses  # nosec B408
from xml.parsers.expat import ExpatError  # the error alone  # nosec B407

from defusedxml import DefusedXmlException
from defusedxml.minidom import parseString

from translators.kit import Malformed, parse_json
from webhooks.cli.output import json_text

HIDDEN: Final = "(hidden; --raw shows it)"
_SECRET: Final = re.compile(r"(?i)(token|secret|password|passwd|api_?key|authorization|session_?id|private_?key)\Z")
_PROLOG: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_FORM: Final = re.compile(r"[^\s=&]+=\S*")
_PREFIX: Final = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]")


def pretty(raw: bytes) -> str:
    """JSON, XML and forms one member a line, in their order; other text as it is; the size of what is no text."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"({len(raw)} bytes that are no text; --raw writes them)"
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        return _json(raw) or text
    if start == "<":
        return _xml(text) or text
    if _FORM.fullmatch(text):
        fields = parse_qsl(text, keep_blank_values=True)
        return "\n".join(f"{name}: {_shown(name, value)}" for name, value in fields)
    return text


def masked(value: Any) -> Any:
    """A JSON value without texts that are secrets by their name."""
    if isinstance(value, dict):
        return {name: _shown(name, member) for name, member in value.items()}
    if isinstance(value, list):
        return [masked(member) for member in value]
    return value


def _shown(name: str, value: Any) -> Any:
    return HIDDEN if isinstance(value, str) and value and _SECRET.search(name) else masked(value)


def _json(raw: bytes) -> str:
    try:
        return json_text(masked(parse_json(raw)))
    except Malformed:
        return ""


def _xml(text: str) -> str:
    """Indented; nothing where it cannot be read safely. A part of a document may use prefixes it does not declare."""
    declared = " ".join(f'xmlns:{prefix}="{prefix}"' for prefix in sorted({*_PREFIX.findall(text)} - {"xml", "xmlns"}))
    try:
        root = parseString(f"<part {declared}>{_PROLOG.sub('', text)}</part>", forbid_dtd=True).documentElement
        assert root is not None
    except (ExpatError, DefusedXmlException):
        return ""
    _tidy(root)
    return "\n".join(child.toprettyxml(indent="  ").rstrip() for child in root.childNodes)


def _tidy(element: Element) -> None:
    for child in list(element.childNodes):
        if isinstance(child, Text) and not child.data.strip():
            element.removeChild(child)
        elif isinstance(child, Text):
            child.data = str(_shown(element.localName or "", child.data))
        elif isinstance(child, Element):
            _tidy(child)
