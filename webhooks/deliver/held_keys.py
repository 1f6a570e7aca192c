"""Held write keys: logged once, and kept as a note in the journal until they work again."""

from __future__ import annotations

import logging
import threading
from typing import Final

from webhooks.deliver.context import DeliveryContext
from webhooks.errors import JournalUnavailable
from webhooks.journal.notes import WRITE_KEY_HOLDS, WriteKeyHold
from webhooks.segment import Client

log: Final = logging.getLogger("webhooks.deliver")


class WriteKeyStatus:
    """Each write key has a note, `WriteKeyHold`."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._held: dict[str, bool] = {}
        self._lock = threading.Lock()

    def report(self, client: Client) -> None:
        """Log and note a change since the last report, if there is one."""
        reason = client.breaker.held
        with self._lock:
            before = self._held.get(client.fingerprint)
            self._held[client.fingerprint] = bool(reason)
        note = WRITE_KEY_HOLDS.of(client.fingerprint)
        try:
            if before is None:  # the first report of this process; an earlier process may have noted a hold
                before = (note.read(self._context.journal.notes()) or WriteKeyHold()).held
            if bool(reason) == before:
                return
            if reason:
                log.error("write key held: nothing is lost", extra={"write_key": client.fingerprint, "reason": reason})
            else:
                log.info("write key works again", extra={"write_key": client.fingerprint})
            hold = WriteKeyHold(held=bool(reason), reason=reason, worker=self._context.worker)
            note.write(self._context.journal, hold, now=self._context.clock())
        except JournalUnavailable as error:
            with self._lock:
                self._held.pop(client.fingerprint, None)  # report it again with the next batch
            log.warning("hold not stored in the journal", extra={"reason": error.message})
