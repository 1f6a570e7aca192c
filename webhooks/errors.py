"""Every error of the service, in one tree. An error's docstring is what an operator should know of it.

SegueError                  message, and a hint that says what to do
├── SettingsError           the configuration is wrong; names each key, its problem and the mend
├── PluginError             a translator could not be loaded
├── Rejected                a request is turned away: status, error, reason, hint (never a secret, never a body)
└── JournalError
    ├── JournalAbsent       nothing has created it yet
    ├── JournalOutdated     its file is of an earlier version, and was opened only to be read
    └── JournalUnavailable  nothing was stored: disk full, database away
        └── JournalDamaged  its file is damaged
"""

from __future__ import annotations

from collections.abc import Mapping


class SegueError(Exception):
    """The root of all that Segue raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(SegueError):
    """The configuration is wrong. Nothing is started; each fault names its key, its problem and its mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults), hint="Mend these settings, then run `segue check` again.")
        self.faults = faults


class PluginError(SegueError):
    """A translator could not be loaded. The other sources work on; the traceback is in `segue sources`."""


class Rejected(SegueError):
    """A request was refused and changed nothing. `error` is a stable word for programs.

    `detail` is for the operator's log only. `signature` says what is known of the request's signature.
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


class JournalError(SegueError):
    """The journal could not do what was asked."""


class JournalUnavailable(JournalError):
    """Nothing was stored. The provider hears 503 and sends again; mend the disk or database, nothing is lost."""


class JournalOutdated(JournalError):
    """The journal's file is of an earlier version. `segue serve` or `segue migrate` brings it to this one."""


class JournalAbsent(JournalError):
    """There is no journal yet, and a command that only reads does not create it. `segue serve` does."""

    def __init__(self, message: str, *, hint: str = "`segue serve` creates it.", beginning: str = "0") -> None:
        super().__init__(message, hint=hint)
        self.beginning = beginning
        """The cursor before its first event."""


class JournalDamaged(JournalUnavailable):
    """The journal's file is damaged. Keep it, and save what can be read: docs/operating.md, A damaged file."""
