"""A repository of the user's: where its packages are, whatever its layout.

Flat or `src/`, namespace packages, a folder of a monorepo: a package is found by its directory, not
by the settings of a build tool.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from scaffold.asking.target import Target
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown
from scaffold.making import environment

# Directories below the current directory that hold packages; a monorepo has them two levels down.
_ROOTS = (".", "src", "lib", "*", "*/src", "*/*", "*/*/src")
_FOREIGN = frozenset({"build", "dist", "node_modules", "site-packages", "tests", "venv"})
# What marks the top of a repository, or of one of its projects.
_TOPS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


def split(package: str) -> tuple[str, str]:
    """Return the package that `PACKAGE.SUB` names, and SUB; raise UsageError for any other text."""
    parts = package.split(".")
    if len(parts) < 2 or not all(
        part.isidentifier() and not keyword.iskeyword(part) for part in parts
    ):
        raise UsageError(
            f"{shown(package)} is not a package inside a package of yours",
            hint="such as shop.parallel",
        )
    return ".".join(parts[:-1]), parts[-1]


def find(start: Path, package: str) -> Path:
    """Return the directory from which `package` is imported: the one nearest to `start`.

    Raises UsageError when there is none, or several are equally near.
    """
    for root in _ROOTS:
        places = [place for place in _expand(start, root) if _is_package(place / _path(package))]
        if len(places) > 1:
            raise UsageError(
                f"{package} is in more than one place: {', '.join(map(shown, places))}",
                hint="change to the directory of the right one",
            )
        if places:
            return places[0]
    raise UsageError(
        f"no directory of a package {package} in {shown(start)}",
        hint="go to the top of its repository, or of its folder in a monorepo",
    )


def _is_package(folder: Path) -> bool:
    """Tell whether a folder is a package, and not a project of the same name."""
    return folder.is_dir() and not any((folder / name).exists() for name in _TOPS)


def _expand(start: Path, pattern: str) -> Iterator[Path]:
    if "*" not in pattern:
        yield start / pattern
        return
    for place in sorted(start.glob(pattern)):
        parts = place.relative_to(start).parts
        if place.is_dir() and not any(part.startswith(".") or part in _FOREIGN for part in parts):
            yield place


def _path(package: str) -> str:
    return package.replace(".", "/")


def settled(target: Target, root: Path, start: Path) -> Target:
    """Return the target as the repository's own code imports it: from `root`, if it is there."""
    return replace(_located(target, root, start), python=environment.python_of(top(root)))


def _located(target: Target, root: Path, start: Path) -> Target:
    if target.file is not None:
        file = target.file.resolve()
        if not file.is_relative_to(root.resolve()):
            return target
        module = ".".join(file.relative_to(root.resolve()).with_suffix("").parts)
        return Target(module.removesuffix(".__init__"), target.function, (str(root),), target.file)
    for place in (root, *(start / folder for folder in (".", "src", "lib"))):
        path = place / _path(target.module)
        if path.with_suffix(".py").is_file() or path.is_dir():
            return Target(target.module, target.function, (str(place.resolve()),), None)
    return target


def top(root: Path) -> Path:
    """Return the directory of the project whose packages are in `root`: its tests are there."""
    for place in (root, *root.parents):
        if any((place / name).exists() for name in _TOPS):
            return place
    return root.parent if root.name in ("src", "lib") else root
