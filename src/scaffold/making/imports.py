"""What a module imports, read from its text and from that of its neighbours: nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import resolve_name
from pathlib import Path

from scaffold.core.errors import UsageError
from scaffold.core.texts import shown


@dataclass
class Code:
    """A module and the neighbours that it imports.

    `tops` are the top-level names of all imports and of the module itself; `foreign` are the
    modules from elsewhere, without the standard library's; `texts` are the strings in the code;
    `knows_its_place` tells that the code looks at `__file__`.
    """

    files: set[Path] = field(default_factory=set)
    tops: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    knows_its_place: bool = False

    @property
    def is_alone(self) -> bool:
        """Tell whether it would be the same in another folder."""
        return len(self.files) == 1 and not self.knows_its_place


def follow(root: Path, module: str, file: Path | None) -> Code:
    """Read `module`, imported from `root` (or from `file`, if that was named), and its neighbours.

    Raises UsageError if a text is not Python, or if a neighbour hides a standard module.
    """
    code, visited = Code(), set[str]()
    todo = [(module, file.resolve() if file else _file_of(root, module))]
    while todo:
        name, place = todo.pop()
        if name in visited:
            continue
        visited.add(name)
        if place is not None:
            code.files.add(place)
            imported = _read(place, name, code)
            _refuse_hiding(root, place, imported)
            todo += [(neighbour, _file_of(root, neighbour)) for neighbour in imported]
        elif not _is_local(root, name):
            code.foreign.add(name)
    code.tops = {name.partition(".")[0] for name in visited}
    code.foreign = {
        name for name in code.foreign if name.partition(".")[0] not in sys.stdlib_module_names
    }
    return code


def _read(file: Path, name: str, code: Code) -> list[str]:
    """Return the names that a file imports, packages first; note its strings in `code`."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{shown(file.name)} is not valid Python: {error}", hint="correct it first"
        ) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            code.texts.add(node.value)
        elif isinstance(node, ast.Name) and node.id == "__file__":
            code.knows_its_place = True
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    names = [name.rpartition(".")[0], *_imported(tree, package)]
    return [imported for imported in names if imported]


def _refuse_hiding(root: Path, file: Path, imported: list[str]) -> None:
    """Raise UsageError for a neighbour with the name of a standard library module.

    Which of the two a project gets would depend on what was imported before.
    """
    for name in imported:
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names and top not in sys.builtin_module_names:
            neighbour = _module_at(root / top)
            if neighbour is not None and neighbour != file:
                raise UsageError(
                    f"{shown(file.name)} imports {top}, and the standard library has one as well",
                    hint="rename yours",
                )


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                try:
                    base = resolve_name("." * node.level + base, package)
                except ImportError:  # beyond the top: importing it will tell
                    continue
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _file_of(root: Path, module: str) -> Path | None:
    if module.partition(".")[0] in sys.stdlib_module_names:
        return None
    return _module_at(root.joinpath(*module.split(".")))


def _module_at(place: Path) -> Path | None:
    for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if file.is_file():
            return file.resolve()
    return None


def _is_local(root: Path, module: str) -> bool:
    """Tell whether a name belongs to a module, or a folder of modules, in `root`."""
    top = root / module.partition(".")[0]
    return top.with_name(f"{top.name}.py").is_file() or top.is_dir()
