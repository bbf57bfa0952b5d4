"""The user's own function and items, as they come into a generated project.

A lone file is copied into the package. What has a package, or neighbours, stays where it is and is
imported there: as it is installed, or else by the path from the project to it.
"""

from __future__ import annotations

import ast
import json
import os
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
    copied: Path | None = None
    folder: Path | None = None

    def answers(self, project: Path) -> dict[str, Any]:
        """What the template asks about the function, for a project that goes to `project`."""
        return {
            "from_module": f".{self.module}" if self.copied else self.module,
            "from_function": self.target.function,
            "from_path": self.path_from(project),
            "dependencies": list(self.dependencies),
        }

    @property
    def taken(self) -> frozenset[str]:
        """The name that the project's package must not have, or its import would find itself."""
        return frozenset() if self.copied else frozenset({self.module.partition(".")[0].lower()})

    def path_from(self, project: Path) -> str:
        """Return the path from `project` to where the function is imported, if it needs one."""
        if self.folder is None:
            return ""
        try:
            path = os.path.relpath(self.folder, project.resolve())
        except ValueError:  # on another drive of Windows
            path = str(self.folder)
        return path.replace(os.sep, "/")

    def notes(self, project: Path) -> tuple[str, ...]:
        """Say what the project has from elsewhere."""
        said = []
        if self.folder is not None:
            where = shown(self.path_from(project))
            said.append(f"{self.module} is imported from where it is, {where} from the project.")
        if self._relative():
            said.append(
                "Items that are relative paths were made absolute: they are found anywhere."
            )
        return tuple(said)

    def copy(self, project: Path, package: str) -> None:
        """Write the module, if it is copied, and the items into `project`."""
        if self.copied is not None:
            (project / package / f"{self.module}.py").write_bytes(self.copied.read_bytes())
        relative = self._relative()
        with (project / ITEMS).open("w", encoding="utf-8") as out:
            for text in lines_of(self.items.file):
                line = json.dumps(self._settled(json.loads(text))) if relative else text
                out.write(f"{line}\n")

    def _relative(self) -> bool:
        """Tell whether items are paths that lead somewhere only from here."""
        return any(self._settled(item) != item for item in self.items.sample)

    def _settled(self, item: Any) -> Any:
        """Return the item with its relative paths made absolute: from its file, or from here."""
        if isinstance(item, dict):
            return {name: self._settled(value) for name, value in item.items()}
        if isinstance(item, list):
            return [self._settled(value) for value in item]
        if not isinstance(item, str) or not ("/" in item or "." in item) or "\0" in item:
            return item  # a word may be a file's name by chance
        for folder in (self.items.file.parent, Path()):
            path = os.path.abspath(folder / item)
            if os.path.lexists(path):
                return path
        return item


def gather(target: Target, items: Items) -> Yours:
    """Find out what to copy; raise UsageError when the function cannot be taken along."""
    if "." in target.function:
        raise UsageError(
            f"{target.function} is not at the top of its module: no project can use it",
            hint="write a function there that calls it, and name that",
        )
    imported = _imports(target.file) if target.file else set()
    if target.file is not None and "." not in target.module:
        folder = target.file.resolve().parent
        if not any(_is_beside(folder, name) for name in imported):
            stem = target.file.stem
            name = f"my_{stem}" if stem in TAKEN else stem
            return Yours(target, items, name, _distributions(imported), copied=target.file)
    needed = _distributions({target.module, *imported})
    spec = PathFinder.find_spec(target.module.partition(".")[0], sys.path[1:])
    if spec is not None and spec.origin is not None:
        return Yours(target, items, target.module, needed)
    return Yours(target, items, target.module, needed, folder=Path(target.path[0]).resolve())


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
