"""`new`: from advice to a project on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from scaffold.commands.advise import Advice
from scaffold.core import shell
from scaffold.core.domain import Model
from scaffold.core.errors import UsageError
from scaffold.core.models import MODELS
from scaffold.core.texts import read_bool, read_choice
from scaffold.making import answers as template
from scaffold.making import inventory, names, project, staging, starters
from scaffold.making.starters import Starter
from scaffold.making.user_code import ITEMS, UserCode

DEFAULT_DEST = Path("my-project")
AUTO = "auto"


@dataclass(frozen=True)
class ProjectRequest:
    """A checked request: where the project goes, what it is called, what it starts from.

    `model` is None if the advice decides, `starter` if the user has not chosen. `named` tells that
    the user gave the name, and it was not taken from the directory; `ci` that GitHub Actions runs
    the checks, `ci_check` that it also runs `concgen check`; `key` is the field that names an item,
    if any.
    """

    dest: Path
    name: str
    named: bool
    starter: Starter | None
    model: Model | None
    ci: bool
    ci_check: bool
    key: str | None = None

    @property
    def package(self) -> names.Package:
        """The import package, with a name that hides no package that the starter needs."""
        return names.package_name(self.name, self.starter.packages if self.starter else frozenset())

    def start_from(self, starter: Starter | None) -> ProjectRequest:
        """Return the same request with what the user chose later."""
        return replace(self, starter=starter)

    def name_items(self, key: str | None) -> ProjectRequest:
        """Return the same request with the field that names an item."""
        return replace(self, key=key)


@dataclass(frozen=True)
class Created:
    """A project that was made, or would be: its files, relative to `path`.

    `installs` are the folders that have to be installed before it runs, its own among them; with
    `from_here` it runs in the current directory, whose files it names.
    """

    path: Path
    package: names.Package
    model: Model
    files: tuple[str, ...]
    command: str
    installs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    from_here: bool = False
    items_file: str = ITEMS


def read_request(dest: Path, wishes: Mapping[str, str]) -> ProjectRequest:
    """Check the request before anything is asked about the work.

    `wishes` may hold `name`, `starter`, `model`, `ci`, `ci_check` and `key`, as text. Raises
    UsageError for an invalid one, Refused when the place is taken.
    """
    given_name = wishes.get("name")
    name = names.name_for(dest) if given_name is None else names.check_name(given_name)
    staging.check_destination(dest)
    starter = starters.find(wishes["starter"]) if "starter" in wishes else None
    return ProjectRequest(
        dest=dest,
        name=name,
        named=given_name is not None,
        starter=starter,
        model=read_model(wishes.get("model", AUTO), starter),
        ci=read_yes(wishes.get("ci", "yes"), "ci"),
        ci_check=read_yes(wishes.get("ci_check", "no"), "ci_check"),
        key=wishes.get("key"),
    )


def read_model(text: str, starter: Starter | None) -> Model | None:
    """Read the model to use, or None for `auto`.

    Raises UsageError for a model that is not offered, or that the starter cannot run on.
    """
    try:
        word = read_choice(text, [AUTO, *map(str, inventory.available_models())])
    except ValueError as error:
        raise UsageError(f"--model: {error}") from error
    model = None if word == AUTO else Model(word)
    if starter is not None and model is not None:
        starter.refuse(model)
    return model


def check_key(key: str | None, user_code: object) -> None:
    """Raise UsageError if a key was given, but no items."""
    if key is not None and user_code is None:
        raise UsageError(
            "--key names a field of your items, and no items were given",
            hint="--from FILE.py:FUNC --items FILE",
        )


def read_yes(text: str, name: str) -> bool:
    """Read yes or no; raise UsageError, with the name of the answer, for neither."""
    try:
        return read_bool(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error


def create(
    wanted: ProjectRequest,
    advice: Advice,
    model: Model,
    *,
    dry_run: bool,
    user_code: UserCode | None = None,
) -> Created:
    """Make the project with `model`, or only list its files; `user_code` is what it is to run."""
    check_key(wanted.key, user_code)
    package = wanted.package
    if user_code is not None and package.name in user_code.taken:
        package = names.package_name(wanted.name, user_code.taken)
    answers = template.gather(
        advice.recommendation,
        advice.replies,
        name=wanted.name,
        package=package.name,
        starter=_starter(wanted, user_code),
        model=model,
    )
    answers |= {"ci": wanted.ci, "ci_check": wanted.ci_check, "key": wanted.key or ""}
    answers |= {"switches_gil_on": advice.switches_gil_on}
    own = None
    if user_code is not None:
        answers |= user_code.answers(wanted.dest)
        own = partial(user_code.copy, package=package.name)
    files = project.files(answers, own) if dry_run else project.create(wanted.dest, answers, own)
    command = command_line(wanted, advice, model, user_code)
    needed = answers["dependencies"] if user_code else wanted.starter and wanted.starter.packages
    local = tuple(answers["local"].values()) if user_code else ()
    from_here = user_code is not None and user_code.from_here
    must = bool(needed or local or from_here or MODELS[model].needs)
    installs = (*local, ".") if must else ()
    notes = user_code.notes(wanted.dest) if user_code else ()
    made = Created(wanted.dest, package, model, files, command, installs, notes, from_here)
    return replace(made, items_file=user_code.items_file) if user_code else made


def command_line(
    wanted: ProjectRequest, advice: Advice, model: Model, user_code: UserCode | None
) -> str:
    """Return the one line that makes the same project without a question."""
    words = ["concgen", "new", str(wanted.dest)]
    if wanted.named:
        words += ["--name", wanted.name]
    if user_code is not None:
        words += ["--from", str(user_code.target), "--items", str(user_code.items.given)]
    words += advice.replies.options(wanted.starter.answers if wanted.starter else ())
    if wanted.starter is not None and wanted.starter.name != starters.DEFAULT:
        words += ["--starter", wanted.starter.name]
    if wanted.key is not None:
        words += ["--key", wanted.key]
    if model is not advice.recommendation.model:
        words += ["--model", str(model)]
    if not wanted.ci:
        words.append("--no-ci")
    if wanted.ci_check:
        words.append("--ci-check")
    return shell.join([*words, "--yes"])


def _starter(wanted: ProjectRequest, user_code: UserCode | None) -> str:
    if user_code is not None:
        return starters.YOURS
    return starters.DEFAULT if wanted.starter is None else wanted.starter.name
