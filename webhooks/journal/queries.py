"""Named SQL: `-- name: claim` begins a query in a .sql file beside this module."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def load(file: str) -> dict[str, str]:
    """Every query of `sql/<file>.sql` by its name."""
    text = files("webhooks.journal").joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
    blocks = text.split("-- name: ")[1:]
    return {name.strip(): query.strip() for name, _, query in (block.partition("\n") for block in blocks)}
