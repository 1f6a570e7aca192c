"""The command `segue`, also as `python -m segue`.

Some distributions on PyPI install over the packages `translators` and `webhooks`, and importing them runs their code.
So this module imports neither before it has checked that both belong to Segue.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

PACKAGES = ("translators", "webhooks")
_FIRST = '"""Segue\'s '
"""The first characters of each package's `__init__.py`."""


def main() -> None:
    """Run the command line, or exit with the error of `conflict`."""
    problem = conflict()
    if problem:
        sys.stderr.write(f"Error: {problem[0]}\n{problem[1]}\n")
        raise SystemExit(1)
    from webhooks.cli.main import main as command

    command(prog_name="segue")


def conflict() -> tuple[str, str] | None:
    """Return what replaces or hides one of Segue's packages, and a hint; None if both are Segue's own."""
    for package in PACKAGES:
        folder = _folder(package)
        init = folder / "__init__.py" if folder else None
        if init is None or not init.is_file():
            return f"Segue's package `{package}` is incomplete: its __init__.py is missing.", _reinstall([])
        with init.open(encoding="utf-8", errors="replace") as file:
            if file.read(len(_FIRST)) == _FIRST:
                continue
        owners = _owners(package)
        if owners and init.parent.parent == _home():
            shown = " and ".join(owners)
            return f"the distribution {shown} has replaced Segue's package `{package}` in {folder}.", _reinstall(owners)
        return (
            f"{folder} hides Segue's package `{package}`.",
            (
                f"Install Segue into an environment of its own, without {' and '.join(owners)}."
                if owners
                else "Start `segue` in another folder, remove that folder from PYTHONPATH, or rename it."
            ),
        )
    return None


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return Path(folders[0]).resolve() if folders else None


def _home() -> Path | None:
    """Return the site-packages folder of this installation."""
    try:
        return Path(str(metadata.distribution("segue").locate_file(""))).resolve()
    except metadata.PackageNotFoundError:
        return None


def _owners(package: str) -> list[str]:
    """Return the other distributions that have installed this package."""
    return sorted(set(metadata.packages_distributions().get(package, [])) - {"segue"})


def _reinstall(owners: Iterable[str]) -> str:
    """Return the repair commands, in order: an uninstall alone would remove Segue's files too."""
    pip = f"{shlex.quote(sys.executable)} -m pip"
    uninstall = [f"  {pip} uninstall --yes {' '.join(owners)}"] if owners else []
    return "\n".join(
        [
            "Repair it in this order:" if owners else "Reinstall Segue:",
            *uninstall,
            f"  {pip} install --force-reinstall --no-deps {_origin()}",
        ]
    )


def _origin() -> str:
    """Return where Segue was installed from, as pip recorded it."""
    try:
        recorded = metadata.distribution("segue").read_text("direct_url.json") or ""
    except metadata.PackageNotFoundError:
        recorded = ""
    origin = json.loads(recorded) if recorded else {}
    address = str(origin.get("url", ""))
    if not address:
        return "<the wheel or folder that you installed Segue from>"
    if not address.startswith("file:"):
        return address
    path = unquote(urlsplit(address).path)
    if not Path(path).exists():
        return f"<the wheel or folder that you installed Segue from; it was {path}>"
    return ("-e " if origin.get("dir_info", {}).get("editable") else "") + shlex.quote(path)


if __name__ == "__main__":
    main()
