"""Import rules that a contract in pyproject.toml cannot state for modules still to come."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROVIDERS = sorted(
    path for path in (ROOT / "translators").rglob("*.py")
    if path.relative_to(ROOT / "translators").parts[0] not in {"kit", "testing.py", "__init__.py"}
)  # fmt: skip
SERVICE = sorted((ROOT / "webhooks").rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"


@pytest.mark.parametrize("path", PROVIDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_translator_imports_the_standard_library_and_the_kit_only(path: Path) -> None:
    own = f"translators.{path.relative_to(ROOT / 'translators').parts[0].removesuffix('.py')}"
    for name in imports(path):
        top = name.partition(".")[0]
        pure = top in sys.stdlib_module_names and top not in {"socket", "sqlite3", "subprocess", "urllib.request"}
        assert pure or top == "defusedxml" or name.startswith(("translators.kit", own)), name


@pytest.mark.parametrize("path", SERVICE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_service_knows_the_kit_and_no_provider(path: Path) -> None:
    for name in imports(path):
        if name.partition(".")[0] == "translators":
            assert name == "translators" or name.startswith("translators.kit"), name


@pytest.mark.parametrize("path", SERVICE, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_http_package_and_the_delivery_send_requests(path: Path) -> None:
    clients = {"http.client", "urllib.request", "requests", "urllib3"}
    sends = {name for name in imports(path) if name in clients or name.startswith(("requests.", "urllib3."))}
    place = path.relative_to(ROOT / "webhooks").as_posix()
    if place == "segment/transport.py":
        assert not sends & {"http.client", "urllib.request"}
    elif place.startswith("http/"):
        assert sends <= {"http.client", "urllib.request"}
    else:
        assert not sends
