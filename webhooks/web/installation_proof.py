"""Proof that a response comes from this installation: `/healthz?nonce=…` signs the nonce with an id of the journal.

The id is random and protects nothing else. A caller learns only whether two responses come from one journal.
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
from webhooks.journal.notes import INSTALLATION, InstallationId
from webhooks.journal.protocol import Notes

_NONCE: Final = re.compile(r"[0-9a-f]{32,64}")


def new_nonce() -> str:
    """Return a new random nonce."""
    return secrets.token_hex(16)


def installation_id(journal: Notes, now: datetime) -> str:
    """Return the installation's id, and create a missing one. Without a journal, return one that nothing proves."""
    id_ = _id(journal)
    if not id_:
        try:
            INSTALLATION.write(journal, InstallationId(secrets.token_hex(16)), now=now)
        except JournalAbsent:
            return secrets.token_hex(16)
        id_ = _id(journal)
    return id_


def prove(installation: str, nonce: str) -> str:
    """Return the proof for a nonce: an HMAC with the installation's id."""
    return hmac.new(installation.encode(), nonce.encode(), hashlib.sha256).hexdigest()


class InstallationProof:
    """Make the proofs of one process. The journal is read until it has an id, then never again."""

    def __init__(self, journal: Notes) -> None:
        self._journal = journal
        self._id = ""

    def proof(self, nonce: str) -> str:
        """Return the proof; empty if the nonce is malformed or the journal has no id yet."""
        if not _NONCE.fullmatch(nonce):
            return ""
        with suppress(JournalUnavailable):  # the health check must answer without the journal
            self._id = self._id or _id(self._journal)
        return prove(self._id, nonce) if self._id else ""


def _id(journal: Notes) -> str:
    return (INSTALLATION.read(journal.notes()) or InstallationId()).id
