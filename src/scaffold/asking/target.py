"""The user's function and items, as named on the command line, found but not yet run.

`FILE.py:FUNC` is imported as a worker process would import it: by the module's dotted name, from
the directory that holds its top-level package. `package.module:FUNC` is imported from here.
"""

from __future__ import annotations

import keyword
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaffold.core.errors import UsageError
from scaffold.core.texts import shown

_EXAMPLE = "such as work.py:fetch"


@dataclass(frozen=True)
class Target:
    """A function to import: `module` from `path`, `function` in it; `file` when one was named.

    `alias` tells that the file has the name of a module of the standard library, which is imported
    already: `module` is then a name that a process has to give to the file (measuring.loading).
    `python` is the interpreter that runs it: concgen's own, or that of its repository.
    """

    module: str
    function: str
    path: tuple[str, ...]
    file: Path | None
    alias: bool = False
    python: str = sys.executable

    @property
    def place(self) -> dict[str, Any]:
        """What a process needs to know to import it."""
        file = str(self.file.resolve()) if self.file and self.alias else None
        return {
            "module": self.module,
            "function": self.function,
            "path": list(self.path),
            "alias_of": file,
        }

    def __str__(self) -> str:
        return f"{self.file or self.module}:{self.function}"


def parse_target(text: str) -> Target:
    """Read `FILE.py:FUNC` or `package.module:FUNC`; raise UsageError for anything else."""
    where, colon, function = text.rpartition(":")
    if not colon or not where or not all(map(_is_name, function.split("."))):
        raise UsageError(
            f"{shown(text)} is not FILE.py:FUNCTION or package.module:FUNCTION",
            hint=_EXAMPLE,
        )
    if where.endswith(".py"):
        return _in_file(Path(where), function)
    if not all(map(_is_name, where.split("."))):
        raise UsageError(f"{shown(where)} is neither a .py file nor a module's name", hint=_EXAMPLE)
    return Target(where, function, (str(Path.cwd()),), None)


def _in_file(file: Path, function: str) -> Target:
    if not os.path.isfile(file):  # noqa: PTH113  # never raises, whatever the name
        raise UsageError(
            f"there is no file {shown(file)}", hint="give its path from the current directory"
        )
    resolved = file.resolve()
    names, folder = [resolved.stem], resolved.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    if not all(map(_is_name, names)):
        raise UsageError(
            f"{shown(file)}: {shown('.'.join(names))} is not a module name, and cannot be imported",
            hint="rename it: letters, digits and _ only, and not a keyword of Python",
        )
    is_taken = names[0] in sys.stdlib_module_names or names[0] == "__main__"
    if is_taken and len(names) > 1:
        raise UsageError(
            f"{shown(file)} is in a folder with the name of the standard library's {names[0]}",
            hint="rename the folder",
        )
    if is_taken:
        return Target(f"{names[0]}_file", function, (str(folder),), file, alias=True)
    return Target(".".join(names), function, (str(folder),), file)


def _is_name(part: str) -> bool:
    return part.isidentifier() and not keyword.iskeyword(part)
