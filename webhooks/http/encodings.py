"""Decode the Content-Encoding of a request's body, in linear time and never beyond the body limit.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from webhooks.errors import Rejected

_IDENTITY: Final = re.compile(
    r"""
    identity | none | null | undefined | binary | [78]bit | chunked     # no coding
    | [a-z]+/[a-z0-9.+-]+                                               # a media type
    | (?:charset\s*=\s*)?"?(?:
        utf-?(?:8|16|32)(?:-?[bl]e)? | us-ascii | ascii
        | iso[-_]?8859[-_]?\d{1,2} | latin-?\d{1,2} | windows-?\d{3,4} | cp-?\d{3,4}
        | koi8-[ru] | shift[-_]jis | euc-(?:jp|kr|cn) | iso-2022-(?:jp|kr) | gb2312 | gbk | gb18030 | big5
    )"?                                                                 # a charset, which belongs in Content-Type
    """,
    re.VERBOSE,
)
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_DEFLATE: Final = frozenset({"deflate", "x-deflate"})
_MAX_MEMBERS: Final = 1000
_PIECE: Final = 16 * 1024
"""At most this much of the input is copied for each gzip member, so that many small ones are not quadratic."""


def decode(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Return the decoded body; the same object if it is not encoded.

    Some senders write a charset or media type into this header. That is not a coding and is ignored.
    """
    if not content_encoding:
        return body
    names = [name.strip().lower() for name in content_encoding.split(",")]
    codings = [name for name in names if name and not _IDENTITY.fullmatch(name)]
    if not codings:
        return body
    coding = codings[0]
    if len(codings) > 1 or coding not in _GZIP | _DEFLATE:
        raise Rejected(
            415,
            "unsupported_encoding",
            "This Content-Encoding is not supported.",
            hint="Send the body without Content-Encoding, or with gzip or deflate once.",
        )
    try:
        return _gunzip(body, limit) if coding in _GZIP else _inflate(body, limit)
    except zlib.error:
        name = "gzip" if coding in _GZIP else "deflate"
        raise bad_encoding(f"Content-Encoding is {name}, but the body is not {name}.") from None


def bad_encoding(reason: str) -> Rejected:
    """Return the rejection of a body that does not match its Content-Encoding."""
    hint = "Send the bytes unchanged. A proxy that decompresses the body must remove the Content-Encoding header too."
    return Rejected(400, "bad_encoding", reason, hint=hint)


def too_large(limit: int, length: int | None = None) -> Rejected:
    """Return the rejection of a body over the limit; `length` is its Content-Length."""
    return Rejected(
        413,
        "body_too_large",
        f"The body is larger than {limit} bytes.",
        hint="Send smaller batches, or raise SEGUE_MAX_BODY.",
        detail="" if length is None else f"Content-Length is {length}",
    )


def _gunzip(data: bytes, limit: int) -> bytes:
    """Decode one gzip member after another. https://www.rfc-editor.org/rfc/rfc1952#page-5"""
    decoded, view, at, members = bytearray(), memoryview(data), 0, 0
    while at < len(view) or not members:
        if members and not any(view[at:]):  # zero padding, which some writers add
            break
        members += 1
        if members > _MAX_MEMBERS:
            raise bad_encoding(f"The gzip body has more than {_MAX_MEMBERS} members.")
        at = _member(zlib.MAX_WBITS | 16, view, at, decoded, limit)
    return bytes(decoded)


def _inflate(data: bytes, limit: int) -> bytes:
    """Decode deflate with its zlib wrapper, as the standard requires, or raw, as many senders send it."""
    wrapped = len(data) > 1 and data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS) if wrapped else (-zlib.MAX_WBITS,):
        decoded = bytearray()
        try:
            _member(window, memoryview(data), 0, decoded, limit)
        except zlib.error:
            if window < 0:
                raise
            continue
        break
    return bytes(decoded)


def _member(window: int, view: memoryview, at: int, decoded: bytearray, limit: int) -> int:
    """Decompress one stream that begins at `at`; return its end."""
    decompressor = zlib.decompressobj(window)
    while not decompressor.eof:
        piece = view[at : at + _PIECE]
        if not piece:
            raise bad_encoding("The compressed body ends too early.")
        decoded += decompressor.decompress(piece, limit + 1 - len(decoded))
        if len(decoded) > limit:
            raise too_large(limit)
        at += len(piece) - len(decompressor.unconsumed_tail) - len(decompressor.unused_data)
    return at
