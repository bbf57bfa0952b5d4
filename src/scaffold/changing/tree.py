"""The user's project as files: read when needed, compared without regard to line endings.

An editor or a checkout may have turned every LF of a file into CRLF. That is no edit: such a file
is compared and merged as LF and written back as CRLF.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from scaffold.core.errors import ConcgenError, Refused
from scaffold.core.texts import shown

# Contents by path: relative to the project, with forward slashes.
Files = Mapping[str, bytes]

# Directories without files of the user's: environments, caches, what tools build.
_FOREIGN = frozenset({"__pycache__", "build", "dist", "node_modules", "venv"})


def is_binary(data: bytes) -> bool:
    """Tell whether `data` is no text: it has a NUL, which is git's test too."""
    return b"\0" in data


def is_crlf(data: bytes) -> bool:
    """Tell whether every line of a text ends in CRLF."""
    ends = data.count(b"\r\n")
    return ends > 0 and ends == data.count(b"\n") and not is_binary(data)


def to_lf(data: bytes) -> bytes:
    """Return a text of CRLF lines with LF, and anything else as it is."""
    return data.replace(b"\r\n", b"\n") if is_crlf(data) else data


def like(present: bytes, data: bytes) -> bytes:
    """Return `data` with the line endings of `present`, where both have one kind only."""
    plain = to_lf(data)
    if b"\r" in plain or is_binary(plain):
        return data
    if is_crlf(present):
        return plain.replace(b"\n", b"\r\n")
    return data if b"\r" in present else plain


# Bytes of a name, and of a path: common file systems take no longer name, macOS no longer path.
LONGEST_NAME, LONGEST_PATH = 255, 1024


def check_path(name: str) -> str:
    """Return the path of a file in a project; raise ValueError if it leads elsewhere."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or path.as_posix() != name:
        raise ValueError(f"{shown(name)} is not a path in a project")
    if "\\" in name or ":" in name or "\0" in name or ".git" in name.lower().split("/"):
        raise ValueError(f"{shown(name)} is not a path in a project")
    lengths = [len(os.fsencode(part)) for part in (name, *path.parts)]
    if max(lengths) > LONGEST_PATH or max(lengths[1:]) > LONGEST_NAME:
        raise ValueError(f"{shown(name)} is longer than a path in a project can be")
    return name


class Tree:
    """The files below a project's directory. Raises Refused for a path that is not a file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, bytes] = {}

    def __contains__(self, path: str) -> bool:
        """Tell whether something is at `path`."""
        place = self.root / path
        if not os.path.lexists(place):
            return False
        if not place.is_file():
            kind = "a directory" if place.is_dir() else "not a file"
            raise Refused(f"{shown(path)} is {kind}", hint="move it away first")
        return True

    def __getitem__(self, path: str) -> bytes:
        """Return what the file at `path` holds."""
        if path not in self._read:
            try:
                self._read[path] = (self.root / path).read_bytes()
            except OSError as error:
                raise ConcgenError(
                    f"cannot read {shown(path)}: {error.strerror}", hint="make it readable"
                ) from error
        return self._read[path]

    def get(self, path: str) -> bytes | None:
        """Return what the file at `path` holds, or None if there is no file."""
        if path not in self:
            return None
        return self[path]

    def is_link(self, path: str) -> bool:
        """Tell whether a symbolic link stands at `path`."""
        return (self.root / path).is_symlink()

    def size(self, path: str) -> int:
        """Return the bytes of the file at `path`, without reading it."""
        return (self.root / path).stat().st_size

    def same(self, path: str, data: bytes) -> bool:
        """Tell whether the file at `path` holds `data`, line endings apart; a link never does.

        A file of another size, such as a million items, is not read.
        """
        if self.is_link(path):
            return False
        extra = self.size(path) - len(data)
        if abs(extra) > data.count(b"\n"):
            return False
        return to_lf(self[path]) == to_lf(data)

    def others(self, known: Mapping[str, object], least: int, most: int) -> Iterator[str]:
        """Yield the user's own files of `least` to `most` bytes: those not in `known`."""
        for folder, folders, names in os.walk(self.root):
            place = Path(folder)
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(".")
                and name not in _FOREIGN
                and not (place / name / "pyvenv.cfg").exists()
            )
            for name in sorted(names):
                path = (place / name).relative_to(self.root).as_posix()
                if path in known or not path.isprintable():
                    continue
                if self.is_link(path) or not (place / name).is_file():
                    continue
                if least <= (place / name).stat().st_size <= most:
                    yield path
