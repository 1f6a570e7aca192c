"""Encryption at rest: between an event and the columns of whichever store. Off without a key.

A body travels with its kept headers and envelope as one sealed record. What dedup, order, counting and grouping need
(source, key, type, times, state, reason) stays readable to the store; a reason quotes no body then. A record is

    magic (4)  key id (4)  salt (16)  nonce (12)  AES-256-GCM ciphertext and tag

and opens only in the row of the source and event key that it was sealed for. Each process derives its own key from
the operator's by HKDF and a random salt, so that random nonces stay far from the limit of 2^32 messages under one key.
https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf (8.3)
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from webhooks.errors import JournalError

PLAIN: Final = "plain"
"""As the first key: seal nothing; the others open what was sealed."""
MAGIC: Final = b"\x00SG1"
_NO_KEY: Final = b"\x00\x00\x00\x00"
_ID, _SALT, _NONCE = slice(4, 8), slice(8, 24), slice(24, 36)
_LENGTHS: Final = Struct(">II")
_MESSAGES: Final = 1 << 24
"""After which a process takes another salt."""
_TRACEBACK: Final = "Traceback (most recent call last):"
_FRAME: Final = re.compile(r'  File "[^"\n]*", line \d+, in [^\n]*')
_CLASS: Final = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")
_encode: Final = msgspec.json.Encoder().encode

Content = tuple[str, str, bytes]
"""Headers and envelope as JSON, and the body."""


class Undecryptable(JournalError):
    """A sealed record cannot be opened: its key is not configured, or it was changed. The event stays as it is."""


@dataclass(frozen=True, slots=True)
class _Key:
    secret: bytes
    id: bytes


class Encryption:
    """The operator's keys, each 32 bytes in hexadecimal: the first seals, all open. Safe to share between threads."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        known = [_Key(bytes.fromhex(key), key_id(key)) for key in keys if key != PLAIN]
        self._keys = {key.id: key for key in known}
        self._first = known[0] if known and keys[0] != PLAIN else None
        self._left = 0
        self._salt = b""

    @property
    def on(self) -> bool:
        """Whether new records are sealed."""
        return self._first is not None

    @property
    def current(self) -> str:
        """The id of the key that seals, or `plain`."""
        return self._first.id.hex() if self._first else PLAIN

    @property
    def ids(self) -> frozenset[str]:
        """Of every key that opens."""
        return frozenset(key.hex() for key in self._keys)

    def shut(self, source: str, key: str, content: Content) -> Content:
        """The columns for an event's content."""
        headers, envelope, body = content
        if self._first is None:
            return (headers, envelope, MAGIC + _NO_KEY + body) if body[:4] == MAGIC else content
        beside = [b"" if text == "{}" else text.encode() for text in (headers, envelope)]
        packed = b"".join((_LENGTHS.pack(*map(len, beside)), *beside, body))
        return "{}", "{}", self._seal(self._first, packed, _bound(source, key))

    def open(self, source: str, key: str, columns: Content) -> Content:
        """The content again; `Locked` where it cannot be."""
        record = columns[2]
        if not record.startswith(MAGIC):
            return columns
        if record[_ID] == _NO_KEY:
            return columns[0], columns[1], record[8:]
        packed = self._open(record, _bound(source, key))
        head, beside = _LENGTHS.unpack_from(packed)
        first, second = _LENGTHS.size + head, _LENGTHS.size + head + beside
        headers, envelope = packed[_LENGTHS.size : first].decode(), packed[first:second].decode()
        return headers or "{}", envelope or "{}", packed[second:]

    def quiet(self, reason: str) -> str:
        """A reason as it may stand in clear: of a traceback the places and the error's class, not what it quotes."""
        if self._first is None or not reason.startswith(_TRACEBACK):
            return reason
        told, error = [_TRACEBACK], "an error"
        for line in reason.splitlines():
            if _FRAME.fullmatch(line):
                told.append(line)
                error = ""
            elif not error and (name := _CLASS.match(line)):
                error = name[0]
        return "\n".join([*told, f"{error}: (what it says is not kept in clear)"])

    def _seal(self, key: _Key, packed: bytes, bound: bytes) -> bytes:
        if self._left <= 0:
            self._salt, self._left = os.urandom(16), _MESSAGES
        self._left -= 1
        salt, nonce = self._salt, os.urandom(12)
        return b"".join((MAGIC, key.id, salt, nonce, _cipher(key.secret, salt).encrypt(nonce, packed, bound)))

    def _open(self, record: bytes, bound: bytes) -> bytes:
        key = self._keys.get(record[_ID])
        if key is None:
            raise Undecryptable(
                f"sealed with key {record[_ID].hex()}, which is not configured",
                hint="Add that key to SEGUE_ENCRYPTION_KEY, behind the first; the event waits.",
            )
        try:
            return _cipher(key.secret, record[_SALT]).decrypt(record[_NONCE], record[36:], bound)
        except (InvalidTag, ValueError):
            raise Undecryptable(
                f"sealed with key {key.id.hex()} and does not open: it was changed, or moved here from another row",
                hint="Restore the row from a backup.",
            ) from None


def key_id(key: str) -> bytes:
    """What a record says of its key: 4 bytes of a digest, which tell nothing of it."""
    return hashlib.sha256(b"segue key id " + bytes.fromhex(key)).digest()[:4]


def sealed_with(body: bytes) -> str:
    """The id of the key of a body column, or `plain`."""
    return body[_ID].hex() if body.startswith(MAGIC) and body[_ID] != _NO_KEY else PLAIN


@lru_cache(maxsize=1024)
def _cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"segue seal 1").derive(secret))


def _bound(source: str, key: str) -> bytes:
    """What a record is bound to."""
    return _encode((source, key))
