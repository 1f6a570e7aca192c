"""Load sources: from the entry-point group `segue.translators`, which built-in and third-party sources share, and from
files that are not installed.

An installed plugin that cannot be loaded is reported with its traceback; the others keep working. A file is named by
the operator, so one that cannot be loaded is an error.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

import segue
from translators.kit import Source
from webhooks.errors import PluginError

GROUP: Final = "segue.translators"
_INIT: Final = "__init__.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One entry point, or one source of a file: the source, or the traceback of the error that prevented loading it."""

    name: str
    value: str
    distribution: str
    version: str
    source: Source | None = None
    error: str = ""
    file: str = ""
    """The path that `--plugin` or SEGUE_PLUGINS names; empty if the plugin is installed."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Every plugin, and the sources that could be loaded, by name."""

    plugins: tuple[Plugin, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def broken(self) -> tuple[Plugin, ...]:
        """Return the plugins that could not be loaded."""
        return tuple(plugin for plugin in self.plugins if plugin.error)


def load(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Import every installed translator. Built-in ones come first, so another plugin cannot take their names."""
    check_imports()
    points = sorted(
        entry_points(group=GROUP) if entries is None else entries,
        key=lambda point: (point.dist is None or point.dist.name != "segue", point.name),
    )
    plugins: list[Plugin] = []
    sources: dict[str, Source] = {}
    for point in points:
        plugin = _load(point, sources)
        plugins.append(plugin)
        if plugin.source is not None:
            sources[plugin.name] = plugin.source
    return Registry(tuple(plugins), sources)


def with_files(registry: Registry, files: Iterable[Path]) -> Registry:
    """Return the registry with the sources of files, or folders of packages, that are not installed.

    Every `Source` that the module has as an attribute is loaded. The file is executed at each call, so that a changed
    one counts. Raise `PluginError` if it does not load, or if the name of a source is taken: a file replaces no source.
    """
    plugins = list(registry.plugins)
    owners = {plugin.name: plugin for plugin in reversed(plugins)}
    sources = dict(registry.sources)
    for file in dict.fromkeys(file.resolve() for file in files):
        for source in _sources_of(file):
            if source.name in owners:
                raise _name_is_taken(source.name, file, owners[source.name])
            if error := _unusable(source):
                raise PluginError(f"{file} cannot be used: {error}.", hint="Change the file and try again.")
            plugin = Plugin(
                name=source.name, value=str(file), distribution="", version="", source=source, file=str(file)
            )
            plugins.append(plugin)
            owners[source.name] = plugin
            sources[source.name] = source
    return Registry(tuple(plugins), sources)


def check_imports() -> None:
    """Raise `PluginError` if another distribution replaces or hides `translators` or `webhooks`."""
    problem = segue.conflict()
    if problem:
        raise PluginError(problem[0], hint=problem[1])


def _load(point: EntryPoint, loaded_sources: Mapping[str, Source]) -> Plugin:
    distribution = point.dist.name if point.dist else "?"
    version = point.dist.version if point.dist else "?"
    source: Source | None = None
    error = ""
    try:
        loaded = point.load()
        if not isinstance(loaded, Source):
            error = f"{point.value} is {type(loaded).__name__}, not a translators.kit.Source"
        elif loaded.name != point.name:
            error = (
                f"the entry point is called {point.name!r} but its source {loaded.name!r}: use the same name for both"
            )
        elif point.name in loaded_sources:
            error = f"a source called {point.name!r} already exists; choose another name"
        else:
            error = _unusable(loaded)
            source = None if error else loaded
    except (Exception, SystemExit):  # noqa: BLE001 - a plugin may raise anything
        error = traceback.format_exc()
    return Plugin(
        name=point.name, value=point.value, distribution=distribution, version=version, source=source, error=error
    )


def _unusable(source: Source) -> str:
    """Return why a source cannot receive events, or an empty text."""
    if source.declared.head is None:
        return f"{source.name} declares no function that names its events: register one with @{source.name}.head"
    return ""


def _name_is_taken(name: str, file: Path, owner: Plugin) -> PluginError:
    where = owner.file or f"{owner.distribution} {owner.version}"
    other = f'Give yours another name, such as `Source("my_{name}", ...)`'
    if owner.file:
        return PluginError(f"{file} has a source called {name!r}, as {where} has.", hint=f"{other}.")
    return PluginError(
        f"{file} has a source called {name!r}, which is installed already ({where}).",
        hint=f"{other}. If it is this file that is installed, leave it out: the installed one is used.",
    )


def _sources_of(file: Path) -> list[Source]:
    """Return every source of a module or package, each once. Raise `PluginError` if there is none."""
    values = vars(_module(file)).values()
    sources = list({id(value): value for value in values if isinstance(value, Source)}.values())
    if not sources:
        where = "its __init__.py" if file.is_dir() else "it"
        raise PluginError(
            f"{file} has no source: no name in {where} is a translators.kit.Source.",
            hint=f'Make one there, such as `acme = Source("acme", scheme=...)`, or import it into {where}.',
        )
    return sources


def _module(file: Path) -> ModuleType:
    """Execute a module, or a package's `__init__.py`."""
    if file.name == _INIT:
        file = file.parent
    if not file.is_dir():
        if not file.is_file():
            raise PluginError(f"There is no file {file}.", hint="Give the path of a module, such as ./acme.py.")
        return _execute(f"segue_plugin_{sha256(str(file).encode()).hexdigest()[:16]}", file, package=False)
    if not (file / _INIT).is_file():
        packages = sorted(path.parent.name for path in file.glob(f"*/{_INIT}") if path.parent.name != "tests")
        inner = f", such as {file / packages[0]}" if packages else " (the one with __init__.py), or a single module"
        raise PluginError(f"{file} is no package: it has no __init__.py.", hint=f"Give the package's folder{inner}.")
    if not file.name.isidentifier():
        raise PluginError(
            f"{file} cannot be imported: {file.name!r} is no name of a package.",
            hint="Rename the folder: letters, digits and _.",
        )
    installed = find_spec(file.name)
    if installed is not None and Path(installed.origin or "").resolve() != file / _INIT:
        raise PluginError(
            f"{file} cannot be loaded: a module called {file.name!r} is installed already ({installed.origin}).",
            hint="Rename the folder.",
        )
    return _execute(file.name, file / _INIT, package=True)


def _execute(name: str, file: Path, *, package: bool) -> ModuleType:
    """Execute a file as the module `name`, and its submodules again. If it raises, leave `sys.modules` as it was."""
    search = [str(file.parent)] if package else None
    loader = SourceFileLoader(name, str(file))
    spec = spec_from_file_location(name, file, loader=loader, submodule_search_locations=search)
    assert spec is not None
    before = _forget(name)
    module = sys.modules[name] = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        _forget(name)
        sys.modules.update(before)
        alone = isinstance(error, ImportError) and not package
        beside = " A module beside it can be imported only in a package: give the package's folder." if alone else ""
        raise PluginError(
            f"{file} does not load:\n{_traceback(error, file)}", hint=f"Change the file and try again.{beside}"
        ) from None
    return module


def _forget(name: str) -> dict[str, ModuleType]:
    """Take a module and its submodules out of `sys.modules`, and return them."""
    names = [known for known in sys.modules if known == name or known.startswith(f"{name}.")]
    return {known: sys.modules.pop(known) for known in names}


def _traceback(error: BaseException, file: Path) -> str:
    """Return the traceback from the plugin's first line on, without ours."""
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename != str(file):
        step = step.tb_next
    return "".join(traceback.format_exception(type(error), error, step)).strip()
