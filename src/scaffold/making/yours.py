"""The user's own function and items, on their way into a generated project.

One file is copied into the package. A module that is installed is imported from where it is. A file
that needs its neighbours is neither: it is refused, with what to do.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from scaffold.asking.target import Target
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown
from scaffold.making.items import Items, lines_of

ITEMS = "items.jsonl"
# What stands in a project's package beside a copied file.
TAKEN = frozenset({"__init__", "__main__", "work", "settings", "runner"})

Write = Callable[[Path], None]


@dataclass(frozen=True)
class Yours:
    """What a project needs to run the user's function on the user's items.

    `answers` are those of the template; `copy` writes the user's files into a project's directory,
    given its package's name.
    """

    target: Target
    items: Items
    module: str
    dependencies: tuple[str, ...]
    copied: Path | None

    @property
    def answers(self) -> dict[str, Any]:
        """What the template asks about the function."""
        return {
            "from_module": f".{self.module}" if self.copied else self.module,
            "from_function": self.target.function,
            "dependencies": list(self.dependencies),
        }

    def copy(self, project: Path, package: str) -> None:
        """Write the module, if it is copied, and the items into `project`."""
        if self.copied is not None:
            (project / package / f"{self.module}.py").write_bytes(self.copied.read_bytes())
        with (project / ITEMS).open("w", encoding="utf-8") as out:
            for text in lines_of(self.items.file):
                out.write(f"{text}\n")


def gather(target: Target, items: Items) -> Yours:
    """Find out what to copy; raise UsageError when the function cannot be taken along."""
    if "." in target.function:
        raise UsageError(
            f"{target.function} is not at the top of its module: no project can use it",
            hint="write a function there that calls it, and name that",
        )
    spec = PathFinder.find_spec(target.module.partition(".")[0], sys.path[1:])
    installed = spec is not None and spec.origin is not None
    if target.file is None or "." in target.module:
        if not installed:
            raise UsageError(
                f"{target.module} is not installed, so a project elsewhere could not import it",
                hint="pip install -e the package it belongs to, or name one file: FILE.py:FUNC",
            )
        return Yours(target, items, target.module, _distributions({target.module}), None)
    imported = _imports(target.file)
    folder = target.file.resolve().parent
    if neighbours := sorted(name for name in imported if _is_beside(folder, name)):
        raise UsageError(
            f"{shown(target.file)} imports its neighbour {neighbours[0]}, and one file is copied",
            hint="install both as a package and name it as package.module:FUNC",
        )
    stem = target.file.stem
    name = f"my_{stem}" if stem in TAKEN else stem
    return Yours(target, items, name, _distributions(imported), target.file)


def _imports(file: Path) -> set[str]:
    """Return the top-level names of the modules that `file` imports."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            f"{shown(file)} is not valid Python: {error}", hint="mend it first"
        ) from error
    return set(_imported(tree))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def _is_beside(folder: Path, name: str) -> bool:
    beside = (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    return beside and name not in sys.stdlib_module_names


def _distributions(modules: set[str]) -> tuple[str, ...]:
    """Return what has to be installed for `modules`: the distributions that have them here."""
    known = packages_distributions()
    tops = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names)
    return tuple(sorted({known[top][0] for top in tops if top in known}))
