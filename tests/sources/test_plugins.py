"""Installed sources: what is loaded of an entry point, and why one is not."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from support.plugin_files import text
from webhooks.sources import plugins
from webhooks.sources.plugins import Registry

CODE = f"""
from translators.kit import SharedToken, Source
{text("filed")}
headless = Source("headless", scheme=SharedToken(where="query"))
nothing = object()
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    (tmp_path / "installed_in_a_test.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)

    def load(*entries: tuple[str, str]) -> Registry:
        points = [EntryPoint(name, f"installed_in_a_test:{value}", plugins.GROUP) for name, value in entries]
        return plugins.load(points)

    return load


def test_an_entry_point_s_source_is_loaded(load: Callable[..., Registry]) -> None:
    registry = load(("filed", "filed"))
    assert list(registry.sources) == ["filed"]
    (plugin,) = registry.plugins
    assert (plugin.name, plugin.value, plugin.distribution, plugin.version, plugin.file) == (
        "filed", "installed_in_a_test:filed", "?", "?", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("nothing", "nothing", "installed_in_a_test:nothing is object, not a translators.kit.Source"),
        ("other", "filed", "the entry point is called 'other' but its source 'filed': use the same name for both"),
        (
            "headless",
            "headless",
            "headless declares no function that names its events: register one with @headless.head",
        ),
        ("absent", "absent", "AttributeError: module 'installed_in_a_test' has no attribute 'absent'"),
    ],
)
def test_an_entry_point_that_is_no_usable_source_is_reported_and_the_others_load(
    load: Callable[..., Registry], name: str, value: str, error: str
) -> None:
    registry = load((name, value), ("filed", "filed"))
    assert list(registry.sources) == ["filed"]
    (broken,) = registry.broken
    assert broken.name == name
    assert broken.error.strip().endswith(error)


def test_the_first_of_two_entry_points_of_one_name_counts(load: Callable[..., Registry]) -> None:
    registry = load(("filed", "filed"), ("filed", "filed"))
    assert [plugin.error for plugin in registry.plugins] == [
        "", "a source called 'filed' already exists; choose another name",
    ]  # fmt: skip
