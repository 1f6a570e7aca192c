"""Read the SOAP of Outbound Messages: one notifications element with up to 100 Notification elements.

DTDs and entities are refused. The SessionId, which may be a valid session of the sender, is never read.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_wsdl.htm
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError  # types only; defusedxml parses  # nosec B405
from xml.parsers.expat import ExpatError, ParserCreate  # text without a DTD, after defusedxml  # nosec B406
from xml.sax.saxutils import quoteattr  # writes only  # nosec B406

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, fromstring

from translators.kit import Malformed

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_OUTBOUND: Final = "http://soap.sforce.com/2005/09/outbound"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_MESSAGE: Final = (f"{{{_SOAP}}}Envelope", f"{{{_SOAP}}}Body", f"{{{_OUTBOUND}}}notifications")
_NOTIFICATION: Final = (*_MESSAGE, f"{{{_OUTBOUND}}}Notification")
_FACTS: Final = {
    (*_MESSAGE, f"{{{_OUTBOUND}}}{name}"): name for name in ("OrganizationId", "ActionId", "EnterpriseUrl")
}
_MAX_DEPTH: Final = 64
_MAX_MASKED: Final = 1_000
# A lone surrogate such as &#xD83D;, half of an emoji, in hexadecimal or decimal
_HALF: Final = re.compile(
    rb"&#(?:x[dD][89a-fA-F][0-9a-fA-F]{2}|55(?:29[6-9]|[3-9]\d\d)|56\d{3}|57(?:[0-2]\d\d|3[0-3]\d|34[0-3]));"
)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&(?=#x?0+;)|" + _HALF.pattern)
_TAG: Final = re.compile(rb"<(/?)(?:[\w.-]+:)?Notification(?:\s[^<>]*)?>")
_XMLNS: Final = re.compile(rb"""\b(xmlns(?::[\w.-]+)?)=(?:"[^"<]{0,500}"|'[^'<]{0,500}')""")
_MAX_AROUND: Final = 8_192
_MAX_TAGS: Final = 2_000
"""The most Notification tags that are parsed one by one; Salesforce sends at most a hundred notifications."""
_UNREADABLE: Final = (ParseError, DefusedXmlException, ValueError, LookupError)


# The text of the element, in UTF-8, 16 or 32, also if the body ends in it
_NUL: Final = rb"\x00*"
_SESSION: Final = re.compile(
    b"(" + _NUL.join(bytes([letter]) for letter in b"SessionId") + rb"[^>]*>)(?:(?!<\x00*/)[\s\S])*", re.IGNORECASE
)


def without_session(body: bytes) -> bytes:
    """Return a body without the text of its SessionId, even if it cannot be parsed."""
    return _SESSION.sub(rb"\1", body)


def answer(*, acknowledged: bool) -> bytes:
    """Return an acknowledgement. Salesforce retries on any other response, even with a space before the prolog."""
    word = "true" if acknowledged else "false"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{_SOAP}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<notificationsResponse xmlns="{_OUTBOUND}"><Ack>{word}</Ack></notificationsResponse>'
        "</soapenv:Body></soapenv:Envelope>"
    ).encode()


@dataclass(frozen=True)
class OutboundMessage:
    """Hold a message's facts (never the SessionId) and each Notification's exact bytes with its outer namespaces."""

    facts: Mapping[str, str]
    notifications: list[tuple[bytes, str]] = field(default_factory=list)


def read(body: bytes) -> OutboundMessage:
    """Parse a message in UTF-8; raise `Malformed` if it cannot be read.

    If a Notification has a byte that XML or UTF-8 does not allow, an unknown entity or a tag that is not closed, only
    that Notification is unreadable later.
    """
    try:
        target, masked = _parsed(body), list[int]()
    except Malformed:
        text, masked = _masked(body)
        try:
            target = _parsed(text)
        except Malformed:
            target = _parsed(_emptied(text))
    if target.messages != 1:
        raise Malformed("$", f"has {target.messages or 'no'} notifications elements, not one")
    for name, values in target.facts.items():
        if len(values) > 1:
            raise Malformed(f"$.notifications.{name}", "occurs more than once")
    facts = {name: values[0].strip() for name, values in target.facts.items()}
    places = [(begin, body.find(b">", end_tag) + 1, namespaces) for begin, end_tag, namespaces in target.spans]
    inside = sum(bisect_left(masked, end) - bisect_left(masked, begin) for begin, end, _ in places)
    if inside < len(masked):
        raise Malformed("$", "is not XML that can be read safely")
    return OutboundMessage(facts, [(body[begin:end], namespaces) for begin, end, namespaces in places])


def _parsed(body: bytes) -> _Target:
    target = _Target()
    parser = DefusedXMLParser(target=target, encoding="utf-8", forbid_dtd=True)
    target.expat = parser.parser
    try:
        parser.feed(body)
        parser.close()
    except _UNREADABLE:
        raise Malformed("$", "is not XML that can be read safely") from None
    return target


