"""What undoes the last switch or update: the exact bytes before and after, in `.concgen/undo/`.

    applying.zip   complete and on disk before the first file of the project changes
    undo.zip       the same file, renamed once the last one has changed

A run that was killed leaves applying.zip, and every later command says that `concgen undo` puts
back what was there. The directory tells git to ignore it.
"""

from __future__ import annotations

import json
import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scaffold.errors import ConcgenError, Refused, UsageError
from scaffold.tree import Files, check_path

FOLDER = ".concgen/undo"
APPLYING, DONE = "applying.zip", "undo.zip"
MANIFEST = "manifest.json"
SCHEMA = 1


@dataclass(frozen=True)
class Entry:
    """One file: its bytes before and after, None where there is none, and its mode before."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int | None = None


@dataclass(frozen=True)
class Journal:
    """One switch or update as it was, or is being, applied."""

    command: str
    source: str
    target: str
    entries: tuple[Entry, ...]
    conflicts: tuple[str, ...] = ()

    @property
    def before(self) -> Files:
        """The files that there were."""
        return {one.path: one.before for one in self.entries if one.before is not None}

    @property
    def after(self) -> Files:
        """The files that there are since."""
        return {one.path: one.after for one in self.entries if one.after is not None}

    @property
    def title(self) -> str:
        """The command, in words."""
        return f"{self.command} from {self.source} to {self.target}"


def begin(root: Path, journal: Journal) -> None:
    """Put the journal on disk, whole; from here on `concgen undo` can take it back.

    Raises Refused when another run is changing the project, or was killed while it did.
    """
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    unwritten = folder / f"unwritten-{os.getpid()}.zip"
    with unwritten.open("wb") as file:
        _write(zipfile.ZipFile(file, "w", zipfile.ZIP_STORED), journal)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unwritten, folder / APPLYING)  # unlike a rename it fails where there is one
    except FileExistsError:
        unwritten.unlink()
        refuse_unfinished(root)
        raise
    except OSError:  # a file system without links
        unwritten.replace(folder / APPLYING)
    sync(folder)


def finish(root: Path) -> None:
    """Say that everything is written: what was being applied can now be undone."""
    (root / FOLDER / APPLYING).replace(root / FOLDER / DONE)
    _clean(root / FOLDER)


def reopen(root: Path) -> None:
    """Say that the last switch is being taken back: a kill from here on leaves work to finish."""
    (root / FOLDER / DONE).replace(root / FOLDER / APPLYING)
    sync(root / FOLDER)


def drop(root: Path) -> None:
    """Forget what was being applied, once all of it is taken back."""
    folder = root / FOLDER
    (folder / APPLYING).unlink(missing_ok=True)
    _clean(folder)
    if not (folder / DONE).exists():
        (folder / ".gitignore").unlink(missing_ok=True)
        with suppress(OSError):  # somebody keeps something of their own there
            folder.rmdir()


def _clean(folder: Path) -> None:
    for path in folder.glob("unwritten-*.zip"):
        path.unlink(missing_ok=True)


def unfinished(root: Path) -> Journal | None:
    """Return what was being applied when a run was killed, or None."""
    return _load(root / FOLDER / APPLYING)


def last(root: Path) -> Journal | None:
    """Return the last switch or update that was applied and can be undone, or None."""
    return _load(root / FOLDER / DONE)


def is_unfinished(root: Path) -> bool:
    """Tell whether a run was killed while it wrote to the project."""
    return (root / FOLDER / APPLYING).exists()


def refuse_unfinished(root: Path) -> None:
    """Raise Refused when a run was killed while it wrote to the project."""
    if is_unfinished(root):
        raise Refused(
            "another command is changing this project, or was cut short while it did",
            hint="`concgen undo` puts back every file as it was; then start again",
        )


def sync(folder: Path) -> None:
    """Put a directory's own entries on disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _write(archive: zipfile.ZipFile, journal: Journal) -> None:
    manifest = {
        "schema": SCHEMA,
        "command": journal.command,
        "from": journal.source,
        "to": journal.target,
        "files": [{"path": one.path, "mode": one.mode} for one in journal.entries],
        "conflicts": list(journal.conflicts),
    }
    with archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
        for number, one in enumerate(journal.entries):
            if one.before is not None:
                archive.writestr(f"before/{number}", one.before)
            if one.after is not None:
                archive.writestr(f"after/{number}", one.after)


def _load(path: Path) -> Journal | None:
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read(MANIFEST))
            members = set(archive.namelist())

            def side(name: str) -> bytes | None:
                return archive.read(name) if name in members else None

            entries = tuple(
                Entry(
                    check_path(file["path"]),
                    side(f"before/{number}"),
                    side(f"after/{number}"),
                    file["mode"],
                )
                for number, file in enumerate(content["files"])
            )
            return Journal(
                content["command"],
                content["from"],
                content["to"],
                entries,
                tuple(content["conflicts"]),
            )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConcgenError(f"cannot read {FOLDER}/{path.name}: {error.strerror}") from error
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{FOLDER}/{path.name} is damaged: {error}",
            hint="nothing can be undone with it; delete it when the project is as you want it",
        ) from error
