"""Format a stored body for reading: indented, and with the secrets in it hidden."""

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
    """Return JSON, XML and forms with one member a line, in order; other text unchanged; the size of binary data."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"({len(raw)} bytes that are not text; --raw writes them)"
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        return _json(raw) or text
    if start == "<":
        return _xml(text) or text
    if _FORM.fullmatch(text):
        fields = parse_qsl(text, keep_blank_values=True)
        return "\n".join(f"{name}: {_masked_member(name, value)}" for name, value in fields)
    return text


def masked(value: Any) -> Any:
    """Return a JSON value with the texts hidden whose names say that they are secrets."""
    if isinstance(value, dict):
        return {name: _masked_member(name, member) for name, member in value.items()}
    if isinstance(value, list):
        return [masked(member) for member in value]
    return value


def _masked_member(name: str, value: Any) -> Any:
    return HIDDEN if isinstance(value, str) and value and _SECRET.search(name) else masked(value)


def _json(raw: bytes) -> str:
    try:
        return json_text(masked(parse_json(raw)))
    except Malformed:
        return ""


def _xml(text: str) -> str:
    """Return indented XML, or nothing if it cannot be parsed safely. A fragment may use undeclared prefixes."""
    declared = " ".join(f'xmlns:{prefix}="{prefix}"' for prefix in sorted({*_PREFIX.findall(text)} - {"xml", "xmlns"}))
    try:
        root = parseString(f"<part {declared}>{_PROLOG.sub('', text)}</part>", forbid_dtd=True).documentElement
        assert root is not None
    except (ExpatError, DefusedXmlException):
        return ""
    _strip_and_mask(root)
    return "\n".join(child.toprettyxml(indent="  ").rstrip() for child in root.childNodes)


def _strip_and_mask(element: Element) -> None:
    for child in list(element.childNodes):
        if isinstance(child, Text) and not child.data.strip():
            element.removeChild(child)
        elif isinstance(child, Text):
            child.data = str(_masked_member(element.localName or "", child.data))
        elif isinstance(child, Element):
            _strip_and_mask(child)
