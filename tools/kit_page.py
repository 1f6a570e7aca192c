"""Write the signatures and descriptions of docs/kit.md, which come from the kit's code.

    python3 dev.py kit             writes them; a test fails if the page differs from the code

The page names what it describes in comments, `<!-- kit: Head Event Item.digest -->`, each ended by `<!-- end -->`; what
is between them is written here, all else by hand. A name is one of `translators.kit`, a member of a class of it
(`Payload.text`), or one of another module of the kit (`mail.address`).
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_overloads

HERE: Final = Path(__file__).resolve().parent.parent
PAGE: Final = HERE / "docs" / "kit.md"
KIT: Final = "translators.kit"
CLASSES: Final = ("Source", "Payload", "OptionalMembers", "Delivery", "Item", "Event", "Option")
"""Classes whose public members are on the page, each by itself."""
MODULES: Final = ("mail", "metadata", "vocabulary")
"""Modules of the kit whose public names are used by their module's name."""
_HIDDEN: Final = {"OptionalMembers": f"{KIT}.payload"}
"""Classes that a source uses and does not import."""
_BLOCK: Final = re.compile(r"<!-- kit: ([^>]*?) -->\n.*?<!-- end -->", re.DOTALL)
_WORDS: Final = re.compile(r"[A-Za-z_]\w*")
_LITERAL: Final = re.compile(r"Literal\[([^\]]*)\]")
_DECORATES: Final = "` decorates `"
_LONGEST: Final = 120
"""Characters of a call that is written in one line."""
_LISTED: Final = re.compile(r"(\w+(?:, \w+)*) {2,}(\S.*)")


def surface() -> list[str]:
    """Return every public name: those of `translators.kit`, members of its classes, and those of `MODULES`."""
    names = list(import_module(KIT).__all__)
    for name in CLASSES:
        members = vars(_class(name)).items()
        names += [f"{name}.{member}" for member, value in members if member[0] != "_" and _is_member(value)]
    for module in MODULES:
        tree = _tree(f"{KIT}.{module}")
        names += [f"{module}.{name}" for name in _defined(tree) if name[0] != "_"]
    return sorted(names)


def names_on(page: str) -> list[str]:
    """Return the names that a page's comments list, in their order."""
    return [name for match in _BLOCK.finditer(page) for name in match[1].split()]


def rendered(page: str) -> str:
    """Return the page with what its comments list, from today's code. Raise `LookupError` for an unknown name."""
    return _BLOCK.sub(lambda match: _block(match[1].split()), page)


def entry(name: str) -> str:
    """Return a name's signatures, its description and its parameters, if its docstring lists them."""
    signatures, docstring = _described(name)
    text, *parameters = _paragraphs(docstring)
    parameters = [*parameters, ""] if parameters else []  # without an empty line the next entry would be one of them
    if not text:
        raise LookupError(f"{name} has no docstring")
    if len(signatures[0]) > _LONGEST and signatures[0].startswith(f"{name}("):
        call = "\n".join(f"    {line}" for line in _lines(signatures[0]))
        return "\n".join([f"- `{name}`: {text}\n\n    ```text\n{call}\n    ```\n", *parameters])
    shown = " or ".join(f"`{signature}`" for signature in signatures)
    return "\n".join([f"- {shown}: {text}", *parameters])


def _lines(call: str) -> list[str]:
    """Return a call with a parameter a line."""
    name, _, rest = call.partition("(")
    inner, _, returned = rest.rpartition(")")
    parameters = re.split(r", (?=\*|/|\w+: )", inner)
    return [f"{name}(", *(f"    {parameter}," for parameter in parameters), f"){returned}"]


def _block(names: list[str]) -> str:
    entries = "\n".join(map(entry, names))
    return f"<!-- kit: {' '.join(names)} -->\n{entries}\n<!-- end -->"


def _class(name: str) -> type:
    owner: type = getattr(import_module(_HIDDEN.get(name, KIT)), name)
    return owner


def _is_member(value: Any) -> bool:
    return isinstance(value, property | cached_property | staticmethod | classmethod) or inspect.isfunction(value)


def _described(name: str) -> tuple[list[str], str]:
    """Return the signatures and the docstring."""
    owner, _, member = name.rpartition(".")
    if owner in CLASSES:
        return _member(owner, member)
    module = f"{KIT}.{owner}" if owner else KIT
    value = getattr(import_module(module), name.rpartition(".")[2], None)
    if value is None:
        raise LookupError(f"{name} is not in {module}")
    if inspect.isclass(value) and issubclass(value, Exception):
        return [_signature(name, value) if "__init__" in vars(value) else name], inspect.getdoc(value) or ""
    if inspect.isclass(value) or inspect.isfunction(value):
        return [_signature(name, value)], inspect.getdoc(value) or ""
    return _constant(name, module)


