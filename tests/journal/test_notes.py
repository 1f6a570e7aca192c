"""Typed notes: their stored names and members, and notes that another release has stored."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest

from support.events import NOW
from webhooks.journal import Journal
from webhooks.journal.notes import (
    ENCRYPTION,
    INSTALLATION,
    MOVED,
    NAMESPACE,
    REENCRYPT,
    WORKERS,
    WRITE_KEY_HOLDS,
    EncryptionKeys,
    Heartbeat,
    InstallationId,
    JournalNamespace,
    KeyFailure,
    MovedJournal,
    NoteGroup,
    NoteType,
    ReencryptProgress,
    TimedNote,
    WriteKeyHold,
)
from webhooks.monitoring.alerts.conditions import Alert
from webhooks.monitoring.alerts.watch import OPEN_ALERTS, LastUpdate, OpenAlert, OpenAlerts
from webhooks.monitoring.silence import LEARNED, ArrivalTimes, LearnedSources
from webhooks.monitoring.snapshot import SNAPSHOT, JournalSnapshot

LATER = NOW + timedelta(minutes=1)
HOLD = WriteKeyHold(held=True, reason="401", worker="w")
HEARTBEAT = Heartbeat(
    claimed=3, delivered=2, lost=1, began_at="2026-11-28T12:00:00+00:00", open=1, batches=1, keys={"abc": "closed"},
    failing={"abc": KeyFailure(seconds=2.5, reason="503")},
)  # fmt: skip
ALERT = OpenAlert(
    alert=Alert(key="disk", severity="critical", title="low", text="full"), since=NOW,
    sent={"log": LastUpdate(at=NOW, times=1, weight=0.0)},
)  # fmt: skip


class Required(msgspec.Struct):
    """A content with a member that has no default."""

    size: int
    name: str = ""


@pytest.mark.parametrize(
    ("type_", "content", "name", "stored"),
    [
        (ENCRYPTION, EncryptionKeys(("a", "b")), "encryption", {"keys": ["a", "b"]}),
        (
            REENCRYPT, ReencryptProgress(key="a", after="12", locked=3), "reencrypt",
            {"key": "a", "after": "12", "locked": 3},
        ),
        (NAMESPACE, JournalNamespace("shop"), "namespace", {"namespace": "shop"}),
        (MOVED, MovedJournal("postgresql://host/name"), "moved", {"to": "postgresql://host/name"}),
        (INSTALLATION, InstallationId("00ff"), "installation", {"id": "00ff"}),
        (WRITE_KEY_HOLDS.of("abc"), HOLD, "hold:abc", {"held": True, "reason": "401", "worker": "w"}),
        (
            WORKERS.of("host-1"), HEARTBEAT, "worker:host-1",
            {
                "claimed": 3, "delivered": 2, "ignored": 0, "unsupported": 0, "dead": 0, "dropped": 0, "retried": 0,
                "handed_back": 0, "lost": 1, "began_at": "2026-11-28T12:00:00+00:00", "open": 1, "batches": 1,
                "keys": {"abc": "closed"}, "failing": {"abc": {"seconds": 2.5, "reason": "503"}},
            },
        ),
        (
            SNAPSHOT, JournalSnapshot(at=NOW, states={"acme": {"dead": 1}}, oldest={"acme": NOW}, disk=(1, 2)), "snapshot",
            {
                "at": NOW.isoformat().replace("+00:00", "Z"), "states": {"acme": {"dead": 1}},
                "oldest": {"acme": NOW.isoformat().replace("+00:00", "Z")}, "size": 0, "disk": [1, 2], "keys": [],
                "pause": 15.0,
            },
        ),
        (
            LEARNED, LearnedSources({"acme": ArrivalTimes(first=1.0, last=9.0, longest={20_000: 8.0})}), "silence",
            {"sources": {"acme": {"first": 1.0, "last": 9.0, "longest": {"20000": 8.0}}}},
        ),
        (
            OPEN_ALERTS, OpenAlerts({"disk": ALERT}), "alerts",
            {
                "open": {
                    "disk": {
                        "alert": {
                            "key": "disk", "severity": "critical", "title": "low", "text": "full", "hint": "", "weight": 0.0,
                        },
                        "since": NOW.isoformat().replace("+00:00", "Z"), "gone": None,
                        "sent": {"log": {"at": NOW.isoformat().replace("+00:00", "Z"), "times": 1, "weight": 0.0}},
                    }
                }
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_note_is_stored_under_its_name_with_its_members(
    journal: Journal, type_: NoteType[msgspec.Struct], content: msgspec.Struct, name: str, stored: dict[str, object]
) -> None:
    assert type_.read(journal.notes()) is None
    type_.write(journal, content, now=NOW)
    notes = journal.notes()
    assert json.loads(json.dumps(notes[name][1])) == stored
    assert (notes[name][0], type_.read(notes)) == (NOW, content)


def test_a_group_returns_its_notes_by_name_with_their_times(journal: Journal) -> None:
    WORKERS.of("a").write(journal, Heartbeat(open=1), now=NOW)
    WORKERS.of("b").write(journal, Heartbeat(open=2), now=LATER)
    WRITE_KEY_HOLDS.of("a").write(journal, HOLD, now=NOW)
    assert WORKERS.read(journal.notes()) == {
        "a": TimedNote(NOW, Heartbeat(open=1)),
        "b": TimedNote(LATER, Heartbeat(open=2)),
    }


def test_the_first_content_of_a_note_is_kept(journal: Journal) -> None:
    assert NAMESPACE.write_first(journal, JournalNamespace("one"), now=NOW) == JournalNamespace("one")
    assert NAMESPACE.write_first(journal, JournalNamespace("two"), now=LATER) == JournalNamespace("one")


def test_members_of_another_release_are_ignored_and_missing_ones_take_their_default() -> None:
    stored = {"held": True, "until": "tomorrow", "reason": 401}
    assert WRITE_KEY_HOLDS.of("abc").read({"hold:abc": (NOW, stored)}) == WriteKeyHold(held=True)
    assert WORKERS.read({"worker:w": (NOW, {})}) == {"w": TimedNote(NOW, Heartbeat())}


def test_alerts_that_this_release_cannot_read_are_no_open_alerts() -> None:
    assert OPEN_ALERTS.read({"alerts": (NOW, {"open": {"disk": {"since": "today"}}})}) == OpenAlerts()


@pytest.mark.parametrize("stored", [{"name": "a"}, {"size": "large"}])
def test_a_note_without_a_required_member_is_no_note(journal: Journal, stored: dict[str, object]) -> None:
    note, group = NoteType("n", Required), NoteGroup("n", Required)
    journal.note("n", stored, now=NOW)
    assert (note.read(journal.notes()), group.read(journal.notes())) == (None, {})
    assert note.write_first(journal, Required(size=2), now=NOW) == Required(size=2)
