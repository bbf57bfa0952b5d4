"""What a generated project remembers of its making: `.concgen/`, read and checked.

    answers.json   the answers, and the concgen that used them
    pristine.zip   every file as it was rendered

Both may come from somebody else's repository: nothing in them is trusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from scaffold.changing import archive, recorded, undo_log
from scaffold.changing.recorded import WAY_OUT
from scaffold.changing.tree import Files, check_path
from scaffold.core.domain import Model
from scaffold.core.errors import ConcgenError, Refused, UsageError
from scaffold.core.texts import shown
from scaffold.making import inventory, starters
from scaffold.making.project import DECISION, PRISTINE
from scaffold.making.starters import Starter

FOLDER = ".concgen"
ANSWERS = f"{FOLDER}/answers.json"
# The two files that a new rendering replaces, whatever is in them.
RECORD = frozenset({ANSWERS, PRISTINE})

SCHEMA = 1
# Levels below the current directory on which an added package is looked for: packages/a/src/b/c.
DEPTH = 6
# A version, as PEP 440 has them.
_VERSION = re.compile(r"\d[\w.+!-]{0,40}", re.ASCII)
# A path in a rendering.
_RENDERED = re.compile(r"[\w./-]+", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """A project's answers, the version of concgen that used them, and the files it made."""

    root: Path
    answers: Mapping[str, Any]
    version: str
    pristine: Files

    @property
    def package(self) -> str:
        """The directory of the code below the root; empty for a package added to a repository."""
        return "" if self.answers.get("inside") else str(self.answers["package"])

    @property
    def base(self) -> Path | None:
        """The directory from which an added package is imported; None for a project."""
        inside = self.answers.get("inside")
        return self.root.parents[str(inside).count(".") + 1] if inside else None

    @property
    def decision(self) -> str:
        """The text that explains the decision; for an added package it is in the record."""
        return DECISION if self.base is None else f"{FOLDER}/{DECISION}"

    @property
    def starter(self) -> Starter:
        """The starter that the project was made from."""
        return starters.load(str(self.answers["starter"]))

    @property
    def model(self) -> Model:
        """The model that the project runs with."""
        return Model(self.answers["model"])


def find(place: Path | None) -> Path:
    """Return the root of the project at `place` (None: here) or above, without links.

    Raises UsageError when there is none.
    """
    try:
        start = (place or Path.cwd()).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:  # gone, NUL, a loop of links until 3.12
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"no directory {shown(place or '.')}: {reason}", hint="name another with --project DIR"
        ) from error
    if not start.is_dir():
        raise UsageError(
            f"{shown(place)} is not a directory", hint="name another with --project DIR"
        )
    for root in (start, *start.parents):
        if (root / FOLDER).is_dir():
            return root
    below = _below(start)
    if len(below) > 1:
        listed = ", ".join(shown(root.relative_to(start)) for root in below)
        raise UsageError(
            f"more than one project here: {listed}", hint="name one with --project DIR"
        )
    if below:
        return below[0]
    raise UsageError(
        f"no project in {shown(start)} or above: no {FOLDER} directory",
        hint="go into a project that `concgen new` made, or name it with --project DIR",
    )


def _below(start: Path) -> list[Path]:
    """Return the packages that were added to the repository at `start`, a few levels down."""
    roots = (path.parent for depth in range(1, DEPTH) for path in start.glob("*/" * depth + FOLDER))
    return [root for root in roots if not any(part.startswith(".") for part in root.parts[-DEPTH:])]


def load(place: Path | None) -> Record:
    """Read and check the record of the project at `place` or above it.

    Raises UsageError when it is damaged, incomplete or not ours; Refused when a newer concgen made
    it, or when a command that changed the project was cut short.
    """
    root = find(place)
    undo_log.refuse_unfinished(root)
    answers, made_by = _answers(root / ANSWERS)
    return Record(root, answers, made_by, _pristine(root / PRISTINE))


def _answers(path: Path) -> tuple[dict[str, Any], str]:
    content = _read(path, lambda file: json.loads(archive.read_file(file)))
    if not isinstance(content, dict) or not isinstance(content.get("answers"), dict):
        raise UsageError(f"{ANSWERS} holds no answers", hint=WAY_OUT)
    made_by, answers = content.get("concgen"), content["answers"]
    if not isinstance(made_by, str) or not _VERSION.fullmatch(made_by):
        raise UsageError(
            f"{ANSWERS} names no version of concgen: made by copier alone, or by another template",
            hint="`concgen new --answers .concgen/answers.json` makes a project from these answers",
        )
    _refuse_newer(made_by, content.get("schema"))
    return recorded.checked(answers, ANSWERS), made_by


def _refuse_newer(made_by: str, schema: object) -> None:
    own_version = inventory.version()
    if numbers(made_by) > numbers(own_version) or (isinstance(schema, int) and schema > SCHEMA):
        raise Refused(
            f"the project was made by concgen {made_by}, which is newer than this {own_version}",
            hint=f"`pip install --upgrade 'concgen>={made_by}'`, and again",
        )


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: (0, 2, 1) for 0.2.1rc1."""
    match = re.match(r"\d+(\.\d+)*", text)
    parts = [int(part) for part in match[0].split(".")] if match else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _pristine(path: Path) -> dict[str, bytes]:
    files = _read(path, _unpack)
    if ANSWERS not in files:
        raise UsageError(f"{PRISTINE} was not written by concgen", hint=WAY_OUT)
    return files


def _unpack(path: Path) -> dict[str, bytes]:
    files = archive.unpack(path)
    for name in map(check_path, files):
        if not _RENDERED.fullmatch(name):
            raise ValueError(f"no rendering has a file {shown(name)}")
    return files


def _read(path: Path, parse: Callable[[Path], T]) -> T:
    name = f"{FOLDER}/{path.name}"
    try:
        return parse(path)
    except FileNotFoundError as error:
        raise UsageError(f"{name} is missing", hint=WAY_OUT) from error
    except OSError as error:
        raise ConcgenError(
            f"cannot read {name}: {error.strerror}", hint="make it readable"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is damaged: {error}", hint=WAY_OUT) from error