def _member(owner: str, name: str) -> tuple[list[str], str]:
    value = vars(_class(owner)).get(name)
    if value is None:
        raise LookupError(f"{owner} has no member {name}")
    docstring = inspect.getdoc(value) or ""
    function = getattr(value, "fget", None) or getattr(value, "func", None)
    if function is not None:
        return [f"{owner}.{name}: {function.__annotations__['return']}"], docstring
    return [_signature(f"{owner}.{name}", call) for call in get_overloads(value) or [value]], docstring


def _signature(name: str, value: Any) -> str:
    """Return a call as the code declares it; for a decorator, what it decorates."""
    signature = inspect.signature(value)
    aliases = _aliases(value.__module__)
    parameters = [
        parameter.replace(annotation=_Annotation(parameter.annotation, aliases), default=_default(parameter.default))
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    returned = "" if inspect.isclass(value) else str(signature.return_annotation)
    call = f"{name}{inspect.Signature(parameters)}".replace("<factory>", "...")
    if len(parameters) == 1 and returned in aliases and signature.parameters[parameters[0].name].annotation == returned:
        return f"@{name}{_DECORATES}{_expanded(returned, aliases)}"
    if decorates := re.fullmatch(r"Callable\[\[(\w+)\], \1\]", returned):
        return f"@{call}{_DECORATES}{_expanded(decorates[1], aliases)}"
    return f"{call} -> {returned}" if returned not in ("", "None") else call


class _Annotation:
    """An annotation as the code writes it, with the aliases of its module replaced by what they stand for."""

    def __init__(self, text: Any, aliases: dict[str, str]) -> None:
        values = _LITERAL.sub(lambda literal: literal[1].replace(", ", " | "), _expanded(str(text), aliases))
        self.text = values.replace('"', "'")

    def __repr__(self) -> str:
        return self.text


def _default(value: Any) -> Any:
    """Return a default whose text is the same in every process and Python: a function's is its name."""
    name = "" if inspect.isclass(value) else getattr(value, "__qualname__", "")
    return _Annotation(name, {}) if name else value


def _expanded(text: str, aliases: dict[str, str]) -> str:
    return _WORDS.sub(lambda word: aliases.get(word[0], word[0]), text)


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(import_module(module)))


def _defined(tree: ast.Module) -> Iterator[str]:
    """Yield the functions, classes and constants that a module defines."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            yield _target(statement)


def _target(statement: ast.Assign | ast.AnnAssign) -> str:
    return ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target)


@cache
def _aliases(module: str) -> dict[str, str]:
    """Return the module's own names for functions and literals that are no part of the surface, and what each means."""
    aliases: dict[str, str] = {}
    public = import_module(KIT).__all__
    for statement in _tree(module).body:
        if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith(f"{KIT}."):
            known = _aliases(str(statement.module))
            aliases |= {alias.name: known[alias.name] for alias in statement.names if alias.name in known}
        if isinstance(statement, ast.Assign) and statement.value is not None:
            value = statement.value
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "TypeVar":
                bound = [keyword.value for keyword in value.keywords if keyword.arg == "bound"]
                if bound:
                    aliases[_target(statement)] = _expanded(ast.unparse(bound[0]), aliases)
            elif ast.unparse(value).startswith(("Callable[", "Literal[")) and _target(statement) not in public:
                aliases[_target(statement)] = _expanded(ast.unparse(value), aliases)
    return aliases


def _constant(name: str, module: str) -> tuple[list[str], str]:
    """Return a constant with its value, and the text that follows it in the code."""
    short = name.rpartition(".")[2]
    body = _tree(_module_of(short, module)).body
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _target(statement) == short:
            text = after.value if isinstance(after, ast.Expr) else None
            docstring = text.value if isinstance(text, ast.Constant) else ""
            value = ast.unparse(statement.value) if statement.value is not None else ""
            simple = not isinstance(statement.value, ast.Call | ast.Dict)
            return [f"{name} = {value}" if simple else name], inspect.cleandoc(str(docstring))
    raise LookupError(f"{name} is not defined in {module}")


def _module_of(name: str, module: str) -> str:
    """Return the module that defines what another one imports."""
    for statement in _tree(module).body:
        if isinstance(statement, ast.ImportFrom) and name in {alias.name for alias in statement.names}:
            return str(statement.module)
    return module


def _paragraphs(docstring: str) -> list[str]:
    """Return the first paragraph as one line, then an indented line for each parameter that the docstring lists."""
    first, *others = docstring.strip().split("\n\n")
    listed: list[str] = []
    for paragraph in others:
        for line in paragraph.splitlines():
            if parameter := _LISTED.fullmatch(line):
                names = ", ".join(f"`{name}`" for name in parameter[1].split(", "))
                listed.append(f"    - {names}: {parameter[2]}")
            elif listed and line.startswith(" "):
                listed[-1] += f" {line.strip()}"
        if listed:
            break
    return [" ".join(first.split()), *listed]


def main() -> int:
    """Write the page, if it differs."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = rendered(page)
    if fresh != page:
        PAGE.write_text(fresh, encoding="utf-8")
    missing = sorted(set(surface()) - set(names_on(fresh)))
    if missing:
        sys.stderr.write(f"Not on {PAGE.name}; add them to a comment of it: {' '.join(missing)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.exit(main())
