"""What `new` and `add` have made, as text: the files, what to type next, the one-line command."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from scaffold.commands.add import Added
from scaffold.commands.new import Created
from scaffold.commands.script import Written
from scaffold.core import shell
from scaffold.terminal import console, views

# A virtual environment, made and entered: many systems let pip install nowhere else.
_ENTER_ENVIRONMENT = (
    ("py -m venv .venv", r".venv\Scripts\activate")
    if sys.platform == "win32"
    else ("python3 -m venv .venv", ". .venv/bin/activate")
)


def show_created(created: Created, *, dry_run: bool) -> None:
    """Print the tree, what to do next, and the one-line command."""
    count, place = len(created.files), str(created.path)
    console.answer()
    if dry_run:
        console.answer_text(f"Would create {place}/ ({count} files, {created.model}):")
    else:
        console.answer_text(f"Created {place}/ ({count} files, {created.model}):")
    _show_tree(created.path.name, created.package.name, created.files)
    if created.package.reason:
        console.answer_text(f"The package is {created.package.name}: {created.package.reason}.")
    for note in created.notes:
        console.answer_text(note)
    if "README.md" not in created.files:
        console.answer_text("Your README.md was kept; ours was left out.")
    if not dry_run:
        console.answer("Next:")
        console.answer_lines([f"  {line}" for line in _next_steps(created)])
    console.answer("Same without questions:")
    console.answer(f"  {created.command}")


def show_script(written: Written, *, dry_run: bool) -> None:
    """Print what was written, what to do next, and the one-line command."""
    console.answer()
    verb = "Would write" if dry_run else "Wrote"
    console.answer_text(f"{verb} {written.path} ({written.lines} lines, {written.model}).")
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
    console.answer_text(f"{verb} {place}/ ({len(added.files)} files, {added.model}) and {test}:")
    _show_tree(added.request.name, "", added.files)
    if added.python == sys.executable:
        console.answer_text(
            f"Measured with {added.python}, which runs concgen: no environment is here."
        )
    elif added.python:
        console.answer_text(f"Measured with {os.path.relpath(added.python)}.")
    if added.needs:
        console.answer_text(f"It needs {', '.join(added.needs)}: add that to your dependencies.")
    if not dry_run:
        console.answer("Call it:")
        console.answer(f"  from {added.request.module} import run")
        console.answer("  for outcome in run(items):")
        console.answer("      print(outcome.item, outcome.value if outcome.ok else outcome.error)")
        console.answer_text(f"`concgen undo --project {place}` takes it back.")
    console.answer("Same without questions:")
    console.answer(f"  {added.command}")


def _show_tree(root: str, package: str, files: Sequence[str]) -> None:
    tree = views.tree(root, package, files, console.width() - 2)
    console.answer_lines([f"  {line}" for line in tree])


def _next_steps(created: Created) -> list[str]:
    """Return what to type to see the first results, in the user's shell."""
    run = f"python -m {created.package.name} run"
    place = str(created.path)
    if created.from_here:
        items = created.path / created.items_file
        own = ("--items", items, "--results", created.path / "results.jsonl")
        steps, run, uv = [], f"{run} {shell.join(map(str, own))}", ["uv", "run", "--project", place]
        folders = [str(created.path / folder) for folder in created.installs]
    else:
        steps, uv = [shell.join(["cd", place])], ["uv", "run"]
        folders = list(created.installs)
    if not folders:
        return [shell.then(*steps, run)]
    if shutil.which("uv"):
        return [shell.then(*steps, f"{shell.join(uv)} {run}")]
    editable = [word for folder in folders for word in ("-e", os.path.normpath(folder))]
    install = shell.then(shell.join(["pip", "install", *editable]), run)
    if "VIRTUAL_ENV" in os.environ or "CONDA_PREFIX" in os.environ:
        return [shell.then(*steps, install)]
    return [*steps, *_ENTER_ENVIRONMENT, install]
