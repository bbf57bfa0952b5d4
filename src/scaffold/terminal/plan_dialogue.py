"""The talk of `switch`, `update`, `diff` and `undo`: what would happen, what did, what is left."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from scaffold.changing.plan import Action, Change, Plan
from scaffold.changing.undo_log import UndoLog
from scaffold.commands.change import Prepared
from scaffold.terminal import console, documents, plan_views

_DONE = {"switch": "Switched", "update": "Updated"}


def telling(prepared: Prepared, *, dry_run: bool, diff: bool) -> AbstractContextManager[None]:
    """Return a context for printing: if it fails after the plan was carried out, say so."""
    plan = prepared.plan
    if dry_run or diff or prepared.refusal is not None or not plan.writes:
        return nullcontext()
    done = f"the {plan.command} from {plan.source} to {plan.target} is done"
    return console.telling(done, "`concgen undo` takes it back")


def show(prepared: Prepared, *, dry_run: bool, diff: bool, as_json: bool) -> None:
    """Print what would happen, or what happened and which conflicts are left."""
    plan, refusal = prepared.plan, prepared.refusal
    only_shown = dry_run or diff or refusal is not None
    if as_json:
        applied = bool(plan.writes) and not only_shown
        console.answer_json(documents.plan(plan, applied=applied))
    elif refusal and not dry_run:
        _print_diff(prepared.edits)
    elif diff:
        _print_diff(plan.changes)
    else:
        _show(plan, done=not only_shown)
    for note in plan.notes:
        console.say_text(f"note: {note}")
    if not only_shown:
        _show_conflicts(plan)


def show_edits(edits: Iterable[Change], *, stat: bool, as_json: bool) -> None:
    """Show what the user changed."""
    edits = tuple(edits)
    if as_json:
        console.answer_json(documents.edits(edits))
    elif not edits:
        console.say("Nothing was changed since generation.")
    elif stat:
        console.answer_lines(plan_views.stat(edits, console.width()))
    else:
        _print_diff(edits)
        for edit in edits:
            if edit.action is Action.KEEP:
                console.say_text(f"{edit.path}: {edit.reason}")


def show_undone(log: UndoLog, *, as_json: bool) -> None:
    """Say what was taken back."""
    with console.telling(f"the {log.title} is taken back", "`concgen diff` shows what is there"):
        if as_json:
            console.answer_json(documents.undone(log))
        else:
            became = "as they were" if log.before else "gone"
            console.answer_text(
                f"Took back the {log.title}: {len(log.entries)} files are {became}."
            )
            if log.before:
                console.say_text("Undo takes back one switch or update, not what was before it.")


def _show(plan: Plan, *, done: bool) -> None:
    if not plan.writes:
        console.answer_text(f"Nothing to do: {_already(plan)}.")
        return
    word = _DONE[plan.command] if done else f"Would {plan.command}"
    console.answer_headed(
        [f"{word} from {plan.source} to {plan.target}: {plan_views.summary(plan)}"]
    )
    console.answer_lines(plan_views.lines(plan, console.width()))
    if done:
        console.answer("`concgen undo` takes it back.")


def _already(plan: Plan) -> str:
    if plan.command == "switch":
        return f"the model is {plan.target} already"
    return f"the project is as concgen {plan.target} makes it"


def _show_conflicts(plan: Plan) -> None:
    if conflicts := plan.of(Action.CONFLICT):
        listed = ", ".join(change.path for change in conflicts)
        console.say_text(f"Left for you to settle: {listed}")
        text = "Choose between the two versions, or `concgen undo` to have yours back."
        console.say_text(text, "  ")


def _print_diff(changes: Iterable[Change]) -> None:
    for line in plan_views.diff(changes):
        name = plan_views.styled(line)
        console.answer(console.style(line, name) if name else line)
