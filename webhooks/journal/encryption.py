"""Encryption at rest, between an event and the columns of any store. Without a key it is off.

A body is encrypted with its kept headers and envelope as one record. The columns that the store needs to recognise
duplicates, order, count and group events (source, key, type, times, state, reason) stay readable; a reason then quotes
no body. A record is

    magic (4)  key id (4)  salt (16)  nonce (12)  AES-256-GCM ciphertext and tag

and can be decrypted only in the row of the source and event key that it was encrypted for. Each process derives its
own key from the operator's by HKDF and a random salt, so that random nonces stay far below the limit of 2^32 messages
for one key.
https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf (8.3)

A body that is not encrypted is stored as it is, or compressed if the store does not compress by itself: the magic,
`_ZIPPED`, and zlib's format with its checksum. Encrypted bodies are not compressed: their length would depend on their
content.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Sequence
from copy import copy
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
"""As the first key: do not encrypt. The other keys decrypt existing records."""
MAGIC: Final = b"\x00SG1"
_NO_KEY: Final = b"\x00\x00\x00\x00"
_ZIPPED: Final = b"\x00\x00\x00\x01"
_PLAIN_IDS: Final = frozenset({_NO_KEY, _ZIPPED})
SMALLEST: Final = 512
"""Bytes of a body from which compressing pays."""
LEVEL: Final = 1
"""zlib's fastest: a body of 3 kB takes some 20 microseconds and shrinks to a half or a third."""
_ID, _SALT, _NONCE = slice(4, 8), slice(8, 24), slice(24, 36)
_LENGTHS: Final = Struct(">II")
_MESSAGES: Final = 1 << 24
"""Records after which a process takes another salt."""
_LABEL: Final = bytes.fromhex("7365677565207365616c2031")
"""The HKDF label of this record format; another label would give other keys."""
_TRACEBACK: Final = "Traceback (most recent call last):"
_FRAME: Final = re.compile(r'  File "[^"\n]*", line \d+, in [^\n]*')
_CLASS: Final = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")
_CHANGED: Final = "it was changed"
_encode: Final = msgspec.json.Encoder().encode

Content = tuple[str, str, bytes]
"""Headers and envelope as JSON, and the body."""


class Undecryptable(JournalError):
    """A record cannot be decrypted: its key is not configured, or it was changed. The event stays as it is."""


@dataclass(frozen=True, slots=True)
class _EncryptionKey:
    secret: bytes
    id: bytes


