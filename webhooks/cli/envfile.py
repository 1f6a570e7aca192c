"""Write secrets to a `.env` file: one `NAME=value` a line, as dotenv loaders and `. ./.env` read it."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Final

_BARE: Final = re.compile(r"[A-Za-z0-9_./:=+@%,-]*")


def put(path: Path, name: str, value: str) -> str:
    """Set `name` in the file and return its previous value, or an empty text.

    A new file is readable by its owner only. The file is replaced as a whole, so no reader sees it half-written.
    """
    text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    lines = _lines(text)
    assignment = re.compile(rf"(?:export\s+)?{re.escape(name)}\s*=(.*)", re.DOTALL)
    values = [match[1] for line in lines if (match := assignment.fullmatch(line))]
    others = [line for line in lines if not assignment.fullmatch(line)]
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write("\n".join([*others, f"{name}={_written(value)}"]) + "\n")
    fresh.replace(path)
    return _read(values[-1]) if values else ""


def names(text: str) -> set[str]:
    """Return the variables that a `.env` file's text sets, also those that are empty."""
    return {entry.partition("=")[0].strip().removeprefix("export").strip() for entry in _lines(text) if "=" in entry}


def written(value: str) -> str:
    """Return a value as the file holds it, in quotes if it needs them."""
    return _written(value)


def _lines(text: str) -> list[str]:
    """Return the file's entries; a quoted value may contain line ends, as a PEM key does."""
    entries: list[str] = []
    for line in text.splitlines():
        if entries and _open(entries[-1]):
            entries[-1] += "\n" + line
        else:
            entries.append(line)
    return entries


def _open(entry: str) -> bool:
    value = entry.partition("=")[2].lstrip()
    return value[:1] in {"'", '"'} and value.count(value[0]) % 2 == 1


def _written(value: str) -> str:
    return value if _BARE.fullmatch(value) else shlex.quote(value)


def _read(written: str) -> str:
    try:
        return "".join(shlex.split(written, comments=True))
    except ValueError:
        return written.strip()
