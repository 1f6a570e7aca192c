"""Where tests keep their files: in memory if there is enough of it, since a sync of a disk takes milliseconds."""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
NEEDED = 4 << 30
"""Bytes free: two PostgreSQL servers, the environments of the install tests and the journals of all workers."""


def temporary_root() -> str | None:
    """Return a folder in memory, or None for the system's folder of temporary files.

    PYTEST_DEBUG_TEMPROOT overrides it; a container's /dev/shm is often too small.
    """
    if named := os.environ.get("PYTEST_DEBUG_TEMPROOT"):
        return named
    try:
        free = shutil.disk_usage(MEMORY).free
    except OSError:
        return None
    return str(MEMORY) if free >= NEEDED and os.access(MEMORY, os.W_OK | os.X_OK) else None
