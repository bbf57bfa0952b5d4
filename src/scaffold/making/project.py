"""From answers to a project on disk. The only module that imports Copier.

Copier takes half a second to import and changes the current directory while it renders, so it is
imported where it is called, and called from one thread only.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scaffold.core.errors import ConcgenError
from scaffold.making import staging
from scaffold.making.interrupt import guarded
from scaffold.making.inventory import templates_dir

# The rendering as it was made, the base of later merges.
PRISTINE = ".concgen/pristine.zip"
# The text that explains the choice of the model; in an added package it is in `.concgen/`.
DECISION = "CONCURRENCY.md"
# Characters of a destination from which on its files may exceed the 260 that Windows allows.
LONG = 160


def render(answers: Mapping[str, Any], into: Path) -> None:
    """Write the files that `answers` describe into the directory `into`.

    The keys of `answers` are the questions of `copier.yml`; a missing answer takes its default. If
    they name a package `inside` which the new package goes, only its code and its record with the
    decision are written: the rest is the repository's. Raises ConcgenError when the files cannot
    be written.
    """
    if answers.get("inside"):
        with TemporaryDirectory(prefix="concgen-") as scratch:
            rendered = Path(scratch)
            _render(answers, rendered)
            shutil.copytree(rendered / answers["package"], into, dirs_exist_ok=True)
            shutil.copytree(rendered / ".concgen", into / ".concgen")
            shutil.copy(rendered / DECISION, into / ".concgen" / DECISION)
    else:
        _render(answers, into)


def _render(answers: Mapping[str, Any], into: Path) -> None:
    try:
        from copier import Settings, run_copy

        run_copy(
            str(templates_dir()),
            into,
            data=dict(answers),
            defaults=True,
            overwrite=True,
            quiet=True,
            settings=Settings(),  # else the user's own settings.yml changes the defaults
        )
    except OSError as error:
        raise ConcgenError(
            f"the project could not be rendered: {error.strerror or error}",
            hint=f"nothing was written; {_way_out(into)}",
        ) from error


def _way_out(into: Path) -> str:
    if sys.platform == "win32" and len(str(into)) > LONG:
        return "choose a shorter path: Windows takes 260 characters, the files' names included"
    return "make room, or choose another place"


def files(answers: Mapping[str, Any], own: Callable[[Path], None] | None = None) -> tuple[str, ...]:
    """Return the files that `create` would write into an empty directory, and write nothing."""
    with guarded() as guard, TemporaryDirectory(prefix="concgen-") as scratch, guard.open():
        into = Path(scratch)
        _make(answers, into, own)
        return staging.list_files(into)


def create(
    dest: Path, answers: Mapping[str, Any], own: Callable[[Path], None] | None = None
) -> tuple[str, ...]:
    """Write the project to `dest`, whole or not at all, and return the files written.

    `own` adds files of the user's to the staged project; they are no part of the rendering.

    The list is sorted and relative to `dest`. A README or LICENSE that is already there stays, and
    ours is not in the list. Raises what `staging.place` and `render` raise.
    """
    return staging.place(dest, lambda into: _make(answers, into, own))


def _make(answers: Mapping[str, Any], into: Path, own: Callable[[Path], None] | None) -> None:
    render(answers, into)
    write_pristine(into)
    if own is not None:
        own(into)


def write_pristine(project: Path) -> None:
    """Pack the files of `project` into its pristine.zip, the same bytes for the same files."""
    names = staging.list_files(project)
    path = project / PRISTINE
    path.parent.mkdir(exist_ok=True)
    # Stored, not deflated: zlib's output differs between its builds, and git compresses anyway.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            if name != PRISTINE:
                entry = zipfile.ZipInfo(name)  # dated 1980-01-01
                entry.create_system = 3  # Unix, on every system
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, (project / name).read_bytes())
