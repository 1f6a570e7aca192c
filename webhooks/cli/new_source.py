"""`segue new-source`: generate a package with a working source, whose tests pass at once."""

from __future__ import annotations

import json
import keyword
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.output import echo, fail

if TYPE_CHECKING:
    from translators.kit import Source

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "order.paid": {
        "id": "evt_1",
        "type": "order.paid",
        "created_at": "2026-01-02T03:04:05Z",
        "data": {
            "id": "order_1",
            "customer_id": "customer_1",
            "email": "ada@example.com",
            "amount": 1999,
            "currency": "eur",
            "metadata": {"user_id": "u_1"},
        },
    },
    "customer.updated": {
        "id": "evt_2",
        "type": "customer.updated",
        "created_at": "2026-01-02T03:05:00Z",
        "data": {"id": "customer_1", "customer_id": "customer_1", "email": "ada@example.com", "name": "Ada Lovelace"},
    },
}


@click.command("new-source", short_help="Generate a package with a working source, as a start for your own.")
@click.argument("name")
@click.option("--title", default="", help="The provider's name as people write it.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder to write to (default: ./NAME-segue).",
)
def new_source(name: str, title: str, into: Path | None) -> None:
    """Write a package for a provider called NAME: module, goldens, test, README, pyproject.toml.

    Its tests pass as generated; change the fixture first, then the module. docs/adding-a-source.md explains each step.

    \b
    Examples:
      segue new-source acme --title "Acme Billing"
      cd acme-segue && pip install -e '.[test]' && pytest
    """  # noqa: D301
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise fail(
            f"{name!r} cannot be a source's name.", "Use lower-case letters, digits and _, at most 40, a letter first."
        )
    if not title.isprintable() or set(title) & {'"', "\\"}:
        raise fail(f"--title {title!r} cannot be used in a text.", "Remove quotes, backslashes and line ends.")
    title = title or name.replace("_", " ").title()
    folder = into or Path(f"{name.replace('_', '-')}-segue")
    if folder.exists() and any(folder.iterdir()):
        raise fail(f"{folder} exists and is not empty.", "Choose another folder with --into.")
    package = f"{name}_segue"
    words = {
        "NAME": name,
        "TITLE": title,
        "DIST": f"{name.replace('_', '-')}-segue",
        "PACKAGE": package,
        "ENV": name.upper(),
        "CLASS": re.sub(r"[^A-Za-z0-9]+", "", title.title()) or "Source",
        "TITLE_HEADER": re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-"),
    }
    module = _fill("module.py.txt", words)
    written = {
        folder / package / "__init__.py": module,
        folder / "pyproject.toml": _fill("pyproject.toml.txt", words),
        folder / "README.md": _fill("README.md.txt", words),
        folder / "tests" / f"test_{name}.py": _fill("test.py.txt", words),
        folder / "tests" / "conftest.py": 'pytest_plugins = ["webhooks.testing"]\n',
    }
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    source = _source(name, module)
    _goldens(folder / "tests" / "golden", source)
    _catalog(folder / package / "catalog.json", source, folder / "tests" / "golden")
    echo(f"{folder} is ready. It works at once, and its tests pass once it is installed:\n")
    echo(f"  cd {folder}")
    echo(f"  segue translate {name} tests/golden/order.paid.json --plugin ./{package}")
    echo("  pip install -e '.[test]' && pytest\n")
    echo("Then put a real payload into tests/golden and edit the module until its messages are right.")


def _source(name: str, module: str) -> Source:
    scope: dict[str, Any] = {"__name__": "example"}
    exec(compile(module, f"{name}.py", "exec"), scope)  # noqa: S102 - our own template, just filled  # nosec B102
    source: Source = scope[name]
    return source


def _goldens(folder: Path, source: Source) -> None:
    """Write the example payloads and the messages that the module makes of them."""
    from webhooks.translation.goldens import find_goldens, transcript

    folder.mkdir(parents=True, exist_ok=True)
    for type_, body in _EXAMPLES.items():
        (folder / f"{type_}.json").write_text(json.dumps(body, indent=2) + "\n")
    for golden in find_goldens(folder):
        golden.expected.write_text(transcript(source, golden))


def _catalog(path: Path, source: Source, goldens: Path) -> None:
    """Write the package's catalog, as `segue catalog --goldens ... --update` does."""
    from webhooks.translation import catalog

    path.write_text(json.dumps({source.name: catalog.learn(source, goldens)}, indent=1) + "\n")


def _fill(template: str, words: dict[str, str]) -> str:
    text = files("webhooks.cli").joinpath("scaffold", template).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
