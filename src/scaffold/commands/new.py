"""`new`: from advice to a project on disk."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scaffold import documents, inventory, names, project, staging
from scaffold.commands.advise import Advice
from scaffold.domain import Model
from scaffold.errors import UsageError
from scaffold.questions import read_choice
from scaffold.yours import STARTER, Yours

DEFAULT_DEST = Path("my-project")
STARTERS = ("blank",)
AUTO = "auto"


@dataclass(frozen=True)
class Order:
    """A checked wish: where the project goes, what it is called, what it starts from.

    `model` is None where the advice decides. `named` tells a name that the user gave from one that
    the directory suggested.
    """

    dest: Path
    name: str
    named: bool
    package: names.Package
    starter: str
    model: Model | None


@dataclass(frozen=True)
class Created:
    """A project that was made, or would be: its files, relative to `path`."""

    path: Path
    package: names.Package
    model: Model
    files: tuple[str, ...]
    command: str


def order(dest: Path, wishes: Mapping[str, str]) -> Order:
    """Check what the user wants before anything is asked about the work.

    `wishes` may hold `name`, `starter` and `model`. Raises UsageError for an invalid one, Refused
    when the place is taken.
    """
    given_name = wishes.get("name")
    name = names.name_for(dest) if given_name is None else names.check_name(given_name)
    staging.check_destination(dest)
    return Order(
        dest=dest,
        name=name,
        named=given_name is not None,
        package=names.package_name(name),
        starter=_choice("starter", wishes.get("starter", STARTERS[0]), STARTERS),
        model=read_model(wishes.get("model", AUTO)),
    )


def read_model(text: str) -> Model | None:
    """Read the model to use, or None for `auto`; raise UsageError for one that is not offered."""
    word = _choice("model", text, (AUTO, *inventory.available_models()))
    return None if word == AUTO else Model(word)


def create(
    wanted: Order, advice: Advice, model: Model, *, dry_run: bool, yours: Yours | None = None
) -> Created:
    """Make the project with `model`, or only list its files; `yours` is what it is to run."""
    answers = documents.answers(
        advice.recommendation,
        advice.replies,
        name=wanted.name,
        package=wanted.package.name,
        starter=STARTER if yours else wanted.starter,
        model=model,
    )
    own = None
    if yours is not None:
        answers |= yours.answers
        own = partial(yours.copy, package=wanted.package.name)
    files = project.files(answers, own) if dry_run else project.create(wanted.dest, answers, own)
    command = command_line(wanted, advice, model, yours)
    return Created(wanted.dest, wanted.package, model, files, command)


def command_line(wanted: Order, advice: Advice, model: Model, yours: Yours | None) -> str:
    """Return the one line that makes the same project without a question."""
    words = ["concgen", "new", str(wanted.dest)]
    if wanted.named:
        words += ["--name", wanted.name]
    if yours is not None:
        words += ["--from", str(yours.target), "--items", str(yours.items.file)]
    words += advice.replies.options()
    if wanted.starter != STARTERS[0]:
        words += ["--starter", wanted.starter]
    if model is not advice.recommendation.model:
        words += ["--model", str(model)]
    return shlex.join([*words, "--yes"])


def document(advice: Advice, created: Created) -> documents.Document:
    """Return the document of `new --json`: the advice, the project and the command.

    `model` and `settings` are those of the project, also where the user overruled the advice.
    """
    return {
        **documents.recommendation(advice.recommendation),
        "project": {
            "path": str(created.path),
            "package": created.package.name,
            "model": str(created.model),
            "files": list(created.files),
        },
        "command": created.command,
    }


def _choice(option: str, text: str, values: tuple[str, ...]) -> str:
    try:
        return read_choice(text, [str(value) for value in values])
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from error
