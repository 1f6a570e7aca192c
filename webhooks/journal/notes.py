"""Typed notes: each type of note has one definition with its name and its content.

The journal stores a note as JSON. Processes of other releases may share the journal, so a note may have members that
this release does not know, which are ignored, or lack members, which take their defaults.

`JournalSnapshot`, `LearnedSources` and `OpenAlerts` are defined beside their owners in `webhooks.monitoring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from webhooks.journal.protocol import Notes, StoredNotes

C = TypeVar("C", bound=msgspec.Struct)
READINESS: Final = "readiness"
"""The name of the note that a store writes to prove that it can."""


class TimedNote(NamedTuple, Generic[C]):
    """A note and the time when it was stored."""

    at: datetime
    content: C


class NoteType(Generic[C]):
    """A note with a fixed name."""

    def __init__(self, name: str, content: type[C]) -> None:
        self.name = name
        self._content = content

    def read(self, notes: StoredNotes) -> C | None:
        """Return its content; None without a note, or if the note lacks a required member."""
        timed = notes.get(self.name)
        return None if timed is None else _decode(timed[1], self._content)

    def write(self, journal: Notes, content: C, *, now: datetime) -> None:
        """Store the note; replace an existing one."""
        journal.note(self.name, _encode(content), now=now)

    def write_first(self, journal: Notes, content: C, *, now: datetime) -> C:
        """Store the note unless it exists; return the content of the stored one."""
        return _decode(journal.note_first(self.name, _encode(content), now=now), self._content) or content


class NoteGroup(Generic[C]):
    """Notes of one type, such as one for each worker. Their names have the same prefix."""

    def __init__(self, prefix: str, content: type[C]) -> None:
        self._prefix = prefix
        self._content = content

    def of(self, name: str) -> NoteType[C]:
        """Return the type of the note with this name, which has no prefix."""
        return NoteType(f"{self._prefix}{name}", self._content)

    def read(self, notes: StoredNotes) -> dict[str, TimedNote[C]]:
        """Return all notes of the group by their names without the prefix."""
        return {
            name.removeprefix(self._prefix): TimedNote(at, content)
            for name, (at, value) in notes.items()
            if name.startswith(self._prefix) and (content := _decode(value, self._content)) is not None
        }


def _encode(content: msgspec.Struct) -> dict[str, Any]:
    encoded: dict[str, Any] = msgspec.to_builtins(content, str_keys=True)
    return encoded


def _decode(value: Mapping[str, Any], content: type[C]) -> C | None:
    """Return the content. A member of a wrong type takes its default; None if a required one cannot be read."""
    members: dict[str, Any] = {}
    for field in msgspec.structs.fields(content):
        if field.encode_name in value:
            try:
                members[field.name] = msgspec.convert(value[field.encode_name], field.type, str_keys=True)
            except msgspec.ValidationError:
                continue
    try:
        return content(**members)
    except TypeError:
        return None


class KeyFailure(msgspec.Struct, frozen=True, kw_only=True):
    """How long the batches of a write key have failed in a row, and the last reason."""

    seconds: float = 0.0
    reason: str = ""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker reports every ten seconds. The first members count events since it started.

    claimed to lost  events by outcome
    began_at         when the worker started, in ISO 8601
    open             events that it has leased now
    batches          batches in progress
    keys             the state of each write key's breaker, by the key's fingerprint
    failing          the write keys whose batches fail, by fingerprint
    """

    claimed: int = 0
    delivered: int = 0
    ignored: int = 0
    unsupported: int = 0
    dead: int = 0
    dropped: int = 0
    retried: int = 0
    handed_back: int = 0
    lost: int = 0
    began_at: str = ""
    open: int = 0
    batches: int = 0
    keys: Mapping[str, str] = {}
    failing: Mapping[str, KeyFailure] = {}


class WriteKeyHold(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a write key is held because Segment refuses it, why, and the worker that reports it."""

    held: bool = False
    reason: str = ""
    worker: str = ""


class EncryptionKeys(msgspec.Struct, frozen=True):
    """The ids of the keys that rows may be encrypted with."""

    keys: tuple[str, ...] = ()


class ReencryptProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of `segue reencrypt`: its key, the cursor to continue from, and events that cannot be decrypted."""

    key: str = ""
    after: str = ""
    locked: int = 0


class JournalNamespace(msgspec.Struct, frozen=True):
    """The namespace of the installation that owns the journal."""

    namespace: str = ""


class MovedJournal(msgspec.Struct, frozen=True):
    """The journal to which `segue move` moved this one."""

    to: str = ""


class InstallationId(msgspec.Struct, frozen=True):
    """The random id with which the installation proves that a response comes from it."""

    id: str = ""


WORKERS: Final = NoteGroup("worker:", Heartbeat)
"""By the worker's name. Pruning deletes the note of a worker that stopped long ago."""
WRITE_KEY_HOLDS: Final = NoteGroup("hold:", WriteKeyHold)
"""By the write key's fingerprint."""
ENCRYPTION: Final = NoteType("encryption", EncryptionKeys)
REENCRYPT: Final = NoteType("reencrypt", ReencryptProgress)
NAMESPACE: Final = NoteType("namespace", JournalNamespace)
MOVED: Final = NoteType("moved", MovedJournal)
INSTALLATION: Final = NoteType("installation", InstallationId)
