"""What a generated project remembers of its making: `.concgen/`, read and checked.

    answers.json   the answers, and the concgen that used them
    pristine.zip   every file as it was rendered

Both may come out of somebody else's repository: nothing in them is trusted.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from scaffold import documents, journal, names, starters
from scaffold.domain import Model
from scaffold.errors import ConcgenError, Refused, UsageError
from scaffold.inventory import available_models
from scaffold.names import shown
from scaffold.project import PRISTINE
from scaffold.questions import read_choice
from scaffold.starters import Starter
from scaffold.tree import Files, check_path

FOLDER = ".concgen"
ANSWERS = f"{FOLDER}/answers.json"
# The two files that a new rendering replaces, whatever is in them.
RECORD = frozenset({ANSWERS, PRISTINE})

SCHEMA = 1
# A rendering is 100 KB; this stops an archive that unpacks to fill the memory.
MOST_BYTES = 100_000_000

_PACKAGE = re.compile(r"[a-z_][a-z0-9_]*")
_WAY_OUT = (
    "take it back from version control, or make the project anew beside it with `concgen new` and"
    " move your files over"
)


@dataclass(frozen=True)
class Record:
    """A project's answers, the version of concgen that used them, and the files it made."""

    root: Path
    answers: Mapping[str, Any]
    version: str
    pristine: Files

    @property
    def package(self) -> str:
        """The import package's name."""
        return str(self.answers["package"])

    @property
    def starter(self) -> Starter:
        """What it was started from."""
        return starters.load(str(self.answers["starter"]))

    @property
    def model(self) -> Model:
        """The model that the project runs with."""
        return Model(self.answers["model"])


def find(place: Path | None) -> Path:
    """Return the root of the project at `place` (None: here) or above, without links.

    Raises UsageError when there is none.
    """
    if place is not None and not place.is_dir():
        raise UsageError(f"no directory {shown(place)}")
    try:
        start = (place or Path.cwd()).resolve()
    except OSError as error:
        raise UsageError(f"cannot tell where this is: {error.strerror}") from error
    for root in (start, *start.parents):
        if (root / FOLDER).is_dir():
            return root
    raise UsageError(
        f"no project in {shown(start)} or above: no {FOLDER} directory",
        hint="go into a project that `concgen new` made, or name it with --project DIR",
    )


def load(place: Path | None) -> Record:
    """Read and check the record of the project at `place` or above it.

    Raises UsageError when it is damaged, incomplete or not ours; Refused when a newer concgen made
    it, or when a switch in it was cut short.
    """
    root = find(place)
    journal.refuse_unfinished(root)
    answers, made_by = _answers(root / ANSWERS)
    return Record(root, answers, made_by, _pristine(root / PRISTINE))


def _answers(path: Path) -> tuple[dict[str, Any], str]:
    try:
        content = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{ANSWERS} is damaged: {error}", hint=_WAY_OUT) from error
    if not isinstance(content, dict) or not isinstance(content.get("answers"), dict):
        raise UsageError(f"{ANSWERS} holds no answers", hint=_WAY_OUT)
    made_by, answers = content.get("concgen"), content["answers"]
    if not isinstance(made_by, str) or not re.match(r"\d", made_by):
        raise UsageError(
            f"{ANSWERS} names no version of concgen: made by copier alone, or by another template",
            hint="`concgen new --answers .concgen/answers.json` makes a project from these answers",
        )
    _refuse_newer(made_by, content.get("schema"))
    _check(answers)
    return answers, made_by


def _refuse_newer(made_by: str, schema: object) -> None:
    this = documents.version()
    if numbers(made_by) > numbers(this) or (isinstance(schema, int) and schema > SCHEMA):
        raise Refused(
            f"the project was made by concgen {made_by}, which is newer than this {this}",
            hint=f"`pip install --upgrade 'concgen>={made_by}'`, and again",
        )


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: (0, 2, 1) for 0.2.1rc1."""
    found = re.match(r"\d+(\.\d+)*", text)
    parts = [int(part) for part in found[0].split(".")] if found else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _check(answers: Mapping[str, Any]) -> None:
    """Raise UsageError for answers that this concgen could not have recorded."""
    for name in ("name", "package", "starter", "model"):
        if not isinstance(answers.get(name), str):
            raise UsageError(f"{ANSWERS}: {name} is {answers.get(name)!r}", hint=_WAY_OUT)
    decision = answers.get("decision", {})
    estimates = decision.get("estimates", []) if isinstance(decision, dict) else None
    if not isinstance(estimates, list) or not all(isinstance(one, dict) for one in estimates):
        raise UsageError(f"{ANSWERS}: the decision is not one of ours", hint=_WAY_OUT)
    names.check_name(answers["name"])
    if not _PACKAGE.fullmatch(answers["package"]):
        raise UsageError(f"{ANSWERS}: package is {answers['package']!r}", hint=_WAY_OUT)
    known_starters = (*starters.names(), starters.YOURS)
    for name, known in (("model", available_models()), ("starter", known_starters)):
        try:
            read_choice(answers[name], [str(one) for one in known])
        except ValueError as error:
            hint = "it was made by another template than this one"
            raise UsageError(f"{ANSWERS}: {name} {error}", hint=hint) from error


def _pristine(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(BytesIO(_read(path))) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise UsageError(f"{PRISTINE} unpacks to over {MOST_BYTES:,} bytes", hint=_WAY_OUT)
            files = {_printable(entry.filename): archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UsageError(f"{PRISTINE} is damaged: {error}", hint=_WAY_OUT) from error
    if ANSWERS not in files:
        raise UsageError(f"{PRISTINE} was not written by concgen", hint=_WAY_OUT)
    return files


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError(f"{shown(name)} has characters that cannot be seen")
    return check_path(name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{FOLDER}/{path.name} is missing", hint=_WAY_OUT) from error
    except OSError as error:
        raise ConcgenError(f"cannot read {FOLDER}/{path.name}: {error.strerror}") from error
