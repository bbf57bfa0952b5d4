"""`add`: concurrency for an existing repository, as a package inside one of its packages."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scaffold.asking.target import Target
from scaffold.changing import undo_log
from scaffold.changing.undo_log import Entry, UndoLog
from scaffold.commands.advise import Advice
from scaffold.commands.new import AUTO, check_key, read_model
from scaffold.core import shell
from scaffold.core.domain import Model
from scaffold.core.errors import ConcgenError, Refused
from scaffold.core.models import MODELS
from scaffold.core.texts import shown
from scaffold.making import answers as template
from scaffold.making import names, project, repository, staging, starters
from scaffold.making.items import Items

COMMAND = "add"
_TEST = '''"""{module}: what it runs is there, and no item is no work."""

from {module} import run
from {module}.work import work


def test_it_runs() -> None:
    assert callable(work)
    assert list(run([])) == []
'''


@dataclass(frozen=True)
class PackageRequest:
    """A checked request: the package, its directory, its test, and its model or None for advice.

    `key` is the field that names an item, if any.
    """

    inside: str
    name: str
    root: Path
    test: Path
    model: Model | None
    key: str | None = None

    @property
    def module(self) -> str:
        """The name by which it is imported."""
        return f"{self.inside}.{self.name}"

    @property
    def dest(self) -> Path:
        """Its directory."""
        return self.root.joinpath(*self.module.split("."))


@dataclass(frozen=True)
class Added:
    """A package that was added, or would be; `python` measured its function, or is None."""

    request: PackageRequest
    model: Model
    files: tuple[str, ...]
    needs: tuple[str, ...]
    command: str
    python: str | None


def read_request(package: str, wishes: Mapping[str, str]) -> PackageRequest:
    """Check the request; raise UsageError for an invalid one, Refused if a name is taken."""
    inside, name = repository.split(package)
    root = repository.find(Path.cwd(), inside).resolve()
    test = repository.top(root) / "tests" / f"test_{name}.py"
    model = read_model(wishes.get("model", AUTO), None)
    wanted = PackageRequest(inside, name, root, test, model, wishes.get("key"))
    names.check_name(name)
    staging.check_destination(wanted.dest)
    module = wanted.dest.with_suffix(".py")
    if module.exists():
        raise Refused(
            f"{shown(module)} would be hidden by a package of its name",
            hint="add it by another name",
        )
    if test.exists():
        raise Refused(f"{shown(test)} exists already", hint="add it by another name")
    if test.parent.exists() and not test.parent.is_dir():
        raise Refused(f"{shown(test.parent)} is not a directory", hint="its test goes there")
    return wanted


def create(
    wanted: PackageRequest,
    advice: Advice,
    model: Model,
    *,
    dry_run: bool,
    user_code: tuple[Target, Items] | None,
) -> Added:
    """Write the package and its test, or only list them."""
    check_key(wanted.key, user_code)
    answers = template.gather(
        advice.recommendation,
        advice.replies,
        name=wanted.name,
        package=wanted.name.lower(),
        starter=starters.YOURS if user_code else starters.DEFAULT,
        model=model,
    )
    answers |= {
        "inside": wanted.inside,
        "ci": False,
        "key": wanted.key or "",
        "switches_gil_on": advice.switches_gil_on,
    }
    if user_code:
        answers |= {"from_module": user_code[0].module, "from_function": user_code[0].function}
    files = project.files(answers) if dry_run else _write(wanted, answers)
    needs = tuple(MODELS[model].needs)
    command = _command(wanted, advice, model, user_code)
    return Added(wanted, model, files, needs, command, user_code and user_code[0].python)


def _write(wanted: PackageRequest, answers: template.Answers) -> tuple[str, ...]:
    files = project.create(wanted.dest, answers)
    try:
        wanted.test.parent.mkdir(exist_ok=True)
        with wanted.test.open("x", encoding="utf-8") as file:
            file.write(test_text(wanted.module))
        entries = (Entry(name, None, (wanted.dest / name).read_bytes()) for name in files)
        undo_log.begin(wanted.dest, UndoLog(COMMAND, "nothing", wanted.module, tuple(entries)))
        undo_log.finish(wanted.dest)
    except OSError as error:
        shutil.rmtree(wanted.dest)
        raise ConcgenError(
            f"cannot write {shown(wanted.test)}: {error.strerror}", hint="nothing was written"
        ) from error
    return files


def test_text(module: str) -> str:
    """Return the text of the package's test."""
    return _TEST.format(module=module)


def remove_rest(root: Path, module: str) -> None:
    """Remove what `undo` leaves of an added package: its unedited test, and empty directories."""
    name = module.rpartition(".")[2]
    base = root.parents[module.count(".")]
    test = repository.top(base) / "tests" / f"test_{name}.py"
    if test.is_file() and test.read_text(encoding="utf-8") == test_text(module):
        test.unlink()
        if not any(test.parent.iterdir()):
            test.parent.rmdir()
    for cache in list(root.rglob("__pycache__")):
        shutil.rmtree(cache, ignore_errors=True)
    for folder in sorted(root.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    if not any(root.iterdir()):
        root.rmdir()


def _command(
    wanted: PackageRequest, advice: Advice, model: Model, user_code: tuple[Target, Items] | None
) -> str:
    words = ["concgen", "add", wanted.module]
    if user_code is not None:
        words += ["--from", str(user_code[0]), "--items", str(user_code[1].given)]
    words += advice.replies.options(())
    if wanted.key is not None:
        words += ["--key", wanted.key]
    if model is not advice.recommendation.model:
        words += ["--model", str(model)]
    return shell.join([*words, "--yes"])
