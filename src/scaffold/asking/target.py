"""The user's function and items, as named on the command line, found but not yet run.

`FILE.py:FUNC` is imported as a worker process would import it: by the module's dotted name, from
the directory that holds its top-level package. `package.module:FUNC` is imported from here.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from scaffold.asking.spool import kept
from scaffold.core.errors import UsageError
from scaffold.core.texts import shown
from scaffold.core.units import show_bytes

# Items in a sample: enough for what computes a millisecond and is not to be run twice, few enough
# to send along; and so many bytes of them at most, unless one alone has more.
SAMPLE, SAMPLE_BYTES = 2000, 32_000_000
# Bytes of an item: more is no item but a file to be named by one.
LARGEST = 100_000_000
_EXAMPLE = "such as work.py:fetch"


@dataclass(frozen=True)
class Target:
    """A function to import: `module` from `path`, `function` in it; `file` when one was named.

    `alias` tells that the file has the name of a module of the standard library, which is imported
    already: `module` is then a name that a process has to give to the file (measuring.loading).
    """

    module: str
    function: str
    path: tuple[str, ...]
    file: Path | None
    alias: bool = False

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


@dataclass(frozen=True)
class Items:
    """A file of items: how many there are, and a sample spread evenly over it.

    `given` is what the user named, `file` where the items are: elsewhere when they came out of a
    pipe.
    """

    file: Path
    count: int
    sample: tuple[Any, ...]
    sample_bytes: int = 0
    given: Path | None = None


def parse_target(text: str) -> Target:
    """Read `FILE.py:FUNC` or `package.module:FUNC`; raise UsageError for anything else."""
    where, colon, function = text.rpartition(":")
    if not colon or not where or not all(part.isidentifier() for part in function.split(".")):
        raise UsageError(
            f"{shown(text)} is not FILE.py:FUNCTION or package.module:FUNCTION",
            hint=_EXAMPLE,
        )
    if where.endswith(".py"):
        return _in_file(Path(where), function)
    if not all(part.isidentifier() for part in where.split(".")):
        raise UsageError(f"{shown(where)} is neither a .py file nor a module's name", hint=_EXAMPLE)
    return Target(where, function, (str(Path.cwd()),), None)


def _in_file(file: Path, function: str) -> Target:
    if not os.path.isfile(file):  # noqa: PTH113  # never raises, whatever the name
        raise UsageError(f"there is no file {shown(file)}", hint="name it as seen from here")
    resolved = file.resolve()
    names, folder = [resolved.stem], resolved.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    if not all(name.isidentifier() for name in names):
        raise UsageError(
            f"{shown(file)} cannot be imported: {shown('.'.join(names))} is no module's name",
            hint="rename it with letters, digits and _ only",
        )
    if len(names) == 1 and names[0] in sys.stdlib_module_names:
        return Target(f"{names[0]}_file", function, (str(folder),), file, alias=True)
    return Target(".".join(names), function, (str(folder),), file)


def read_items(file: Path, limit: int = SAMPLE) -> Items:
    """Count the items of `file` and read up to `limit` of them, spread evenly.

    JSON Lines, or plain lines in a `.txt`; blank lines are not items. Raises UsageError for a file
    that cannot be read, that holds no item, or whose sample is not JSON (with the line's number).
    """
    given = file
    try:
        file = kept(given)
        with file.open("rb") as lines:
            count, size = 0, 0
            for _, raw in _numbered(lines):
                count, size = count + 1, size + len(raw)
            if not count:
                raise UsageError(f"{shown(given)} holds no item", hint="one item per line")
            limit = max(1, min(limit, SAMPLE_BYTES * count // max(1, size)))
            lines.seek(0)
            wanted = {number * count // limit for number in range(min(limit, count))}
            if count <= limit:
                wanted = set(range(count))
            sample = tuple(
                _parse(given, line_number, raw)
                for position, (line_number, raw) in enumerate(_numbered(lines))
                if position in wanted
            )
    except OSError as error:
        raise UsageError(
            f"cannot read {shown(given)}: {error.strerror or error}",
            hint="name the file with --items FILE",
        ) from error
    return Items(file, count, sample, size * len(sample) // count, given)


def lines_of(file: Path) -> Iterator[str]:
    """Yield the text of every item of `file`, one at a time."""
    with file.open("rb") as lines:
        for number, raw in _numbered(lines):
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")


def _numbered(lines: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while raw := lines.readline(LARGEST + 1):
        number += 1
        if len(raw) > LARGEST:
            raise UsageError(
                f"line {number} of the items is larger than {show_bytes(LARGEST)}",
                hint="carry a path in the item, and let the function read the file",
            )
        if stripped := raw.strip():
            yield number, stripped


def _parse(file: Path, line: int, raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8-sig" if line == 1 else "utf-8")
        return text if file.suffix == ".txt" else json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = "items are JSON, one per line; plain lines go into a .txt"
        raise UsageError(f"{shown(file)}, line {line}: {error}", hint=hint) from error
