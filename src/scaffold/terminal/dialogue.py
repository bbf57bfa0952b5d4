"""The talk of `new` that is not about the work: where to, which model, what was made."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from scaffold.asking.questions import QUESTIONS, Ask, Choice, Unsure, read_numbered
from scaffold.asking.target import Target, parse_target
from scaffold.commands import measure
from scaffold.commands.add import Added
from scaffold.commands.advise import Advice, Given, advise
from scaffold.commands.new import DEFAULT_DEST, Created, read_model
from scaffold.commands.script import Written
from scaffold.core import shell
from scaffold.core.domain import Bound, Model
from scaffold.core.errors import Interrupted, UsageError
from scaffold.core.texts import read_bool
from scaffold.making import starters
from scaffold.making.items import Items
from scaffold.making.starters import Starter
from scaffold.terminal import console, layout, progress_views, views

T = TypeVar("T")

# A virtual environment, made and entered: many systems let pip install nowhere else.
_ENTER_ENVIRONMENT = (
    ("py -m venv .venv", r".venv\Scripts\activate")
    if sys.platform == "win32"
    else ("python3 -m venv .venv", ". .venv/bin/activate")
)


@dataclass(frozen=True)
class MeasureRequest:
    """What to measure: a function, if any, its items, and how far measuring goes."""

    function: str | None
    items: Path | None
    effort: measure.Effort


def ask_dest(name: str | None, ask: Ask | None) -> Path:
    """Return where the project goes when no DEST was given: by its name, or by asking."""
    if name is not None:
        return Path(name)
    if ask is None:
        return DEFAULT_DEST
    return console.ask_line(f"Where does the project go? [{DEFAULT_DEST}]", DEFAULT_DEST, Path)


def counsel(
    given: Given,
    ask: Ask | None,
    *,
    yes: bool,
    to_measure: MeasureRequest,
    take: Callable[[Target, Items], T],
    locate: Callable[[Target], Target] = lambda target: target,
) -> tuple[Advice, T | None]:
    """Give advice by asking or by measuring, whichever the user wants.

    `locate` finds the function where its user's code does. `take` is called with function and items
    before they are measured; what it returns comes with the advice, None where nothing was
    measured.
    """
    asked = False
    if to_measure.function is None:
        try:
            return advise(given, ask, yes=yes), None
        except Unsure:
            if ask is None:
                raise
            to_measure, asked = _ask_function(to_measure), True
    target, items = measure.prepare(to_measure.function or "", to_measure.items)
    target = locate(target)
    taken = take(target, items)
    if asked and not _may_run(target, items, to_measure.effort):
        raise Interrupted("nothing was run, and nothing written")
    with console.Steps() as steps:
        measured = measure.measured(target, items, to_measure.effort, steps)
    return advise(given, ask, yes=yes, measured=measured), taken


def _ask_function(to_measure: MeasureRequest) -> MeasureRequest:
    function = ""
    while not function:
        function = console.ask_line("Which function? (FILE.py:FUNC)", "", _function)
    default = "items.jsonl"
    items = console.ask_line(f"Its items? (JSON Lines, or a .txt) [{default}]", default, _file)
    return replace(to_measure, function=function, items=Path(items))


def _may_run(target: Target, items: Items, effort: measure.Effort) -> bool:
    """Ask for consent: what the function does to others is not known here."""
    console.say(progress_views.consent(measure.announcement(target, items, effort)))
    return console.ask_line("Run it? [Y/n]", True, read_bool)


def _file(text: str) -> str:
    if not os.path.isfile(text):  # noqa: PTH113  # never raises, whatever the name
        raise ValueError(f"there is no file {text}: name it as seen from here")
    return text


def _function(text: str) -> str:
    try:
        parse_target(text)
    except UsageError as error:
        raise ValueError(error.message) from error
    return text


def settle(advice: Advice, starter: Starter | None, ask: Ask | None) -> Model | None:
    """Ask whether to take the advice; return the model to use, or None to stop.

    `starter` is what the user chose to start from, if so: not every model can run it.
    """
    recommended = advice.recommendation.model
    if ask is None:
        return recommended

    default: Model | None = recommended

    def read(text: str) -> Model | None:
        if text.lower() in ("y", "yes"):
            return recommended
        if text.lower() in ("n", "no", "q", "quit"):
            return None
        try:
            return read_model(text, starter) or recommended
        except UsageError as error:
            raise ValueError(error.message.removeprefix("--model: ")) from error

    console.say()
    if advice.replies.given:
        console.say(_summary(advice))
    prompt = f"Use {recommended}? [Y/n, or another model]"
    return console.ask_line(prompt, default, read)


def _summary(advice: Advice) -> str:
    """Return what was answered, for a last look."""
    replies = advice.replies
    said = [
        f"{question.label.lower()}: {question.show(replies.values[question.name])}"
        for question in QUESTIONS
        if question.name in replies.given
    ]
    return "\n".join(layout.wrap(", ".join(said), console.width(), "You said: ", " " * 10))


def choose_starter(bound: Bound, model: Model, ask: Ask | None) -> Starter | None:
    """Ask what to start from, of the starters that fit; None when there is nobody to ask."""
    fitting = starters.offered(bound, model)
    if ask is None or len(fitting) == 1:
        return None
    name = console.ask_choice(
        "What does the project start from?",
        [Choice(starter.name, starter.name, starter.summary) for starter in fitting],
        fitting[0].name,
        partial(read_numbered, values=[starter.name for starter in fitting]),
    )
    return starters.find(name)


def show_created(created: Created, *, dry_run: bool) -> None:
    """Print the tree, what to do next, and the one-line command."""
    count, place = len(created.files), str(created.path)
    console.answer()
    if dry_run:
        console.answer(f"Would create {place}/ ({count} files, {created.model}):")
    else:
        console.answer(f"Created {place}/ ({count} files, {created.model}):")
    shown = views.tree(created.path.name, created.package.name, created.files)
    console.answer_lines([f"  {line}" for line in shown])
    if created.package.reason:
        console.answer(f"The package is {created.package.name}: {created.package.reason}.")
    console.answer_lines(list(created.notes))
    if "README.md" not in created.files:
        console.answer("Your README.md was kept; ours was left out.")
    if not dry_run:
        console.answer("Next:")
        console.answer_lines([f"  {line}" for line in _next_steps(created)])
    console.answer("Same without questions:")
    console.answer(f"  {created.command}")


def show_script(written: Written, *, dry_run: bool) -> None:
    """Print what was written, what to do next, and the one-line command."""
    console.answer()
    verb = "Would write" if dry_run else "Wrote"
    console.answer(f"{verb} {written.path} ({written.lines} lines, {written.model}).")
    if not dry_run:
        console.answer("Next:")
        console.answer(f"  {written.run}")
    console.answer("Same without questions:")
    console.answer(f"  {written.command}")


def show_added(added: Added, *, dry_run: bool) -> None:
    """Print what was written, what to install, the lines that call it, and the one-line command."""
    place, test = (os.path.relpath(path) for path in (added.request.dest, added.request.test))
    console.answer()
    verb = "Would add" if dry_run else "Added"
    console.answer(f"{verb} {place}/ ({len(added.files)} files, {added.model}) and {test}:")
    console.answer_lines([f"  {line}" for line in views.tree(added.request.name, "", added.files)])
    if added.needs:
        console.answer(f"It needs {', '.join(added.needs)}: add that to your dependencies.")
    if not dry_run:
        console.answer("Call it:")
        console.answer(f"  from {added.request.module} import run")
        console.answer("  for outcome in run(items):")
        console.answer("      print(outcome.item, outcome.value if outcome.ok else outcome.error)")
        console.answer(f"`concgen undo --project {place}` takes it back.")
    console.answer("Same without questions:")
    console.answer(f"  {added.command}")


def _next_steps(created: Created) -> list[str]:
    """Return what to type to see the first results, in the shell that this runs in."""
    enter = shell.join(["cd", str(created.path)])
    run = f"python -m {created.package.name} run"
    if not created.installs:
        return [shell.then(enter, run)]
    if shutil.which("uv"):
        return [shell.then(enter, f"uv run {run}")]
    install = shell.then("pip install -e .", run)
    if "VIRTUAL_ENV" in os.environ or "CONDA_PREFIX" in os.environ:
        return [shell.then(enter, install)]
    return [enter, *_ENTER_ENVIRONMENT, install]
