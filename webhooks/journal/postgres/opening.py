"""The first use of a PostgreSQL journal, which may be long after the start if the server is unavailable then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from webhooks.journal.postgres.schema import ensure
from webhooks.journal.runners import Runner


class Opening:
    """Check the tables once, then call `on_open`. The children of a fork need not do it again."""

    def __init__(self, url: str) -> None:
        self.is_done = False
        self._url = url
        self._on_open: Callable[[], None] | None = lambda: None
        self._create = True
        self._lock = threading.RLock()

    def prepare(self, on_open: Callable[[], None], *, create: bool) -> None:
        """Set what to call after the check, and whether missing tables are created."""
        self._on_open = on_open
        self._create = create

    def open(self, run: Runner) -> None:
        """Check the tables and call `on_open`, unless it was done. Calls of the journal by `on_open` get through."""
        with self._lock:
            on_open, self._on_open = self._on_open, None
            if self.is_done or on_open is None:
                return
            try:
                run(partial(ensure, self._url, create=self._create))
                on_open()
                self.is_done = True
            finally:
                self._on_open = on_open