def _emptied(text: bytes) -> bytes:
    """Return the text with spaces for the content of each Notification that is not well-formed by itself."""
    result, opened, around = bytearray(text), None, b""
    for tag in islice(_TAG.finditer(text), _MAX_TAGS):
        if not tag[1]:
            opened = opened or tag  # a Notification has no nested one
            around = around or _around(text[: tag.start()])
        elif opened is not None:
            fragment = around + text[opened.start() : tag.end()] + b"</n>"
            try:
                ParserCreate("utf-8", " ").Parse(fragment, True)
            except ExpatError:
                result[opened.end() : tag.start()] = b" " * (tag.start() - opened.end())
            opened = None
    return bytes(result)


def _around(text: bytes) -> bytes:
    """Return a start tag with the namespaces that the text declares, the last one of each prefix."""
    declared = {match[1]: match[0] for match in _XMLNS.finditer(text[-_MAX_AROUND:])}
    return b"<n %s>" % b" ".join(declared.values())


def _masked(body: bytes) -> tuple[bytes, list[int]]:
    """Return the body with `?` for each byte that UTF-8 or XML does not allow, and the positions of these bytes."""
    text = bytearray(body)
    places = [match.start() for match in _CONTROL.finditer(body)]
    start = 0
    while True:
        try:
            body[start:].decode()
            break
        except UnicodeDecodeError as error:
            places += range(start + error.start, start + error.end)
            start += error.end
            if len(places) > _MAX_MASKED:
                raise Malformed("$", "is not UTF-8") from None
    for place in places:
        text[place] = ord("?")
    return bytes(text), sorted(places)


class _Target:
    """Collect the positions of Notifications and the text of three facts from the parser."""

    def __init__(self) -> None:
        self.expat: Any = None
        self.messages = 0
        self.facts: dict[str, list[str]] = {}
        self.spans: list[tuple[int, int, str]] = []
        self._path: list[str] = []
        self._scope: list[tuple[str, str]] = []
        self._begin = 0
        self._namespaces = ""
        self._text: list[str] | None = None

    def start_ns(self, prefix: str | None, uri: str | None) -> None:
        self._scope.append((prefix or "", uri or ""))

    def end_ns(self, _: str | None) -> None:
        self._scope.pop()

    def start(self, tag: str, _: Mapping[str, str]) -> None:
        self._path.append(tag)
        if len(self._path) > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        path = tuple(self._path) if len(self._path) <= len(_NOTIFICATION) else ()
        if path == _MESSAGE:
            self.messages += 1
        elif path == _NOTIFICATION:
            self._begin = self.expat.CurrentByteIndex
            self._namespaces = _declarations(self._scope)
        elif path in _FACTS:
            self._text = []

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, _: str) -> None:
        path = tuple(self._path) if len(self._path) == len(_NOTIFICATION) else ()
        if path == _NOTIFICATION:
            self.spans.append((self._begin, self.expat.CurrentByteIndex, self._namespaces))
        elif path in _FACTS and self._text is not None:
            self.facts.setdefault(_FACTS[path], []).append("".join(self._text))
            self._text = None
        self._path.pop()

    def close(self) -> None:
        pass


def _declarations(scope: list[tuple[str, str]]) -> str:
    """Return the namespaces in scope as attributes: the innermost declaration of each prefix."""
    names = {f"xmlns:{prefix}" if prefix else "xmlns": uri for prefix, uri in scope if uri or not prefix}
    return " ".join(f"{name}={quoteattr(uri)}" for name, uri in names.items())


@dataclass(frozen=True, slots=True)
class OutboundNotification:
    """Hold one notification: its id, the sObject's type (`Lead`, `Order__c`) and its fields as texts, None if nil."""

    id: str
    object: str
    fields: Mapping[str, str | None]


@lru_cache(maxsize=32)
def notification(raw: bytes, namespaces: str) -> OutboundNotification:
    """Parse a Notification's bytes within its outer namespaces. Cached, because several functions read it in turn."""
    try:
        text = _HALF.sub(b"&#xFFFD;", raw)
        root: Element = fromstring(b"<n " + namespaces.encode() + b">" + text + b"</n>", forbid_dtd=True)
    except _UNREADABLE:
        raise Malformed("$.Notification", "is not XML that can be read safely") from None
    element = root.find(f"{{{_OUTBOUND}}}Notification")
    sobject = element.find(f"{{{_OUTBOUND}}}sObject") if element is not None else None
    if element is None or sobject is None:
        raise Malformed("$.Notification.sObject", "is missing")
    fields: dict[str, str | None] = {}
    for child in sobject:
        if len(child) == 0 and isinstance(child.tag, str):
            value = None if child.get(f"{_XSI}nil") in {"true", "1"} else (child.text or "").strip() or None
            fields.setdefault(child.tag.rpartition("}")[2], value)
    id_ = (element.findtext(f"{{{_OUTBOUND}}}Id") or "").strip()
    return OutboundNotification(id_, sobject.get(f"{_XSI}type", "").rpartition(":")[2].strip(), fields)