class Encryption:
    """The operator's keys, each 32 bytes in hexadecimal: the first encrypts, all decrypt. Thread-safe."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        configured = [_EncryptionKey(bytes.fromhex(key), key_id(key)) for key in keys if key != PLAIN]
        self._keys = {key.id: key for key in configured}
        self._first = configured[0] if configured and keys[0] != PLAIN else None
        self._messages_left = 0
        self._salt = b""
        self._compresses = False

    @property
    def on(self) -> bool:
        """Return whether new records are encrypted."""
        return self._first is not None

    @property
    def current(self) -> str:
        """Return the id of the key that encrypts, or `plain`."""
        return self._first.id.hex() if self._first else PLAIN

    @property
    def ids(self) -> frozenset[str]:
        """Return the ids of all configured keys."""
        return frozenset(key.hex() for key in self._keys)

    def compressing(self) -> Encryption:
        """Return the same keys for a store that does not compress bodies by itself."""
        other = copy(self)
        other._compresses = True
        return other

    def encrypt(self, source: str, key: str, content: Content) -> Content:
        """Return the columns for an event's content."""
        headers, envelope, body = content
        if self._first is None:
            return headers, envelope, self._plain(body)
        parts = [b"" if text == "{}" else text.encode() for text in (headers, envelope)]
        packed = b"".join((_LENGTHS.pack(*map(len, parts)), *parts, body))
        return "{}", "{}", self._encrypted(self._first, packed, _associated_data(source, key))

    def decrypt(self, source: str, key: str, columns: Content) -> Content:
        """Return the content of the columns. Raise `Undecryptable` if it cannot be decrypted."""
        record = columns[2]
        if not record.startswith(MAGIC):
            return columns
        if record[_ID] == _NO_KEY:
            return columns[0], columns[1], record[8:]
        if record[_ID] == _ZIPPED:
            return columns[0], columns[1], _unzipped(record)
        packed = self._decrypted(record, _associated_data(source, key))
        head, rest = _LENGTHS.unpack_from(packed)
        first, second = _LENGTHS.size + head, _LENGTHS.size + head + rest
        headers, envelope = packed[_LENGTHS.size : first].decode(), packed[first:second].decode()
        return headers or "{}", envelope or "{}", packed[second:]

    def redact(self, reason: str) -> str:
        """Return a reason that may be stored unencrypted: of a traceback only the places and the error's class."""
        if self._first is None or not reason.startswith(_TRACEBACK):
            return reason
        lines, error = [_TRACEBACK], "an error"
        for line in reason.splitlines():
            if _FRAME.fullmatch(line):
                lines.append(line)
                error = ""
            elif not error and (name := _CLASS.match(line)):
                error = name[0]
        return "\n".join([*lines, f"{error}: (its message is not stored unencrypted)"])

    def _plain(self, body: bytes) -> bytes:
        if self._compresses and len(body) >= SMALLEST:
            zipped = MAGIC + _ZIPPED + zlib.compress(body, LEVEL)
            if len(zipped) < len(body):
                return zipped
        return MAGIC + _NO_KEY + body if body[:4] == MAGIC else body

    def _encrypted(self, key: _EncryptionKey, packed: bytes, associated_data: bytes) -> bytes:
        if self._messages_left <= 0:
            self._salt, self._messages_left = os.urandom(16), _MESSAGES
        self._messages_left -= 1
        salt, nonce = self._salt, os.urandom(12)
        return b"".join((MAGIC, key.id, salt, nonce, _cipher(key.secret, salt).encrypt(nonce, packed, associated_data)))

    def _decrypted(self, record: bytes, associated_data: bytes) -> bytes:
        key = self._keys.get(record[_ID])
        if key is None:
            raise Undecryptable(
                f"encrypted with key {record[_ID].hex()}, which is not configured",
                hint="Add that key to SEGUE_ENCRYPTION_KEY, after the first; the event waits until then.",
            )
        try:
            return _cipher(key.secret, record[_SALT]).decrypt(record[_NONCE], record[36:], associated_data)
        except (InvalidTag, ValueError):
            raise Undecryptable(
                f"encrypted with key {key.id.hex()} and cannot be decrypted: {_CHANGED}, or moved from another row",
                hint="Restore the row from a backup.",
            ) from None


def is_changed(locked: str) -> bool:
    """Return whether `Row.locked` says that the content itself is damaged, which no key helps."""
    return _CHANGED in locked


def key_id(key: str) -> bytes:
    """Return the id of a key that a record shows: 4 bytes of a digest, which reveal nothing about the key."""
    return hashlib.sha256(b"segue key id " + bytes.fromhex(key)).digest()[:4]


def key_of(body: bytes) -> str:
    """Return the id of the key that a body column is encrypted with, or `plain`."""
    return body[_ID].hex() if body.startswith(MAGIC) and body[_ID] not in _PLAIN_IDS else PLAIN


@lru_cache(maxsize=1024)
def _cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, _LABEL).derive(secret))


def _unzipped(record: bytes) -> bytes:
    try:
        return zlib.decompress(record[8:])
    except zlib.error:
        raise Undecryptable(
            f"compressed and cannot be read: {_CHANGED}", hint="Restore the row from a backup."
        ) from None


def _associated_data(source: str, key: str) -> bytes:
    """Return the data that authenticates the row of a record."""
    return _encode((source, key))
