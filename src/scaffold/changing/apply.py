"""Write a plan to a project, or take it back: each file whole, and all of them or none.

An error in the middle puts back what was written. A kill in the middle leaves the undo log, and
`undo` finishes: every file is then as it was before.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from scaffold.changing import undo_log
from scaffold.changing.plan import Change, Plan
from scaffold.changing.tree import Tree
from scaffold.changing.undo_log import Entry, UndoLog
from scaffold.core.errors import ConcgenError, Interrupted, Refused, UsageError
from scaffold.core.texts import listed, shown
from scaffold.making.interrupt import guarded

# The command that makes a file writable, and whether a read-only folder counts: Windows also marks
# a folder that has its own icon as read-only.
_ALLOW, _SAYS_OF_FOLDERS = ("attrib -r", False) if sys.platform == "win32" else ("chmod u+w", True)


def apply(root: Path, plan: Plan, *, amends: bool = False) -> None:
    """Do what `plan` says. Raises Refused when a file cannot be written, or is not as planned.

    Whatever is raised, the project is as it was. A plan that `amends` is undone with the last
    switch or update, and not by itself.
    """
    with guarded() as guard:
        entries = tuple(_entry(root, change) for change in plan.writes)
        if amends:
            undo_log.last(root)  # raises for a damaged log before anything is written
        try:
            undo_log.begin(root, UndoLog(plan.command, plan.source, plan.target, entries))
            _refuse_changed(root, entries)
            try:
                for entry in entries:
                    _put(root, entry.path, entry.after, entry.mode)
            except BaseException:
                _restore(root, entries)
                raise
            if amends:
                undo_log.amend(root, entries)
            else:
                undo_log.finish(root)
        except OSError as error:
            raise ConcgenError(_message(error), hint=_state(root)) from error
    if guard.pending:
        raise Interrupted(f"interrupted, after the {plan.command} was complete")


def undo(root: Path) -> UndoLog:
    """Take back an unfinished command, or else the last switch or update; return its log.

    Raises UsageError when there is nothing to undo, Refused when a file was edited since, or cannot
    be written.
    """
    with guarded():
        cut_short = undo_log.unfinished(root)
        log = cut_short or undo_log.last(root)
        if log is None:
            raise UsageError(
                "nothing to undo: no add, switch or update is on record here",
                hint="only the last is kept, until undone; `concgen diff` shows what you edited",
            )
        _refuse_edited(root, log)
        for entry in log.entries:
            if _read(root, entry.path) != entry.before:
                _refuse_unwritable(root, entry.path)
        try:
            if not cut_short:
                undo_log.reopen(root)
            _restore(root, log.entries)
        except OSError as error:
            raise ConcgenError(_message(error), hint=_state(root)) from error
        return log


def _entry(root: Path, change: Change) -> Entry:
    """Return the log entry of a change, after checking that the change can be written."""
    _refuse_unwritable(root, change.path)
    place = root / change.path
    mode = None if change.before is None else stat.S_IMODE(place.stat().st_mode)
    return Entry(change.path, change.before, change.after, mode)


def _refuse_unwritable(root: Path, path: str) -> None:
    """Raise Refused if writing `path` would fail, change a read-only file or leave the project."""
    place = root / path
    folder = place.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.resolve().is_relative_to(root):
        raise Refused(
            f"{shown(path)} is outside the project, behind a symbolic link",
            hint="put the directory itself there",
        )
    if not folder.is_dir():
        name = folder.relative_to(root).as_posix()
        raise Refused(f"the file {shown(name)} is where a directory belongs", hint="move it away")
    if place.is_symlink():
        raise Refused(f"{shown(path)} is a symbolic link", hint="put the file itself there")
    if (passing := _passing(place)).is_dir():
        name = passing.relative_to(root).as_posix()
        raise Refused(f"the directory {shown(name)} is in the way", hint="move it away first")
    for target in (folder, place) if _SAYS_OF_FOLDERS else (place,):
        # The mode as well: root can write everything, but a file is read-only on purpose.
        if target.exists() and not (target.stat().st_mode & 0o222 and os.access(target, os.W_OK)):
            name = target.relative_to(root).as_posix()
            raise Refused(
                f"{shown(name)} is read-only, and has to change",
                hint=f"nothing was written; `{_ALLOW}` it, and try again",
            )


def _refuse_changed(root: Path, entries: Iterable[Entry]) -> None:
    """Raise Refused if a file has changed since the plan was made, and forget the undo log."""
    for entry in entries:
        if _read(root, entry.path) != entry.before:
            undo_log.drop(root)
            raise Refused(f"{shown(entry.path)} was changed in the meantime", hint="start again")


def _refuse_edited(root: Path, log: UndoLog) -> None:
    edited = [
        entry.path
        for entry in log.entries
        if _read(root, entry.path) not in (entry.before, entry.after)
    ]
    if edited:
        raise Refused(
            f"edited since the {log.title}: {listed([*map(shown, edited)])}",
            hint=f"undo would lose that; the files as they were are in a zip in {undo_log.FOLDER}",
        )


def _read(root: Path, path: str) -> bytes | None:
    return Tree(root).get(path)


def _message(error: OSError) -> str:
    where = f" {shown(error.filename)}" if error.filename else ""
    return f"cannot write{where}: {error.strerror or error}"


def _state(root: Path) -> str:
    if undo_log.is_unfinished(root):
        return "fix that, then `concgen undo` restores every file"
    return "the project is as it was"


def _restore(root: Path, entries: Iterable[Entry]) -> None:
    """Put back what was there, and forget the undo log."""
    for entry in entries:
        _passing(root / entry.path).unlink(missing_ok=True)
        if _read(root, entry.path) != entry.before:
            _put(root, entry.path, entry.before, entry.mode)
    undo_log.drop(root)


def _put(root: Path, path: str, data: bytes | None, mode: int | None) -> None:
    """Replace the file at `path` by `data` in one step, or remove it (None)."""
    place = root / path
    if data is None:
        place.unlink(missing_ok=True)
        with suppress(OSError):  # a directory that is not empty stays
            while place.parent != root:
                place = place.parent
                place.rmdir()
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    passing = _passing(place)
    passing.unlink(missing_ok=True)
    with passing.open("xb") as file:  # a new file: whatever stood there may have been a link
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        passing.chmod(mode)
    passing.replace(place)


def _passing(place: Path) -> Path:
    """Return the name under which a file is written before it is renamed."""
    return place.with_name(f".{place.name}.concgen")
