"""Put a directory into place whole, or not at all.

What is made goes first into a staging directory on the same file system, called
`.NAME.concgen-XXXXXXXX`:

    destination absent    beside it; one rename puts it into place
    destination present   inside it (its parent may belong to somebody else, and it may be a mount
                          point, or the current directory of a shell); entries move up one by one,
                          and back when a move fails

A run that is killed leaves the staging directory behind, which is safe to delete and in nobody's
way. Only a kill within the dozen renames of the second case leaves a part of the project.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scaffold.core.errors import ConcgenError, Interrupted, Refused, UsageError
from scaffold.core.texts import listed, shown
from scaffold.making.interrupt import guarded

_STAGING = re.compile(r"\..*\.concgen-[0-9a-f]{8}")

# What may be in a destination. A README or a LICENSE stays as it is, and ours is left out.
_WELCOME = re.compile(r"(readme|licen[sc]e)([._-].*)?", re.IGNORECASE)

_ELSEWHERE = "choose another destination"


def place(dest: Path, make: Callable[[Path], None]) -> tuple[str, ...]:
    """Let `make` fill a staging directory, move that to `dest`, and list the files placed there.

    The list is sorted, relative, with forward slashes. Raises Refused when something of the
    user's is in the way, UsageError when the place cannot be written to, Interrupted on Ctrl-C or
    SIGTERM; whatever is raised, `dest` is as it was.
    """
    target = check_destination(dest)
    fresh = not target.exists()
    with guarded() as guard:
        parents: list[Path] = []
        staging: Path | None = None
        try:
            if fresh:
                parents = _make_parents(target.parent)
            staging = _make_staging(target, target.parent if fresh else target)
            with guard.open():
                make(staging)
                _settle_modes(staging)
            placed = _rename(staging, target) if fresh else _move_up(staging, target)
        except BaseException as error:
            _clean(staging, parents)
            if isinstance(error, OSError):
                raise ConcgenError(
                    f"cannot write {shown(dest)}: {_reason(error)}",
                    hint="nothing was written; make room, or choose another destination",
                ) from error
            raise
        _clean(staging, [])
    if guard.pending:
        raise Interrupted(f"interrupted, after {shown(dest)} was complete")
    return placed


def check_destination(dest: Path) -> Path:
    """Return `dest` absolute and without links, or say why nothing can be placed there.

    Raises UsageError for an impossible path, Refused for a path that is in use.
    """
    if not str(dest).isprintable():
        raise UsageError(f"the destination {shown(dest)} has invisible characters", hint=_ELSEWHERE)
    try:
        if dest.is_symlink() and not dest.exists():
            raise Refused(f"{shown(dest)} is a link to nothing", hint="remove it first")
        target = dest.resolve()
        with suppress(FileNotFoundError, NotADirectoryError):
            target.stat()  # raises for an impossible path, as exists() did before Python 3.14
        if target.exists() and not target.is_dir():
            raise Refused(f"{shown(dest)} is a file", hint=_ELSEWHERE)
        present = sorted(entry.name for entry in target.iterdir()) if target.exists() else []
    except (OSError, RuntimeError) as error:  # until 3.12 a loop of links is a RuntimeError
        raise UsageError(f"cannot use {shown(dest)}: {_reason(error)}", hint=_ELSEWHERE) from error
    if clashes := [name for name in present if not _may_stay(target / name)]:
        raise Refused(
            f"{shown(dest)} is not empty: {listed([*map(shown, clashes)])}",
            hint="choose another destination, or move them away",
        )
    return target


def _may_stay(entry: Path) -> bool:
    if entry.name == ".git" or _STAGING.fullmatch(entry.name):
        return True
    return bool(_WELCOME.fullmatch(entry.name)) and entry.is_file()


def _make_parents(parent: Path) -> list[Path]:
    """Create `parent` and what is missing above it; return what was created, deepest first."""
    missing = []
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    for count, path in enumerate(reversed(missing)):
        try:
            path.mkdir(exist_ok=True)  # another run may just have made it
        except OSError as error:
            _clean(None, missing[len(missing) - count :])
            raise UsageError(
                f"cannot create {shown(path)}: {_reason(error)}", hint=_ELSEWHERE
            ) from error
    return missing


def _make_staging(target: Path, parent: Path) -> Path:
    # Not tempfile.mkdtemp, which always gives the mode 0700: mkdir follows the umask.
    # 40 characters of the name keep within the 255 bytes that a file name may have.
    staging = parent / f".{target.name[:40]}.concgen-{secrets.token_hex(4)}"
    try:
        staging.mkdir()
    except OSError as error:
        raise UsageError(
            f"cannot write to {shown(parent)}: {_reason(error)}", hint=_ELSEWHERE
        ) from error
    return staging


def _settle_modes(staging: Path) -> None:
    """Give files and directories the modes that new files of this user have.

    The template's own may be those of a read-only installation. The staging directory was made
    under the user's umask, so its mode shows what that allows.
    """
    mode = staging.stat().st_mode & 0o777
    for path in staging.rglob("*"):
        path.chmod(mode if path.is_dir() else mode & 0o666)


def _rename(staging: Path, target: Path) -> tuple[str, ...]:
    placed = list_files(staging)
    try:
        staging.rename(target)
    except OSError as error:
        if os.path.lexists(target):
            raise Refused(
                f"{shown(target)} was created in the meantime", hint=_ELSEWHERE
            ) from error
        raise
    return placed


def _move_up(staging: Path, target: Path) -> tuple[str, ...]:
    moved: list[Path] = []
    try:
        for entry in sorted(staging.iterdir()):
            place = target / entry.name
            if os.path.lexists(place):
                if not _may_stay(place):
                    raise Refused(f"{shown(place)} was created in the meantime", hint=_ELSEWHERE)
                continue
            entry.rename(place)
            moved.append(place)
    except (OSError, Refused):
        for place in moved:
            place.rename(staging / place.name)
        raise
    return tuple(sorted(file for place in moved for file in list_files(place, target)))


def list_files(path: Path, root: Path | None = None) -> tuple[str, ...]:
    """List the files at or below `path`, sorted, relative to `root` (`path` when None)."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return tuple(sorted(file.relative_to(root or path).as_posix() for file in files))


def _clean(staging: Path | None, parents: list[Path]) -> None:
    if staging is not None:
        shutil.rmtree(staging, ignore_errors=True)
    for directory in parents:
        try:
            directory.rmdir()
        except OSError:  # something else uses it by now
            return


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
