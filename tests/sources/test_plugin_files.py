"""Sources of files that are not installed."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.plugin_files import text
from translators.kit import SharedToken, Source
from webhooks.errors import PluginError
from webhooks.sources.plugins import Plugin, Registry, with_files

CRM = Source("crm", scheme=SharedToken(where="query"))
EMPTY = Registry()
INSTALLED = Registry(
    (Plugin(name="crm", value="crm_segue:crm", distribution="crm-segue", version="1.2", source=CRM),), {"crm": CRM}
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(code: str, name: str = "filed.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        return path

    return write


@pytest.fixture(autouse=True)
def _modules_of_before() -> Iterator[None]:
    before = dict(sys.modules)
    yield
    for name in set(sys.modules) - set(before):
        del sys.modules[name]
    sys.modules.update(before)


def refused(*paths: Path, registry: Registry = INSTALLED) -> PluginError:
    with pytest.raises(PluginError) as caught:
        with_files(registry, paths)
    return caught.value


def test_every_source_of_a_module_is_loaded_once_beside_the_installed_ones(write: Callable[..., Path]) -> None:
    path = write(text("filed") + text("other") + "same = filed\n")
    registry = with_files(INSTALLED, [path, path])
    assert list(registry.sources) == ["crm", "filed", "other"]
    assert registry.sources["crm"] is CRM
    assert [(plugin.name, plugin.file, plugin.distribution) for plugin in registry.plugins] == [
        ("crm", "", "crm-segue"),
        ("filed", str(path), ""),
        ("other", str(path), ""),
    ]
    assert registry.broken == ()


def test_no_file_changes_nothing() -> None:
    assert with_files(INSTALLED, []).sources == INSTALLED.sources


def test_a_package_is_loaded_with_its_modules_and_named_by_folder_or_init(write: Callable[..., Path]) -> None:
    write("from acme_in_files.source import filed\nfrom . import events\n", "acme_in_files/__init__.py")
    write(text().partition("@filed.on")[0], "acme_in_files/source.py")
    path = write("from .source import filed\n@filed.on('a')\ndef read(event): ...\n", "acme_in_files/events.py")
    first = with_files(EMPTY, [path.parent]).sources["filed"]
    assert list(first.declared.handlers) == ["a"]
    path.write_text("from .source import filed\n@filed.on('a', 'bcd')\ndef read(event): ...\n")
    again = with_files(EMPTY, [path.parent / "__init__.py"]).sources["filed"]
    assert list(again.declared.handlers) == ["a", "bcd"], "a changed module counts at the next load"


def test_modules_of_one_name_in_two_folders_do_not_replace_each_other(write: Callable[..., Path]) -> None:
    registry = with_files(EMPTY, [write(text("one"), "a/json.py"), write(text("two"), "b/json.py")])
    modules = {source.declared.handlers["file.read"].__module__ for source in registry.sources.values()}
    assert len(modules) == 2
    assert "json" not in modules


def test_a_module_that_raises_is_an_error_with_its_own_traceback(write: Callable[..., Path]) -> None:
    path = write("def half(number):\n    return 1 / number\nhalf(0)\n")
    error = refused(path)
    lines = error.message.splitlines()
    assert lines[0] == f"{path} does not load:"
    assert lines[1:3] == ["Traceback (most recent call last):", f'  File "{path}", line 3, in <module>']
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert error.hint == "Change the file and try again."


@pytest.mark.parametrize(
    ("code", "reason"),
    [("x = (", "SyntaxError"), ("raise SystemExit(3)", "SystemExit: 3"), ("\0", "null bytes"), ("ä = 'é", "Error")],
)
def test_a_module_that_cannot_be_executed_is_an_error(write: Callable[..., Path], code: str, reason: str) -> None:
    assert reason in refused(write(code)).message


def test_an_import_of_a_module_beside_it_says_to_use_a_package(write: Callable[..., Path]) -> None:
    write("NAMES = {}", "names_beside.py")
    assert refused(write("import names_beside")).hint.endswith("give the package's folder.")
    package = write("import names_beside", "acme_in_files/__init__.py").parent
    assert refused(package).hint == "Change the file and try again."


def test_a_package_that_raises_leaves_the_modules_as_they_were(write: Callable[..., Path]) -> None:
    package = write("from .source import filed", "acme_in_files/__init__.py").parent
    write(text(), "acme_in_files/source.py")
    with_files(EMPTY, [package])
    before = {name: module for name, module in sys.modules.items() if name.startswith("acme_in_files")}
    assert set(before) == {"acme_in_files", "acme_in_files.source"}
    write("from .source import filed\n1 / 0", "acme_in_files/__init__.py")
    refused(package)
    assert {name: module for name, module in sys.modules.items() if name.startswith("acme_in_files")} == before


def test_a_file_without_a_source_says_how_one_is_made(write: Callable[..., Path]) -> None:
    error = refused(write("from translators.kit import Source\n"))
    assert error.message.endswith("has no source: no name in it is a translators.kit.Source.")
    assert 'acme = Source("acme", scheme=...)' in error.hint
    assert "its __init__.py" in refused(write("", "acme_in_files/__init__.py").parent).message


def test_a_source_that_names_no_events_is_refused(write: Callable[..., Path]) -> None:
    path = write("from translators.kit import *\nfiled = Source('filed', scheme=SharedToken(where='query'))")
    assert refused(path).message == (
        f"{path} cannot be used: filed declares no function that names its events: register one with @filed.head."
    )


def test_a_name_that_is_installed_is_refused(write: Callable[..., Path]) -> None:
    path = write(text("crm"))
    error = refused(path)
    assert error.message == f"{path} has a source called 'crm', which is installed already (crm-segue 1.2)."
    assert error.hint.startswith('Give yours another name, such as `Source("my_crm", ...)`. If it is this file')


def test_a_name_that_is_installed_but_broken_is_refused(write: Callable[..., Path]) -> None:
    broken = Plugin(name="filed", value="x:y", distribution="x", version="1", error="boom")
    assert "is installed already (x 1)" in refused(write(text()), registry=Registry((broken,))).message


def test_two_files_with_one_name_are_refused(write: Callable[..., Path]) -> None:
    first, second = write(text()), write(text(), "copy.py")
    error = refused(first, second)
    assert error.message == f"{second} has a source called 'filed', as {first} has."
    assert error.hint.endswith('`Source("my_filed", ...)`.')


def test_paths_that_are_no_module_say_what_to_give(write: Callable[..., Path], tmp_path: Path) -> None:
    assert refused(tmp_path / "none.py").message == f"There is no file {tmp_path / 'none.py'}."
    project = tmp_path / "acme-segue"
    project.mkdir()
    assert "or a single module" in refused(project).hint
    write("", "acme-segue/tests/__init__.py")
    write("", "acme-segue/acme_in_files/__init__.py")
    assert refused(project).hint == f"Give the package's folder, such as {project / 'acme_in_files'}."
    write("", "acme-segue/__init__.py")
    assert "'acme-segue' is no name of a package" in refused(project).message


def test_a_package_with_an_installed_module_s_name_is_refused(write: Callable[..., Path]) -> None:
    assert "a module called 'json' is installed already" in refused(write("", "json/__init__.py").parent).message


def test_a_source_that_another_module_made_counts_if_the_file_has_it(write: Callable[..., Path]) -> None:
    path = write("from translators.stripe.source import stripe\n")
    assert list(with_files(EMPTY, [path]).sources) == ["stripe"]
