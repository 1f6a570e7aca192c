"""The error for a name that nothing is called by."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from webhooks.errors import UnknownName
from webhooks.logs import printable


def unknown_name(name: str, known: Collection[str], *, what: str = "source") -> UnknownName:
    """Return the error for an unknown name, with the closest known one; raise it."""
    close = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    hint = f"Did you mean {close[0]}? `segue sources` lists them all." if close else _all(known)
    return UnknownName(f"No {what} is called {printable(name)!r}.", hint=hint)


def _all(known: Collection[str]) -> str:
    return f"Choose from: {', '.join(sorted(known)) or 'none is installed'}."
