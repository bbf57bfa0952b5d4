"""What `switch` and `update` share: from a record and new answers to a plan, and its writing."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scaffold.changing import apply, git, merge, undo_log
from scaffold.changing.plan import Action, Change, Plan
from scaffold.changing.policy import Policy
from scaffold.changing.record import RECORD, Record
from scaffold.changing.tree import Files, Tree, like
from scaffold.changing.undo_log import UndoLog
from scaffold.commands import diff
from scaffold.core.domain import Model
from scaffold.core.errors import Refused
from scaffold.core.models import MODELS, Awaits
from scaffold.core.reasons import RELEASES_GIL
from scaffold.core.texts import listed
from scaffold.making import project, staging
from scaffold.making.interrupt import guarded

# The exit code of a command that is done, and leaves conflicts to settle.
CONFLICTS_LEFT = 4


@dataclass(frozen=True)
class Prepared:
    """A plan, and the project that it is for.

    `refusal` says why it must not be carried out, `edits` are the user's edits that it would lose.
    """

    root: Path
    plan: Plan
    refusal: Refused | None = None
    edits: tuple[Change, ...] = ()

    @property
    def exit_code(self) -> int:
        """The command's exit code once the plan is carried out."""
        return CONFLICTS_LEFT if self.plan.of(Action.CONFLICT) else 0

    def carry_out(self) -> None:
        """Write the plan, all of it or nothing. Raises what `apply.apply` raises."""
        if self.plan.writes:
            apply.apply(self.root, self.plan)


def render(answers: Mapping[str, Any]) -> Files:
    """Return every file of the project that `answers` describe, its pristine.zip too."""
    with guarded() as guard, TemporaryDirectory(prefix="concgen-") as scratch, guard.open():
        into = Path(scratch)
        project.render(answers, into)
        project.write_pristine(into)
        return {name: (into / name).read_bytes() for name in staging.list_files(into)}


def refuse_renamed(known: Record) -> None:
    """Raise Refused if the project's package is not in its place: no file would be found."""
    if not (known.root / known.package).is_dir():
        raise Refused(
            f"there is no {known.package}/ here, which is the package of this project",
            hint="if you renamed it, give it that name back",
        )


def changes(known: Record, rendering: Files, rules: Policy) -> tuple[Change, ...]:
    """Return what turns the project into `rendering`, the user's edits kept.

    If the rendering is the one that the last command replaced, that command is merged in reverse:
    what was not edited since comes back exactly, renames and deletions of the user included.
    """
    tree = Tree(known.root)
    base, new = known.pristine, rendering
    last = undo_log.last(known.root)
    if last and _leads_back(last, tree, rendering):
        base, new = last.after, last.before
        rules = replace(rules, untouched="as it was before")
    changes = merge.changes(
        _without_record(base),
        _without_record(new),
        tree,
        rules,
        partial(git.merge, label=rules.target),
    )
    return (*changes, *record_changes(tree, rendering))


def with_form(known: Record, answers: Mapping[str, Any], rules: Policy) -> tuple[Change, ...]:
    """Return the changes for `answers`, in the model's own form of work or in the present form.

    The starter's code keeps its present form (`def` or `async def`) if the user edited `work`, or
    edited code into which the new form cannot be merged. The new form of such code is then put
    beside the user's.
    """
    rendering = render(answers)
    planned = changes(known, rendering, rules)
    old = known.pristine
    reformed = [path for path in rendering if rules.is_starters(path) and path in old]
    if all(old[path] == rendering[path] for path in reformed):
        return planned
    tree = Tree(known.root)
    edited = rules.work not in tree or not tree.same(rules.work, old.get(rules.work, b""))
    clashes = {change.path for change in planned if change.action is Action.CONFLICT}
    clashes.intersection_update(reformed)
    if not edited and not clashes:
        return planned
    kept = changes(known, render({**answers, "form": form_of(known)}), rules)
    beside = {f"the new {path}" for path in clashes}
    reformed_changes = [
        change for change in planned if change.path in clashes or change.reason in beside
    ]
    return (*(change for change in kept if change.path not in clashes), *reformed_changes)


