"""The talk of `new` that is not about the work: where to, which model, what was made."""

from __future__ import annotations

import shlex
from pathlib import Path

from scaffold import console, views
from scaffold.commands.advise import Advice
from scaffold.commands.new import DEFAULT_DEST, Created, read_model
from scaffold.domain import Model
from scaffold.errors import UsageError
from scaffold.interview import Ask


def ask_dest(name: str | None, ask: Ask | None) -> Path:
    """Return where the project goes when no DEST was given: by its name, or by asking."""
    if name is not None:
        return Path(name)
    if ask is None:
        return DEFAULT_DEST
    return console.ask_line(f"Where does the project go? [{DEFAULT_DEST}]", DEFAULT_DEST, Path)


def settle(advice: Advice, ask: Ask | None) -> Model | None:
    """Ask whether to take the advice; return the model to use, or None to stop."""
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
            return read_model(text) or recommended
        except UsageError as error:
            raise ValueError(error.message.removeprefix("--model: ")) from error

    console.say()
    prompt = f"Use {recommended}? [Y/n, or another model]"
    return console.ask_line(prompt, default, read)


def show_created(created: Created, *, dry_run: bool) -> None:
    """Print the tree, what to do next, and the one-line command."""
    count, place = len(created.files), str(created.path)
    console.answer()
    if dry_run:
        console.answer(f"Would create {place}/ ({count} files, {created.model}):")
    else:
        console.answer(f"Created {place}/ ({count} files, {created.model}):")
    console.answer_lines([f"  {line}" for line in views.tree(created.path.name, created.files)])
    if created.package.reason:
        console.answer(f"The package is {created.package.name}: {created.package.reason}.")
    if "README.md" not in created.files:
        console.answer("Your README.md was kept; ours was left out.")
    if not dry_run:
        console.answer("Next:")
        console.answer(f"  cd {shlex.quote(place)} && python -m {created.package.name} run")
    console.answer("Same without questions:")
    console.answer(f"  {created.command}")
