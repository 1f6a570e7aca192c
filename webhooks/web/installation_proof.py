"""Proof that an answer comes from this installation: `/healthz?nonce=…` signs the nonce with an id of the journal.

The id is random and no secret of anything else: who asks learns only whether two answers come from one journal.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from datetime import datetime
from typing import Final

from webhooks.errors import JournalAbsent, JournalUnavailable
from webhooks.journal import Journal

NOTE: Final = "installation"
_NONCE: Final = re.compile(r"[0-9a-f]{32,64}")


def nonce() -> str:
    """A fresh one."""
    return secrets.token_hex(16)


def establish(journal: Journal, now: datetime) -> str:
    """The installation's id, made if there is none yet; without a journal one that no process proves."""
    found = _id(journal)
    if not found:
        try:
            journal.note(NOTE, {"id": secrets.token_hex(16)}, now=now)
        except JournalAbsent:
            return secrets.token_hex(16)
        found = _id(journal)
    return found


def prove(installation: str, asked: str) -> str:
    """What who knows the id answers."""
    return hmac.new(installation.encode(), asked.encode(), hashlib.sha256).hexdigest()


class InstallationProof:
    """Answers for one process; the journal is read until there is an id, and once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._id = ""

    def answer(self, asked: str) -> str:
        """The proof; empty where the nonce is none, or nobody has ever asked for an id."""
        if not _NONCE.fullmatch(asked):
            return ""
        with suppress(JournalUnavailable):  # alive is alive
            self._id = self._id or _id(self._journal)
        return prove(self._id, asked) if self._id else ""


def _id(journal: Journal) -> str:
    return str(journal.notes().get(NOTE, (None, {}))[1].get("id", ""))