def form_of(known: Record) -> str:
    """Return the form of the starter's work in the project; 0.1.0 did not record it."""
    if "form" in known.answers:
        return str(known.answers["form"])
    if b"async def work(" in known.pristine.get(f"{known.package}/work.py", b""):
        return "async"
    native = (
        "native" in known.starter.forms and known.answers.get("gil_fraction", 1) <= RELEASES_GIL
    )
    return "native" if native else "sync"


def _leads_back(last: UndoLog, tree: Tree, rendering: Files) -> bool:
    """Tell whether the last command replaced `rendering`, and no command has run since."""
    replaced, written = last.before.get(project.PRISTINE), last.after.get(project.PRISTINE)
    return replaced == rendering[project.PRISTINE] and written == tree[project.PRISTINE]


def _without_record(files: Files) -> Files:
    return {path: data for path, data in files.items() if path not in RECORD}


def record_changes(tree: Tree, rendering: Files) -> list[Change]:
    """Return what turns the record into that of `rendering`."""
    changes = []
    for path in sorted(RECORD):
        present = tree[path]
        after = like(present, rendering[path])
        if after != present:
            changes.append(Change(path, Action.UPDATE, "the record", present, after))
    return changes


def git_note(root: Path) -> list[str]:
    """Return a note if git has uncommitted changes here."""
    if git.has_changes(root):
        return ["git has uncommitted changes here; `concgen undo` takes this back without git"]
    return []


def kind_of_work(tree: Tree, path: str, name: str = "work", hops: int = 1) -> str | None:
    """Tell whether the function `name` in the file at `path` is a "def" or an "async def".

    A function imported from a file beside it is looked up there. None if it cannot be told.
    """
    try:
        body = ast.parse(tree[path]).body if path in tree else []
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return "def" if isinstance(node, ast.FunctionDef) else "async def"
        if hops and isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            beside = f"{path.rpartition('/')[0]}/{node.module.replace('.', '/')}.py"
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return kind_of_work(tree, beside, alias.name, hops - 1)
    return None


def work_note(root: Path, work: str, model: Model, planned: tuple[Change, ...]) -> list[str]:
    """Return a note on how the engine runs a `work` that is not of the model's own kind."""
    if any(change.path == work and change.before != change.after for change in planned):
        return []
    kind = kind_of_work(Tree(root), work)
    if MODELS[model].awaits is Awaits.ALWAYS and kind == "def":
        return [
            f"{work} has a plain `def work`: asyncio runs each call in a thread of its own;"
            " `async def work` with an async client scales further"
        ]
    if MODELS[model].awaits is Awaits.NEVER and kind == "async def":
        return [
            f"{work} has an `async def work`: {model} runs it in an event loop per worker, one call"
            " at a time; a plain `def work` does without"
        ]
    return []


def prepared(known: Record, plan: Plan, *, again: str) -> Prepared:
    """Return the plan, and a refusal if files block it; `again` is the command without --force."""
    blocked = {change.path: change.reason for change in plan.of(Action.REFUSE)}
    if not blocked:
        return Prepared(known.root, plan)
    files = listed([f"{path} ({why})" for path, why in blocked.items()], "; ", "; and ")
    needs = plan.target if plan.command == "switch" else f"concgen {plan.target}"
    refusal = Refused(
        f"{needs} needs its own version of files that you changed: {files}",
        hint=f"`{again} --force` takes the new ones, and keeps yours beside them as FILE.yours",
    )
    edits = tuple(
        edit
        for edit in diff.edits_of(known)
        if edit.path in blocked and edit.action is not Action.DELETE
    )
    return Prepared(known.root, plan, refusal, edits)
