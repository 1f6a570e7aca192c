"""The namespace of the installation that owns a journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from webhooks.errors import OperationRefused
from webhooks.journal import AuditContext, is_absent
from webhooks.journal.notes import NAMESPACE, JournalNamespace
from webhooks.journal.protocol import EventOperations, Notes
from webhooks.operations.workers import running_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceRename:
    """The namespace of a journal before a rename, which may be empty, and afterwards."""

    before: str
    after: str

    @property
    def changes(self) -> bool:
        """Return whether they differ."""
        return self.before != self.after


def current(journal: Notes) -> str:
    """Return the journal's namespace; empty if it has none yet."""
    return (NAMESPACE.read(journal.notes()) or JournalNamespace()).namespace


def plan(journal: Notes, namespace: str, *, now: datetime) -> NamespaceRename:
    """Return the change of the journal's namespace to the configured one. Raise while a worker runs on the journal."""
    if absent := is_absent(journal):
        raise absent
    rename = NamespaceRename(before=current(journal), after=namespace)
    if not namespace:
        raise OperationRefused(
            "No namespace is configured.", hint="Set SEGUE_NAMESPACE, or a write key, from which one is derived."
        )
    if rename.changes and (running := running_workers(journal, now)):
        raise OperationRefused(
            f"A worker still runs on this journal: {', '.join(running)}.",
            hint="Stop Segue there, wait half a minute, and run it again.",
        )
    return rename


class RenamedJournal(Notes, EventOperations, Protocol):
    """What `run` uses of the journal."""


def run(journal: RenamedJournal, rename: NamespaceRename, *, by: AuditContext, now: datetime) -> None:
    """Change the namespace, which is part of every message id, and add a line to the audit log."""
    NAMESPACE.write(journal, JournalNamespace(rename.after), now=now)
    journal.audit("namespace", {"from": rename.before, "to": rename.after}, by=by, now=now)
