"""The user's own function and items, as they come into a generated project.

A single file is copied into the package. Code with a package, or with neighbours, stays where it
is: it is installed from there if that is possible, or else imported by the path from the project.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaffold.asking.target import Target
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown
from scaffold.making import distributed, imports, installed
from scaffold.making.items import Items, lines_of

ITEMS = "items.jsonl"
PARQUET = ".parquet"  # has more types than JSON: such items are not converted
# Names in a project's package that a copied file must not have; many file systems ignore the case.
TAKEN = frozenset({"__init__", "__main__", "work", "settings", "runner"})

Write = Callable[[Path], None]


@dataclass(frozen=True)
class UserCode:
    """What a project needs to run the user's function on the user's items.

    `answers` are those of the template; `copy` writes the user's files into a project's directory,
    given its package's name. `local` are distributions that are installed from folders, `reads`
    the paths in the code that lead somewhere only from here, `tops` the top-level names of the
    modules that it consists of and imports.
    """

    target: Target
    items: Items
    module: str
    dependencies: tuple[str, ...]
    local: Mapping[str, Path] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    tops: frozenset[str] = frozenset()
    copied: Path | None = None
    folder: Path | None = None

    def answers(self, project: Path) -> dict[str, Any]:
        """The template's answers about the function, for a project that goes to `project`."""
        return {
            "from_module": f".{self.module}" if self.copied else self.module,
            "from_function": self.target.function,
            "from_path": "" if self.folder is None else _path(project, self.folder),
            "items_file": self.items_file,
            "dependencies": [*self.dependencies, *self._reader],
            "local": self.local_from(project),
        }

    @property
    def items_file(self) -> str:
        """The name of the items in the project."""
        return f"items{PARQUET}" if self._stays else ITEMS

    @property
    def from_here(self) -> bool:
        """Tell whether it runs in the current directory, whose files the code or the items name."""
        return bool(self.reads) or (self._stays and self._relative())

    @property
    def _stays(self) -> bool:
        return self.items.file.suffix.lower() == PARQUET

    @property
    def _reader(self) -> list[str]:
        """What has to be installed to read the items."""
        return ["pyarrow"] if self._stays and "pyarrow" not in self.dependencies else []

    def local_from(self, project: Path) -> dict[str, str]:
        """Return the paths from `project` to the folders that are to be installed with it."""
        return {name: _path(project, folder) for name, folder in sorted(self.local.items())}

    @property
    def taken(self) -> frozenset[str]:
        """The names that the project must not have.

        The name of a module would hide that module from the code. With the name of a distribution,
        pip would take the project for the distribution, and not install it.
        """
        distributions = [re.sub("[-.]", "_", name) for name in (*self.dependencies, *self.local)]
        return frozenset(name.lower() for name in (*self.tops, *distributions))

    def notes(self, project: Path) -> tuple[str, ...]:
        """Say what the project takes from elsewhere."""
        sentences = []
        if self.folder is not None:
            where = shown(_path(project, self.folder))
            sentences.append(
                f"{self.module} is imported from where it is, {where} from the project."
            )
        for name, where in self.local_from(project).items():
            sentences.append(
                f"{name} is installed from where it is, {shown(where)} from the project."
            )
        if self.reads:
            paths = ", ".join(map(shown, self.reads))
            sentences.append(
                f"The code names paths that are found from here: {paths}. Run it here."
            )
        if self._stays:
            sentences.append(
                f"The items are {self.items_file}: their types are as they were measured."
            )
        if self._relative() and self._stays:
            sentences.append(
                "Items that are relative paths are found from here. Run it here. Its tests run in "
                "the project and do not find them."
            )
        elif self._relative():
            sentences.append(
                "Items that are relative paths were made absolute: they are found anywhere."
            )
        return tuple(sentences)

    def copy(self, project: Path, package: str) -> None:
        """Write the module, if it is copied, and the items into `project`."""
        if self.copied is not None:
            (project / package / f"{self.module}.py").write_bytes(self.copied.read_bytes())
        if self._stays:
            shutil.copyfile(self.items.file, project / self.items_file)
            return
        relative = self._relative()
        with (project / ITEMS).open("w", encoding="utf-8") as out:
            for text in lines_of(self.items.file):
                line = json.dumps(self._settled(json.loads(text))) if relative else text
                out.write(f"{line}\n")

    def _relative(self) -> bool:
        """Tell whether items are relative paths, which lead somewhere only from here."""
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


def _path(project: Path, folder: Path) -> str:
    """Return the path from `project` to `folder`."""
    try:
        path = os.path.relpath(folder, project.resolve())
    except ValueError:  # on another drive of Windows
        path = str(folder)
    return path.replace(os.sep, "/")


def importable(target: Target, items: Items) -> tuple[Target, Items]:
    """Return both unchanged; raise UsageError for a function that no other module can import."""
    if "." in target.function:
        raise UsageError(
            f"{target.function} is not at the top of its module: nothing can import it",
            hint="write a function there that calls it, and name that",
        )
    return target, items


def gather(target: Target, items: Items) -> UserCode:
    """Find out what to copy; raise UsageError when the function cannot be taken along."""
    importable(target, items)
    root, module = Path(target.path[0]).resolve(), target.module
    code = imports.follow(root, module, target.file)
    is_local = bool(code.files)  # else the module is installed
    owners = installed.owners(target.python, code.foreign)
    needed = tuple(owner.name for owner in owners if owner.folder is None)
    local = {
        owner.name: owner.folder
        for owner in owners
        if owner.folder is not None and distributed.is_plain_path(owner.folder.as_posix())
    }
    reads = tuple(sorted(filter(_is_path_from_here, code.texts)))
    tops = frozenset(code.tops)
    if code.is_alone and target.file is not None and "." not in module:
        stem, elsewhere = target.file.stem, tops - {module}
        name = f"my_{stem}" if stem.lower() in TAKEN else stem
        return UserCode(target, items, name, needed, local, reads, elsewhere, copied=target.file)
    if not is_local:
        return UserCode(target, items, module, needed, local, reads, tops)
    if package := distributed.package_of(root, module):
        local = {**local, package.name: package.folder}
        return UserCode(target, items, module, needed, local, reads, tops)
    return UserCode(target, items, module, needed, local, reads, tops, folder=root)


def _is_path_from_here(text: str) -> bool:
    """Tell whether a text names a file or directory that the code may open where it is run."""
    pathlike = ("/" in text or "." in text) and text.strip("./\\ ") and "\0" not in text
    return bool(pathlike) and len(text) < 1000 and not os.path.isabs(text) and os.path.exists(text)  # noqa: PTH110, PTH117
