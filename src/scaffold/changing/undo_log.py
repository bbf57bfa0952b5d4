"""What undoes the last switch or update: the exact bytes before and after, in `.concgen/undo/`.

    applying.zip   complete and on disk before the first file of the project changes
    undo.zip       the same file, renamed once the last file has changed

A run that was killed leaves applying.zip, and every later command says that `concgen undo` puts
back what was there. The directory tells git to ignore it.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scaffold.changing import archive
from scaffold.changing.tree import Files, check_path
from scaffold.core.errors import ConcgenError, Refused, UsageError
from scaffold.core.texts import shown

FOLDER = ".concgen/undo"
APPLYING, DONE = "applying.zip", "undo.zip"
MANIFEST = "manifest.json"
SCHEMA = 1


@dataclass(frozen=True)
class Entry:
    """One file: its bytes before and after, None without a file, and its mode before."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int | None = None


@dataclass(frozen=True)
class UndoLog:
    """One switch or update as it was, or is being, applied."""

    command: str
    source: str
    target: str
    entries: tuple[Entry, ...]

    @property
    def before(self) -> Files:
        """The files that existed before."""
        return {entry.path: entry.before for entry in self.entries if entry.before is not None}

    @property
    def after(self) -> Files:
        """The files that exist afterwards."""
        return {entry.path: entry.after for entry in self.entries if entry.after is not None}

    @property
    def title(self) -> str:
        """The command, in words; nothing is there before an `add`."""
        if not self.before:
            return f"{self.command} of {self.target}"
        return f"{self.command} from {self.source} to {self.target}"


def begin(root: Path, log: UndoLog) -> None:
    """Put the undo log on disk, whole; from here on `concgen undo` can undo the change.

    Raises Refused when another run is changing the project, or was killed while it did.
    """
    try:
        _begin(root, _folder(root), log)
    except FileNotFoundError as error:  # another command removed the folder as it ended
        raise Refused(
            "another command changed this project at the same time", hint="start again"
        ) from error


def _begin(root: Path, folder: Path, log: UndoLog) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as ignore:
        ignore.write("*\n")
    unwritten = _unwritten(folder, log)
    try:
        os.link(unwritten, folder / APPLYING)  # unlike a rename, it fails if the file exists
    except FileExistsError:
        unwritten.unlink()
        refuse_unfinished(root)
        raise
    except OSError:  # a file system without links
        unwritten.replace(folder / APPLYING)
    sync(folder)


def _unwritten(folder: Path, log: UndoLog) -> Path:
    """Write `log` to a file that no command reads yet, and return its path."""
    unwritten = folder / f"unwritten-{os.getpid()}.zip"
    try:
        unwritten.unlink(missing_ok=True)
        with unwritten.open("xb") as file:  # a new file: whatever stood there may be a link
            _write(zipfile.ZipFile(file, "w", zipfile.ZIP_STORED), log)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        _tidy(folder)
        raise
    return unwritten


def finish(root: Path) -> None:
    """Mark the change as complete: from here on it can be undone."""
    (root / FOLDER / APPLYING).replace(root / FOLDER / DONE)
    _clean(root / FOLDER)


def amend(root: Path, entries: Iterable[Entry]) -> None:
    """Mark the change as complete, and as a part of the last switch or update.

    Undoing that takes this change back too. Without a switch or update, it cannot be undone.
    """
    folder = root / FOLDER
    log = last(root)
    if log is None:
        drop(root)
        return
    known = {entry.path: entry for entry in log.entries}
    for entry in entries:
        before = known.get(entry.path, entry)
        # A file that was edited in between keeps its entry, so that undoing is refused.
        if before is entry or before.after == entry.before:
            known[entry.path] = replace(before, after=entry.after)
    unwritten = _unwritten(folder, replace(log, entries=tuple(known.values())))
    unwritten.replace(folder / DONE)
    drop(root)
    sync(folder)


def reopen(root: Path) -> None:
    """Mark the last switch as being taken back: after a kill, `undo` finishes that."""
    (root / FOLDER / DONE).replace(root / FOLDER / APPLYING)
    sync(root / FOLDER)


def drop(root: Path) -> None:
    """Forget the change that was being applied, once it is taken back."""
    folder = root / FOLDER
    (folder / APPLYING).unlink(missing_ok=True)
    _tidy(folder)


def _tidy(folder: Path) -> None:
    """Remove what is left of an undo log that is no longer needed."""
    _clean(folder)
    if not (folder / DONE).exists() and not (folder / APPLYING).exists():
        (folder / ".gitignore").unlink(missing_ok=True)
        with suppress(OSError):  # the directory holds a file of the user's
            folder.rmdir()


def _clean(folder: Path) -> None:
    for path in folder.glob("unwritten-*.zip"):
        path.unlink(missing_ok=True)


def unfinished(root: Path) -> UndoLog | None:
    """Return what was being applied when a run was killed, or None."""
    return _load(_folder(root) / APPLYING)


def last(root: Path) -> UndoLog | None:
    """Return the last switch or update that was applied and can be undone, or None."""
    return _load(_folder(root) / DONE)


def is_unfinished(root: Path) -> bool:
    """Tell whether a run was killed while it wrote to the project."""
    return (root / FOLDER / APPLYING).exists()


def _folder(root: Path) -> Path:
    """Return the undo log's directory, which need not exist. Raises Refused for anything else."""
    folder = root / FOLDER
    if folder.resolve() != root.resolve() / FOLDER or (folder.exists() and not folder.is_dir()):
        raise Refused(f"{FOLDER} is a link or a file", hint="put a directory there, or nothing")
    return folder


def refuse_unfinished(root: Path) -> None:
    """Raise Refused when a run was killed while it wrote to the project."""
    if is_unfinished(root):
        raise Refused(
            "another command is changing this project, or was cut short while it did",
            hint="`concgen undo` restores every file; then start again",
        )


def sync(folder: Path) -> None:
    """Put a directory's own entries on disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _write(archive: zipfile.ZipFile, log: UndoLog) -> None:
    manifest = {
        "schema": SCHEMA,
        "command": log.command,
        "from": log.source,
        "to": log.target,
        "files": [{"path": entry.path, "mode": entry.mode} for entry in log.entries],
    }
    with archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
        for number, entry in enumerate(log.entries):
            if entry.before is not None:
                archive.writestr(f"before/{number}", entry.before)
            if entry.after is not None:
                archive.writestr(f"after/{number}", entry.after)


def _load(path: Path) -> UndoLog | None:
    try:
        files = archive.unpack(path)
        return _parsed(json.loads(files[MANIFEST]), files)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConcgenError(
            f"cannot read {FOLDER}/{path.name}: {error.strerror}", hint="make it readable"
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{FOLDER}/{path.name} is damaged: {error}",
            hint="nothing can be undone with it; delete it when the project is as you want it",
        ) from error


def _parsed(content: Any, files: Files) -> UndoLog:
    """Return the undo log of a manifest. Raises for a manifest that concgen did not write.

    It may come from somebody else's repository: its paths stay in the project, its words can
    be printed, and its modes are no more than permissions.
    """
    entries = tuple(
        Entry(
            check_path(_line(file["path"])),
            files.get(f"before/{number}"),
            files.get(f"after/{number}"),
            None if file["mode"] is None else file["mode"] & 0o777,
        )
        for number, file in enumerate(content["files"])
    )
    command, source, target = (_line(content[key]) for key in ("command", "from", "to"))
    return UndoLog(command, source, target, entries)


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{shown(text)} has invisible characters")
    return text
