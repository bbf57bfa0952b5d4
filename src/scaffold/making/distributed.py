"""Whether the user's package can be installed as it is: then a project can depend on it."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

MARK = "pyproject.toml"


class Package(NamedTuple):
    """A distribution of the user's own, and the folder of its pyproject.toml."""

    name: str
    folder: Path


def package_of(root: Path, module: str) -> Package | None:
    """Return the distribution that has `module`, imported from `root`, if that is certain.

    Every build tool finds a package with the name of its project, at the top or in `src/`. Any
    other layout depends on the settings of the tool.
    """
    top = module.partition(".")[0]
    folder = root.parent if root.name == "src" else root
    about = read(folder)
    poetry = about.get("tool", {}).get("poetry", {})
    name = about.get("project", {}).get("name") or poetry.get("name")
    if not isinstance(name, str) or "build-system" not in about:
        return None
    if re.sub(r"[-_.]+", "_", name).lower() != top.lower():
        return None
    if not (root / top / "__init__.py").is_file() or not admits_oldest(about):
        return None
    if not is_plain_path(folder.as_posix()) or _is_ambiguous(about, root, folder):
        return None
    return Package(name, folder)


def is_plain_path(path: object) -> bool:
    """Tell whether a path needs no escapes in double quotes, in TOML, YAML and every shell."""
    return isinstance(path, str) and path.isprintable() and not set(path) & set('"$`\\%!')


def read(folder: Path) -> dict[str, Any]:
    """Return the pyproject.toml in `folder`, or an empty table if it cannot be read."""
    with suppress(OSError, ValueError):
        return tomllib.loads((folder / MARK).read_text(encoding="utf-8"))
    return {}


def admits_oldest(about: dict[str, Any]) -> bool:
    """Tell whether the package admits the oldest Python that a project of ours runs on."""
    versions = str(about.get("project", {}).get("requires-python", ""))
    return all(
        re.fullmatch(r">=?\s*3(\.([0-9]|1[01]))?(\.0)?", clause.strip()) or clause.strip() == "<4"
        for clause in filter(None, versions.split(","))
    )


def _is_ambiguous(about: dict[str, Any], root: Path, folder: Path) -> bool:
    """Tell whether setuptools would refuse to choose among several packages at the top."""
    if root != folder or "setuptools" in about.get("tool", {}):
        return False
    backend = str(about["build-system"].get("build-backend", "setuptools"))
    folders = [path for path in root.iterdir() if (path / "__init__.py").is_file()]
    return "setuptools" in backend and len(folders) > 1
