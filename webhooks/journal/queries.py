"""Named SQL: `-- name: claim` begins a query in a .sql file beside the store's modules."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def load(file: str) -> dict[str, str]:
    """Return every query of `webhooks/journal/<file>.sql` by its name; `file` is such as `sqlite/queries`."""
    text = files("webhooks.journal").joinpath(f"{file}.sql").read_text(encoding="utf-8")
    blocks = text.split("-- name: ")[1:]
    return {name.strip(): query.strip() for name, _, query in (block.partition("\n") for block in blocks)}
