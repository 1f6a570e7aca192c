"""Every error of the service, in one tree. An error's docstring is what an operator needs to know about it.

SegueError                  message, and a hint: what to do
├── SettingsError           the configuration is wrong; each problem names its key and its fix
├── PluginError             a translator could not be loaded
├── Rejected                a request is refused: status, error, reason, hint (never a secret, never a body)
├── OperationRefused        an operator's request cannot be carried out; nothing was changed
│   ├── EventNotFound       no event has this number or key
│   ├── EventAmbiguous      several events have this key
│   └── UnknownName         no source or endpoint has this name
└── JournalError
    ├── JournalAbsent       it does not exist yet
    ├── JournalOutdated     its file has an earlier version, and was opened read-only
    └── JournalUnavailable  nothing was stored: disk full, database unreachable
        └── JournalDamaged  its file is damaged
"""

from __future__ import annotations

from collections.abc import Mapping


class SegueError(Exception):
    """The base class of every error that Segue raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(SegueError):
    """The configuration is wrong. Nothing is started. Each problem names its key and its fix."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults), hint="Fix these settings, then run `segue check` again.")
        self.faults = faults


class PluginError(SegueError):
    """A translator could not be loaded. The other sources keep working; `segue sources` shows the traceback."""


class Rejected(SegueError):
    """A request was refused and changed nothing. `error` is a stable word for programs.

    `detail` is for the operator's log only. `signature` is the state of the request's signature.
    """

    def __init__(
        self,
        status: int,
        error: str,
        reason: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        detail: str = "",
        signature: str = "",
    ) -> None:
        super().__init__(reason, hint=hint)
        self.detail = detail
        self.signature = signature
        self.status = status
        self.error = error
        self.reason = reason
        self.headers = dict(headers or {})


class OperationRefused(SegueError):
    """An operator's request cannot be carried out as it is. Nothing was changed."""


class EventNotFound(OperationRefused):
    """No event of the journal has this number or key. It may be pruned, or in another journal."""


class EventAmbiguous(OperationRefused):
    """Several events have this key. Name its source with it: SOURCE/KEY."""


class UnknownName(OperationRefused):
    """No source or endpoint has this name."""


class JournalError(SegueError):
    """The journal could not perform an operation."""


class JournalUnavailable(JournalError):
    """Nothing was stored. The provider receives 503 and retries; nothing is lost. Fix the disk or the database."""


class JournalOutdated(JournalError):
    """The journal's file has an earlier version. `segue serve` or `segue migrate` upgrades it."""


class JournalAbsent(JournalError):
    """The journal does not exist yet, and a read-only command does not create it. `segue serve` does."""

    def __init__(self, message: str, *, hint: str = "`segue serve` creates it.", beginning: str = "0") -> None:
        super().__init__(message, hint=hint)
        self.beginning = beginning
        """The cursor before its first event."""


class JournalDamaged(JournalUnavailable):
    """The journal's file is damaged. Keep it, and save what can be read: docs/operating.md, A damaged file."""
